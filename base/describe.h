// Structs that describe their own fields, once: JSON in, JSON out, limits, and OpenAPI schemas all come from the table.
//
//   struct Point {
//     double x = 0;
//     std::optional<std::string> label;
//     static constexpr auto kFields = std::tuple{field("x", &Point::x, "metres"), field("label", &Point::label, "shown
//     name")};
//   };
//   Result<Point> p = from_json<Point>(json);   // errors name the field path: "points[3].x must be a number"
//
// A field whose member is std::optional may be absent or null. Any other field may be absent too, and then keeps its
// default, unless it is declared with required().
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include "base/json.h"
#include "base/word.h"

namespace hearth {

template <class S, class M>
struct Field {
  const char* name;
  M S::*member;
  const char* doc;
  bool is_required = false;
  constexpr Field required() const {
    Field f = *this;
    f.is_required = true;
    return f;
  }
};

template <class S, class M>
constexpr Field<S, M> field(const char* name, M S::*member, const char* doc) {
  return {name, member, doc};
}

template <class T>
concept Described = requires {
  T::kFields;
};

namespace detail {
template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsStringMap : std::false_type {};
template <class T>
struct IsStringMap<std::map<std::string, T>> : std::true_type {};

inline std::string join_path(const std::string& path, const std::string& part) {
  return path.empty() ? part : path + "." + part;
}
inline Error type_error(const std::string& path, const char* wanted, const Json& got) {
  return error(Code::invalid_argument, "{} must be {}, got {}", path.empty() ? "the document" : path, wanted,
               got.type_name());
}
}  // namespace detail

template <class T>
Json to_json_value(const T& value) {
  if constexpr (Described<T>) {
    Json out = Json::object();
    std::apply([&](const auto&... f) { ((out[f.name] = to_json_value(value.*f.member)), ...); }, T::kFields);
    return out;
  } else if constexpr (detail::IsOptional<T>::value) {
    return value ? to_json_value(*value) : Json(nullptr);
  } else if constexpr (detail::IsVector<T>::value) {
    Json out = Json::array();
    for (const auto& item : value) out.push_back(to_json_value(item));
    return out;
  } else if constexpr (detail::IsStringMap<T>::value) {
    Json out = Json::object();
    for (const auto& [key, item] : value) out[key] = to_json_value(item);
    return out;
  } else if constexpr (IsWord<T>::value) {
    return value.text();
  } else {
    return Json(value);
  }
}

template <class T>
Result<void> read_json_value(const Json& json, T& out, const std::string& path) {
  if constexpr (Described<T>) {
    if (!json.is_object()) return detail::type_error(path, "an object", json);
    Result<void> status;
    auto read_field = [&](const auto& f) {
      if (!status) return;
      auto it = json.find(f.name);
      if (it == json.end()) {
        if (f.is_required) status = error(Code::invalid_argument, "{} is missing", detail::join_path(path, f.name));
        return;
      }
      status = read_json_value(*it, out.*f.member, detail::join_path(path, f.name));
    };
    std::apply([&](const auto&... f) { (read_field(f), ...); }, T::kFields);
    return status;
  } else if constexpr (detail::IsOptional<T>::value) {
    if (json.is_null()) {
      out.reset();
      return {};
    }
    return read_json_value(json, out.emplace(), path);
  } else if constexpr (detail::IsVector<T>::value) {
    if (!json.is_array()) return detail::type_error(path, "an array", json);
    out.clear();
    for (size_t i = 0; i < json.size(); ++i) {
      out.emplace_back();
      if (auto ok = read_json_value(json[i], out.back(), path + "[" + std::to_string(i) + "]"); !ok) return ok;
    }
    return {};
  } else if constexpr (detail::IsStringMap<T>::value) {
    if (!json.is_object()) return detail::type_error(path, "an object", json);
    out.clear();
    for (const auto& [key, item] : json.items())
      if (auto ok = read_json_value(item, out[key], detail::join_path(path, key)); !ok) return ok;
    return {};
  } else if constexpr (IsWord<T>::value) {
    if (!json.is_string()) return detail::type_error(path, "a string", json);
    out = T::read(json.get_ref<const std::string&>());
    return {};
  } else if constexpr (std::is_same_v<T, Json>) {
    out = json;
    return {};
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_boolean()) return detail::type_error(path, "true or false", json);
    out = json.get<bool>();
    return {};
  } else if constexpr (std::is_integral_v<T>) {
    Json wrapped = {{"v", json}};
    auto value = json_get<T>(wrapped, "v");
    if (!value)
      return json.is_number_integer() ? error(Code::invalid_argument, "{} is out of range", path)
                                      : detail::type_error(path, "an integer", json);
    out = *value;
    return {};
  } else if constexpr (std::is_floating_point_v<T>) {
    if (!json.is_number()) return detail::type_error(path, "a number", json);
    out = json.get<T>();
    return {};
  } else {
    if (!json.is_string()) return detail::type_error(path, "a string", json);
    out = json.get<std::string>();
    return {};
  }
}

template <class T>
Result<T> from_json(const Json& json) {
  T out;
  TRY(read_json_value(json, out, ""));
  return out;
}

// JSON Schema of a described type, inline (no $ref).
template <class T>
Json schema_of() {
  if constexpr (Described<T>) {
    Json properties = Json::object(), required = Json::array();
    auto add = [&](const auto& f) {
      using M = std::remove_cvref_t<decltype(std::declval<T>().*f.member)>;
      Json schema = schema_of<M>();
      schema["description"] = f.doc;
      properties[f.name] = std::move(schema);
      if (f.is_required) required.push_back(f.name);
    };
    std::apply([&](const auto&... f) { (add(f), ...); }, T::kFields);
    Json out = {{"type", "object"}, {"properties", std::move(properties)}};
    if (!required.empty()) out["required"] = std::move(required);
    return out;
  } else if constexpr (detail::IsOptional<T>::value) {
    Json out = schema_of<typename T::value_type>();
    if (out.contains("type")) out["type"] = Json::array({out["type"], "null"});
    return out;
  } else if constexpr (detail::IsVector<T>::value) {
    return {{"type", "array"}, {"items", schema_of<typename T::value_type>()}};
  } else if constexpr (detail::IsStringMap<T>::value) {
    return {{"type", "object"}, {"additionalProperties", schema_of<typename T::mapped_type>()}};
  } else if constexpr (IsWord<T>::value) {
    return {{"type", "string"}, {"enum", IsWord<T>::words}};
  } else if constexpr (std::is_same_v<T, Json>) {
    return Json::object();
  } else if constexpr (std::is_same_v<T, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (std::is_integral_v<T>) {
    return {{"type", "integer"}};
  } else if constexpr (std::is_floating_point_v<T>) {
    return {{"type", "number"}};
  } else {
    return {{"type", "string"}};
  }
}

}  // namespace hearth
