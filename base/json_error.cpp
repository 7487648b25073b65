// See json_error.h.
#include "base/json_error.h"

namespace hearth {

static bool drop(std::string& text, std::string_view beginning) {
  if (!text.starts_with(beginning)) return false;
  text.erase(0, beginning.size());
  return true;
}

std::string readable_json_error(std::string_view what, std::string_view text) {
  std::string out(what);
  if (size_t end = out.find("] "); out.starts_with("[json.exception") && end != std::string::npos)
    out.erase(0, end + 2);
  drop(out, "parse error at ");
  drop(out, "parse error: ");
  if (text.find('\n') == std::string_view::npos) drop(out, "line 1, ");
  return out;
}

}  // namespace hearth
