// Typed access to JSON configuration by dotted keys.
#include "model_store/formats/config_json.h"

#include <cmath>
#include <limits>

namespace hearth {
namespace {

// What JSON cannot say: the transformers library spells it so, and parse_python_json does.
std::optional<std::string> special_number(const Json& value) {
  if (!value.is_object() || value.size() != 1 || !value.contains("__float__")) return std::nullopt;
  return value["__float__"].is_string() ? value["__float__"].get<std::string>() : dump_json(value["__float__"]);
}

// One value as T, in the words of json_get.
template <class T>
Result<T> value_as(const Json& value, std::string_view key) {
  if constexpr (std::is_same_v<T, int64_t>)
    if (value.is_boolean()) return static_cast<int64_t>(value.get<bool>());
  if (const auto special = special_number(value)) {
    if constexpr (std::is_same_v<T, double>)
      if (*special == "Infinity") return std::numeric_limits<double>::infinity();
    return error(Code::invalid_argument, "field \"{}\" is {}, with which nothing can be computed", key, *special);
  }
  if constexpr (std::is_same_v<T, std::string>) {
    if (!value.is_string())
      return error(Code::invalid_argument, "field \"{}\" must be a string, got {}", key, value.type_name());
    return value.get<std::string>();
  } else {
    const Json wrapped = Json::object({{std::string(key), value}});
    return json_get<T>(wrapped, key);
  }
}

}  // namespace

const Json* JsonConfigSource::find(std::string_view key) const {
  const Json* at = &object_;
  while (true) {
    const size_t dot = key.find('.');
    if (!at->is_object()) return nullptr;
    auto it = at->find(key.substr(0, dot));
    if (it == at->end()) return nullptr;
    at = &*it;
    if (dot == std::string_view::npos) return at;
    key.remove_prefix(dot + 1);
  }
}

bool JsonConfigSource::has(std::string_view key) const {
  const Json* found = find(key);
  return found && !found->is_null();
}
bool JsonConfigSource::is_null(std::string_view key) const {
  const Json* found = find(key);
  return found && found->is_null();
}

Result<const Json*> JsonConfigSource::require(std::string_view key) const {
  if (has(key)) return find(key);
  return error(Code::invalid_argument, "field \"{}\" is missing", key);
}

Result<int64_t> JsonConfigSource::integer(std::string_view key) const {
  const Json* value = TRY(require(key));
  if (value->is_boolean()) return error(Code::invalid_argument, "field \"{}\" must be an integer, got boolean", key);
  return value_as<int64_t>(*value, key);
}
Result<double> JsonConfigSource::number(std::string_view key) const {
  const double out = TRY(value_as<double>(*TRY(require(key)), key));
  if (!std::isfinite(out))
    return error(Code::invalid_argument, "field \"{}\" is Infinity, with which nothing can be computed", key);
  return out;
}
Result<bool> JsonConfigSource::boolean(std::string_view key) const {
  return value_as<bool>(*TRY(require(key)), key);
}
Result<std::string> JsonConfigSource::string(std::string_view key) const {
  return value_as<std::string>(*TRY(require(key)), key);
}

template <class T>
Result<std::vector<T>> JsonConfigSource::list(std::string_view key) const {
  const Json* value = TRY(require(key));
  std::vector<T> out;
  if (!value->is_array()) {
    out.push_back(TRY(value_as<T>(*value, key)));
    return out;
  }
  if (value->size() > kMaxList)
    return error(Code::invalid_argument, "field \"{}\" lists more than {} values", key, kMaxList);
  for (const Json& item : *value) out.push_back(TRY(value_as<T>(item, key)));
  return out;
}

Result<std::vector<int64_t>> JsonConfigSource::integers(std::string_view key) const {
  return list<int64_t>(key);
}
Result<std::vector<double>> JsonConfigSource::numbers(std::string_view key) const {
  return list<double>(key);
}
Result<std::vector<std::string>> JsonConfigSource::strings(std::string_view key) const {
  return list<std::string>(key);
}

size_t JsonConfigSource::list_size(std::string_view key) const {
  const Json* value = find(key);
  return value && value->is_array() ? value->size() : 0;
}

size_t JsonConfigSource::object_size(std::string_view key) const {
  const Json* value = find(key);
  return value && value->is_object() ? value->size() : 0;
}

Result<std::vector<float>> JsonConfigSource::tensor_values(std::string_view name) const {
  return error(Code::not_found, "config.json holds no tensor \"{}\"", name);
}

Json& JsonConfigSink::at(std::string_view key) {
  Json* at = &object_;
  for (size_t dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.')) {
    at = &(*at)[std::string(key.substr(0, dot))];
    key.remove_prefix(dot + 1);
  }
  return (*at)[std::string(key)];
}

void JsonConfigSink::put(std::string_view key, ConfigValue value) {
  std::visit([&](const auto& v) { at(key) = v; }, value);
}
void JsonConfigSink::put_null(std::string_view key) {
  at(key) = nullptr;
}

void JsonConfigSink::remove(std::string_view key) {
  Json* at = &object_;
  for (size_t dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.')) {
    auto it = at->find(key.substr(0, dot));
    if (it == at->end() || !it->is_object()) return;
    at = &*it;
    key.remove_prefix(dot + 1);
  }
  at->erase(std::string(key));
}

}  // namespace hearth
