// SequenceStates: beginnings, growth and ends of the slots' sequences.
#include "inference/sequence_states.h"

#include <algorithm>

#include "base/check.h"

namespace hearth {

SequenceStates::SequenceStates(const Sizes& sizes)
    : sizes_(sizes),
      kept_(sizes.n_slots, sizes.has_recurrences ? sizes.n_kept_rows : 0),
      tree_(sizes.n_pages, sizes.page_size, [this](int page, int instead) { kept_.move(page, instead); }),
      slots_(static_cast<size_t>(sizes.n_slots)) {}

// After how many tokens of the matched beginning the state was kept; 0 where it is of other tokens. Its page may be
// another than the match has, after the same ones: they are alike up to there.
int SequenceStates::position_of(const KeptStates::State& state, const PageTree::Match& match,
                                std::span<const int32_t> tokens) const {
  if (state.page < 0) return 0;
  size_t n_above = 0;
  if (const int above = tree_.above(state.page); above != PageTree::kNone) {
    const auto found = std::find(match.pages.begin(), match.pages.end(), above);
    if (found == match.pages.end()) return 0;
    n_above = static_cast<size_t>(found - match.pages.begin()) + 1;
  }
  const size_t begin = n_above * static_cast<size_t>(sizes_.page_size), n = static_cast<size_t>(state.n_tokens);
  if (begin + n > static_cast<size_t>(match.n_tokens)) return 0;
  const std::span<const int32_t> own = tree_.tokens(state.page).first(n), wanted = tokens.subspan(begin, n);
  return std::equal(own.begin(), own.end(), wanted.begin()) ? static_cast<int>(begin + n) : 0;
}

// The row of the latest state on the way; -1: none.
int SequenceStates::latest_state(const PageTree::Match& match, std::span<const int32_t> tokens, int& position) const {
  int row = -1;
  position = 0;
  for (size_t i = 0; i < kept_.all().size(); ++i)
    if (const int here = position_of(kept_.all()[i], match, tokens); here > position)
      position = here, row = kept_.row_of(i);
  return row;
}

// Full pages are shared; one that is not full is written on where nobody else has it, else copied. False: there is no
// page to copy to.
bool SequenceStates::adopt(int slot, const PageTree::Match& match, int n_tokens, Copies& copies) {
  Slot& s = at(slot);
  for (const int page : match.pages) {
    const int n = std::min(n_tokens - s.length, sizes_.page_size);
    if (n == 0) break;
    if (n == sizes_.page_size) {
      tree_.pin(page);
      s.pages.push_back(page);
    } else if (tree_.take_over(page, n)) {
      s.pages.push_back(page);
    } else {
      tree_.pin(page);  // so that it is not the one that makes room
      const Result<int> copy = tree_.add(last_page(slot), tree_.tokens(page).first(static_cast<size_t>(n)));
      tree_.unpin(page);
      if (!copy) return false;
      copies.from_page = page, copies.to_page = *copy;
      s.pages.push_back(*copy);
    }
    s.length += n;
  }
  return true;
}

SequenceStates::Beginning SequenceStates::begin(int slot, std::span<const int32_t> tokens) {
  end(slot);
  const PageTree::Match match = tree_.find(tokens);
  Beginning out{.n_known = match.n_tokens};
  int n = match.n_tokens, row = -1;
  if (sizes_.has_recurrences) row = latest_state(match, tokens, n);
  const bool is_whole = adopt(slot, match, n, out.copies);
  if (!is_whole && sizes_.has_recurrences) end(slot);  // the state is of all or nothing
  out.n_reused = length(slot);
  if (row >= 0 && out.n_reused > 0) {
    kept_.use(static_cast<size_t>(row - sizes_.n_slots));
    out.copies.from_row = row, out.copies.to_row = slot;
  }
  return out;
}

Result<void> SequenceStates::reserve(int slot, int n_tokens) {
  while (static_cast<int>(at(slot).pages.size()) * sizes_.page_size < n_tokens)
    at(slot).pages.push_back(TRY(tree_.add(last_page(slot), {})));
  return {};
}

void SequenceStates::append(int slot, int32_t token) {
  Slot& s = at(slot);
  int& page = s.pages[static_cast<size_t>(s.length / sizes_.page_size)];
  page = tree_.append(page, token);
  ++s.length;
}

SequenceStates::Copies SequenceStates::keep(int slot) {
  const Slot& s = at(slot);
  if (s.length == 0) return {};
  const int last = s.length - 1;
  const std::optional<int> row =
      kept_.add(s.pages[static_cast<size_t>(last / sizes_.page_size)], last % sizes_.page_size + 1);
  return row ? Copies{.from_row = slot, .to_row = *row} : Copies{};
}

void SequenceStates::end(int slot) {
  Slot& s = at(slot);
  for (; !s.pages.empty(); s.pages.pop_back()) tree_.unpin(s.pages.back());
  s.length = 0;
}

}  // namespace hearth
