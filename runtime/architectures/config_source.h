// How a family reads and writes its configuration, whatever the file: config.json and the metadata of a GGUF file are
// both a list of keys with typed values. model_store/formats implements the two interfaces for both.
//
//   config.n_layers = TRY(source.count("num_hidden_layers"));
//   config.rope.theta = TRY(source.number_or("rope_parameters.rope_theta", 10000));   // a dot steps into an object
//
// In a GGUF file, keys are relative to the architecture: "block_count" is "llama.block_count".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/result.h"

namespace hearth {

class ConfigSource {
 public:
  virtual ~ConfigSource() = default;

  // Keys that are absent, or null, do not exist.
  virtual bool has(std::string_view key) const = 0;
  virtual bool is_null(std::string_view) const { return false; }  // it stands there, without a value
  // The family takes one value of this key only, in whatever place it may stand.
  virtual bool is_fixed(std::string_view) const { return false; }
  // The value of a key. Absent, of another type or out of range: an error that names the key.
  virtual Result<int64_t> integer(std::string_view key) const = 0;
  virtual Result<double> number(std::string_view key) const = 0;
  virtual Result<bool> boolean(std::string_view key) const = 0;
  virtual Result<std::string> string(std::string_view key) const = 0;
  // Lists. A list may also stand where one value is given for all: then it has one element. At most kMaxList elements.
  virtual Result<std::vector<int64_t>> integers(std::string_view key) const = 0;  // booleans count as 0 and 1
  virtual Result<std::vector<double>> numbers(std::string_view key) const = 0;
  virtual Result<std::vector<std::string>> strings(std::string_view key) const = 0;
  virtual size_t list_size(std::string_view key) const = 0;    // 0: no such list
  virtual size_t object_size(std::string_view key) const = 0;  // members of an object; 0: no such object
  // Facts that stand in the weights and not among the keys: the shape of a tensor (nothing: it is absent), and the
  // values of a small f32 tensor. config.json knows no tensors.
  virtual std::optional<std::vector<int64_t>> tensor_shape(std::string_view name) const = 0;
  virtual Result<std::vector<float>> tensor_values(std::string_view name) const = 0;

  static constexpr size_t kMaxList = 1 << 16;

  // Sizes and counts: 0 to 2^31 - 1.
  Result<int> count(std::string_view key) const;
  Result<int> count_or(std::string_view key, int otherwise) const;
  // One value for all layers, or a list with one for each: the list.
  Result<std::vector<int>> counts(std::string_view key) const;
  // The same, where layers that differ are not supported.
  Result<int> uniform_count_or(std::string_view key, int otherwise) const;
  Result<double> number_or(std::string_view key, double otherwise) const;
  Result<bool> boolean_or(std::string_view key, bool otherwise) const;
  Result<std::string> string_or(std::string_view key, std::string_view otherwise) const;
  bool has_tensor(std::string_view name) const { return tensor_shape(name).has_value(); }

  // The family computes only one value of this key: another one is refused, not ignored.
  Result<void> expect(std::string_view key, bool value) const;
  Result<void> expect(std::string_view key, double value) const;
};

using ConfigValue = std::variant<bool, int64_t, double, std::string, std::vector<bool>, std::vector<int64_t>,
                                 std::vector<double>, std::vector<std::string>>;

class ConfigSink {
 public:
  virtual ~ConfigSink() = default;
  virtual void put(std::string_view key, ConfigValue value) = 0;
  virtual void put_null(std::string_view key) = 0;  // where a missing key would mean a default
  virtual void remove(std::string_view key) = 0;    // for a family that lacks one of the common keys
  virtual void set_tensor(std::string name, std::vector<float> values) = 0;  // GGUF only

  // A count of which 0 means: there is none.
  void set_or_null(std::string_view key, double value) { value > 0 ? set(key, value) : put_null(key); }
  void set_or_null(std::string_view key, int value) { value > 0 ? set(key, value) : put_null(key); }

  template <class T>
  void set(std::string_view key, T value) {
    if constexpr (std::is_same_v<T, bool> || std::is_class_v<T>)
      put(key, std::move(value));
    else if constexpr (std::is_integral_v<T>)
      put(key, static_cast<int64_t>(value));
    else if constexpr (std::is_floating_point_v<T>)
      put(key, static_cast<double>(value));
    else
      put(key, std::string(value));
  }
};

}  // namespace hearth
