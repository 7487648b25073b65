// KeptStates: rows given out and taken back.
#include "inference/kept_states.h"

#include <algorithm>

namespace hearth {

KeptStates::KeptStates(int first_row, int n_rows) : first_row_(first_row), states_(static_cast<size_t>(n_rows)) {}

std::optional<int> KeptStates::add(int page, int n_tokens) {
  if (states_.empty()) return std::nullopt;
  size_t oldest = 0;
  for (size_t i = 0; i < states_.size(); ++i) {
    if (states_[i].page == page && states_[i].n_tokens == n_tokens) {
      use(i);
      return std::nullopt;
    }
    if (states_[i].last_used < states_[oldest].last_used) oldest = i;
  }
  states_[oldest] = {page, n_tokens, ++clock_};
  return row_of(oldest);
}

void KeptStates::move(int page, int instead) {
  for (State& state : states_) {
    if (state.page != page) continue;
    const bool is_known = std::any_of(states_.begin(), states_.end(), [&](const State& other) {
      return other.page == instead && other.n_tokens == state.n_tokens;
    });
    if (instead < 0 || is_known)
      state = {};
    else
      state.page = instead;
  }
}

}  // namespace hearth
