// JSON glue: nlohmann-json at the edge, typed getters whose errors name the field.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth {

using Json = nlohmann::json;

// Parses untrusted text. Nesting deeper than max_depth is an error, not a stack overflow.
Result<Json> parse_json(std::string_view text, int max_depth = 64);

// A compact dump that never throws: invalid UTF-8 becomes U+FFFD.
std::string dump_json(const Json& json, int indent = -1);

// object[key] as T; absent or of the wrong type is an Error that names key. T: bool, integers, double, std::string, Json.
template <class T>
Result<T> json_get(const Json& object, std::string_view key) {
  auto it = object.is_object() ? object.find(key) : object.end();
  if (it == object.end()) return error(Code::invalid_argument, "field \"{}\" is missing", key);
  try {
    if constexpr (std::is_same_v<T, bool>) {
      if (!it->is_boolean()) return error(Code::invalid_argument, "field \"{}\" must be true or false, got {}", key, it->type_name());
    } else if constexpr (std::is_integral_v<T>) {
      if (!it->is_number_integer()) return error(Code::invalid_argument, "field \"{}\" must be an integer, got {}", key, it->type_name());
      if (it->is_number_unsigned() ? it->template get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<T>::max())
                                   : (it->template get<int64_t>() < 0 ? std::is_unsigned_v<T> || it->template get<int64_t>() < static_cast<int64_t>(std::numeric_limits<T>::min())
                                                                      : static_cast<uint64_t>(it->template get<int64_t>()) > static_cast<uint64_t>(std::numeric_limits<T>::max())))
        return error(Code::invalid_argument, "field \"{}\" is out of range", key);
    } else if constexpr (std::is_floating_point_v<T>) {
      if (!it->is_number()) return error(Code::invalid_argument, "field \"{}\" must be a number, got {}", key, it->type_name());
    }
    return it->template get<T>();
  } catch (const nlohmann::json::exception&) {
    return error(Code::invalid_argument, "field \"{}\" has the wrong type ({})", key, it->type_name());
  }
}

// As json_get, but absent or null gives `otherwise`.
template <class T>
Result<T> json_get_or(const Json& object, std::string_view key, T otherwise) {
  if (!object.is_object()) return otherwise;
  auto it = object.find(key);
  if (it == object.end() || it->is_null()) return otherwise;
  return json_get<T>(object, key);
}

}  // namespace hearth
