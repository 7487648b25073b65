// Patterns in tokenizer.json are written for Oniguruma (Ruby's syntax); PCRE2 reads some of it differently.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth {

// The same pattern for PCRE2:
//   \s \S \w \W      Unicode's White_Space and word characters exactly; \h \H: hexadecimal digits
//   \p{Han}          a script, without its extensions
//   [a[bc]]          classes in classes; [a&&[^b]]: what is in both
//   x{1,3}+          a repetition of repetitions there, possessive here
// unimplemented where there is no such way. Patterns that take quadratic time are replaced by equal ones that do not.
Result<std::string> pcre_pattern(std::string_view pattern);

}  // namespace hearth
