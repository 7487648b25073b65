// What happens to a conversation that is longer than a row. It is never cut in two: a row would begin in the middle of
// it, without what the answer was an answer to.
#pragma once

#include <string_view>

#include "trainer/data/encode.h"

namespace hearth::train {

enum class Overlong : uint8_t {
  drop,      // it is left out
  truncate,  // it loses its beginning; left out when its last answer alone does not fit
  refuse,    // an error that names its line
};
Overlong overlong_from_name(std::string_view name);  // of a valid recipe

enum class Fit : uint8_t { whole, cut, left_out };
// Makes `document` fit into a row of max_seq_len tokens, or says that it has to be left out. Plain text goes on in
// another row and is left alone.
Result<Fit> fit_into_row(Document& document, int max_seq_len, Overlong overlong);

}  // namespace hearth::train
