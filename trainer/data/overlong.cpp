// See overlong.h.
#include "trainer/data/overlong.h"

#include <algorithm>

namespace hearth::train {
namespace {

void erase_front(Document& d, size_t n) {
  d.ids.erase(d.ids.begin(), d.ids.begin() + static_cast<ptrdiff_t>(n));
  d.learned.erase(d.learned.begin(), d.learned.begin() + static_cast<ptrdiff_t>(n));
}

// Where the last answer begins.
size_t last_answer(const Document& d) {
  size_t at = d.learned.size();
  while (at > 0 && d.learned[at - 1]) --at;
  return at;
}

}  // namespace

Overlong overlong_from_name(std::string_view name) {
  return name == "truncate" ? Overlong::truncate : name == "refuse" ? Overlong::refuse : Overlong::drop;
}

Result<Fit> fit_into_row(Document& d, int max_seq_len, Overlong overlong) {
  const size_t most = static_cast<size_t>(max_seq_len) + 1;  // the last token is only a target
  if (d.may_split || d.ids.size() <= most) return Fit::whole;
  const size_t n_before = d.ids.size();
  while (!d.learned.empty() && !d.learned.back()) d.learned.pop_back();  // what follows the last answer teaches nothing
  d.ids.resize(d.learned.size());
  if (d.ids.size() <= most) return Fit::whole;
  if (overlong == Overlong::refuse)
    return error(Code::invalid_argument,
                 "the example has {} tokens, a row {}; raise data.max_seq_len, shorten it, or set data.overlong to "
                 "\"truncate\" or \"drop\"",
                 n_before, max_seq_len);
  const size_t n_lost = d.ids.size() - most;
  if (overlong == Overlong::drop || last_answer(d) <= n_lost) return Fit::left_out;
  erase_front(d, n_lost);
  return Fit::cut;
}

}  // namespace hearth::train
