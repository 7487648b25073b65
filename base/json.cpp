#include "base/json.h"

#include "base/json_error.h"

namespace hearth {

Result<Json> parse_json(std::string_view text, int max_depth) {
  bool too_deep = false;
  auto limit_depth = [&](int depth, Json::parse_event_t, Json&) {
    too_deep |= depth > max_depth;
    return !too_deep;
  };
  try {
    Json json = Json::parse(text, limit_depth);
    if (too_deep) return error(Code::invalid_argument, "JSON nested deeper than {} levels", max_depth);
    return json;
  } catch (const nlohmann::json::exception& e) {
    return error(Code::invalid_argument, "not valid JSON: {}", readable_json_error(e.what(), text));
  }
}

std::string dump_json(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace hearth
