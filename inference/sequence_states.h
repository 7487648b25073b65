// What every slot has of the cache: its pages, its length, its row of the recurrences; and what is kept of sequences
// that ended. Decides what has to be copied, copies nothing itself.
#pragma once

#include "inference/kept_states.h"
#include "inference/page_tree.h"

namespace hearth {

class SequenceStates {
 public:
  struct Sizes {
    int n_slots = 1, n_pages = 1, page_size = 1;
    int n_kept_rows = 0;           // beside the slots' own rows of recurrences, which are rows 0 to n_slots - 1
    bool has_recurrences = false;  // then a sequence goes on only where its state was kept
  };
  explicit SequenceStates(const Sizes& sizes);

  // A copy that has to be made at once; -1: none.
  struct Copies {
    int from_page = -1, to_page = -1, from_row = -1, to_row = -1;
  };
  struct Beginning {
    int n_reused = 0;  // tokens that the slot has now, without being read
    int n_known = 0;   // tokens that some sequence began with; more than n_reused where no state was kept there
    Copies copies;
  };
  // Ends what the slot had, and begins a sequence with what is there of `tokens`.
  Beginning begin(int slot, std::span<const int32_t> tokens);
  // Pages for the first n_tokens of the slot. resource_exhausted: the others have them; what it got stays.
  Result<void> reserve(int slot, int n_tokens);
  void append(int slot, int32_t token);  // it was read; its page is reserved
  // Keeps the recurrences' state after the slot's last token.
  Copies keep(int slot);
  void end(int slot);  // its pages stay for who begins alike, until there is need of them

  int length(int slot) const { return at(slot).length; }
  std::span<const int> pages(int slot) const { return at(slot).pages; }
  const PageTree& tree() const { return tree_; }
  bool has_recurrences() const { return sizes_.has_recurrences; }

 private:
  struct Slot {
    std::vector<int> pages;
    int length = 0;
  };
  const Slot& at(int slot) const { return slots_[static_cast<size_t>(slot)]; }
  Slot& at(int slot) { return slots_[static_cast<size_t>(slot)]; }
  int last_page(int slot) const { return at(slot).pages.empty() ? PageTree::kNone : at(slot).pages.back(); }
  int position_of(const KeptStates::State& state, const PageTree::Match& match, std::span<const int32_t> tokens) const;
  int latest_state(const PageTree::Match& match, std::span<const int32_t> tokens, int& position) const;
  bool adopt(int slot, const PageTree::Match& match, int n_tokens, Copies& copies);

  Sizes sizes_;
  KeptStates kept_;
  PageTree tree_;
  std::vector<Slot> slots_;
};

}  // namespace hearth
