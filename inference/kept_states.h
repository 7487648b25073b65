// Which rows hold kept states of recurrences: what a recurrence made of all tokens up to some token of a page. A few
// rows; the one unused for longest is given to the next.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace hearth {

class KeptStates {
 public:
  KeptStates(int first_row, int n_rows);

  struct State {
    int page = -1;     // -1: the row is free
    int n_tokens = 0;  // of the page, the last included
    uint64_t last_used = 0;
  };
  const std::vector<State>& all() const { return states_; }
  int row_of(size_t index) const { return first_row_ + static_cast<int>(index); }

  // The row that the state after so many tokens of the page has to be copied to. None: it is kept already, or there are
  // no rows.
  std::optional<int> add(int page, int n_tokens);
  void use(size_t index) { states_[index].last_used = ++clock_; }
  // The page is gone, or its tokens are in another one now (-1: nowhere).
  void move(int page, int instead);

 private:
  int first_row_;
  std::vector<State> states_;
  uint64_t clock_ = 0;
};

}  // namespace hearth
