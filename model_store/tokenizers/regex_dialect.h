// Patterns in tokenizer.json are written for Oniguruma (Ruby's syntax); PCRE2 reads some of it differently.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth {

// The same pattern for PCRE2 (UTF and MULTILINE), with nothing left in it that the two read differently: classes and
// properties are written out with the characters of Oniguruma's Unicode, letters that stand for others ((?i), ß and ſ
// among them) as classes, (?m), {,2}, \b, \h, \R, && and nested classes in PCRE2's own ways.
// unimplemented where there is no such way, or where it is not known that there is: \X, \K, \G, calls of groups, absent
// operators, conditions, letters that stand for two. Patterns that take quadratic time are replaced by equal ones that
// do not.
Result<std::string> pcre_pattern(std::string_view pattern);

}  // namespace hearth
