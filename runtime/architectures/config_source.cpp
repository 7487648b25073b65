// ConfigSource: what all files have in common, on top of the typed getters.
#include "runtime/architectures/config_source.h"

#include <algorithm>
#include <functional>

namespace hearth {
namespace {

Result<int> to_count(int64_t value, std::string_view key) {
  if (value >= 0 && value <= INT32_MAX) return static_cast<int>(value);
  return error(Code::invalid_argument, "configuration key \"{}\" is {}, must be 0 to 2^31 - 1", std::string(key), value);
}

}  // namespace

Result<int> ConfigSource::count(std::string_view key) const {
  return to_count(TRY(integer(key)), key);
}

Result<int> ConfigSource::count_or(std::string_view key, int otherwise) const {
  return has(key) ? count(key) : Result<int>(otherwise);
}

Result<std::vector<int>> ConfigSource::counts(std::string_view key) const {
  std::vector<int> out;
  for (const int64_t value : TRY(integers(key))) out.push_back(TRY(to_count(value, key)));
  return out;
}

Result<int> ConfigSource::uniform_count_or(std::string_view key, int otherwise) const {
  if (!has(key)) return otherwise;
  const std::vector<int> values = TRY(counts(key));
  if (values.empty() || std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) != values.end())
    return error(Code::unimplemented,
                 "configuration key \"{}\" differs from layer to layer, which this family does not support yet",
                 std::string(key));
  return values[0];
}

Result<double> ConfigSource::number_or(std::string_view key, double otherwise) const {
  return has(key) ? number(key) : Result<double>(otherwise);
}
Result<bool> ConfigSource::boolean_or(std::string_view key, bool otherwise) const {
  return has(key) ? boolean(key) : Result<bool>(otherwise);
}
Result<std::string> ConfigSource::string_or(std::string_view key, std::string_view otherwise) const {
  return has(key) ? string(key) : Result<std::string>(std::string(otherwise));
}

Result<void> ConfigSource::expect(std::string_view key, bool value) const {
  if (TRY(boolean_or(key, value)) == value) return {};
  return error(Code::unimplemented, "configuration key \"{}\" is {}, this family is supported with {} only",
               std::string(key), !value, value);
}
Result<void> ConfigSource::expect(std::string_view key, double value) const {
  const double given = TRY(number_or(key, value));
  if (given == value) return {};
  return error(Code::unimplemented, "configuration key \"{}\" is {}, this family is supported with {} only",
               std::string(key), given, value);
}

}  // namespace hearth
