// Configuration keys in a JSON object (config.json), as families read and write them. A dot in a key steps into an
// object: "rope_parameters.rope_theta".
#pragma once

#include <cstdint>

#include "base/json.h"
#include "runtime/architectures/config_source.h"

namespace hearth {

inline constexpr uint64_t kMaxConfigBytes = uint64_t{4} << 20;  // config.json and the small files beside it

class JsonConfigSource final : public ConfigSource {
 public:
  explicit JsonConfigSource(const Json& object) : object_(object) {}  // must outlive this

  bool has(std::string_view key) const override;
  bool is_null(std::string_view key) const override;
  Result<int64_t> integer(std::string_view key) const override;
  Result<double> number(std::string_view key) const override;
  Result<bool> boolean(std::string_view key) const override;
  Result<std::string> string(std::string_view key) const override;
  Result<std::vector<int64_t>> integers(std::string_view key) const override;
  Result<std::vector<double>> numbers(std::string_view key) const override;
  Result<std::vector<std::string>> strings(std::string_view key) const override;
  size_t list_size(std::string_view key) const override;
  size_t object_size(std::string_view key) const override;
  std::optional<std::vector<int64_t>> tensor_shape(std::string_view) const override { return std::nullopt; }
  Result<std::vector<float>> tensor_values(std::string_view name) const override;

 private:
  const Json* find(std::string_view key) const;  // nothing: absent
  Result<const Json*> require(std::string_view key) const;
  template <class T>
  Result<std::vector<T>> list(std::string_view key) const;
  const Json& object_;
};

class JsonConfigSink final : public ConfigSink {
 public:
  explicit JsonConfigSink(Json& object) : object_(object) {}
  void put(std::string_view key, ConfigValue value) override;
  void put_null(std::string_view key) override;
  void remove(std::string_view key) override;
  void set_tensor(std::string, std::vector<float>) override {}  // config.json has none

 private:
  Json& at(std::string_view key);
  Json& object_;
};

}  // namespace hearth
