// The keys of config.json that a family has, as data: what the transformers library takes where a file lacks one, and
// what this family can do with other values. A family declares a table of them:
//
//   constexpr HfKey kKeys[] = {{"rms_norm_eps", 1e-5}, {"sliding_window", 128, HfRule::or_null}, ...};
//
// and reads through HfSource, to which an absent key has its default. Keys that no table names do not exist, as the
// library ignores them. tests/golden/config_defaults_test.cpp compares the tables with the library.
#pragma once

#include <span>
#include <variant>

#include "runtime/architectures/config_source.h"

namespace hearth {

enum class HfRule : uint8_t {
  any,      // null is refused where there is a default
  or_null,  // null is a value too: there is none
  only,     // anything but the default is refused: the family cannot honour it
};

// The library's None: an absent key has no value.
struct HfNone {};

struct HfKey {
  // "rope_parameters.factor": holds where the whole object is absent.
  std::string_view name;
  std::variant<HfNone, bool, int, double, std::string_view> otherwise;
  HfRule rule = HfRule::any;
};
inline constexpr HfNone kNone;

// Keys that every family has beside its own; a family's own entry of the same name comes first.
std::span<const HfKey> common_hf_keys();

class HfSource final : public ConfigSource {
 public:
  // Both must outlive this.
  HfSource(const ConfigSource& file, std::span<const HfKey> keys) : file_(file), keys_(keys) {}

  // Every key of the tables: its type, null, and values that the family cannot honour.
  Result<void> check() const;

  bool has(std::string_view key) const override;
  bool is_null(std::string_view key) const override { return file_.is_null(key); }
  bool is_fixed(std::string_view key) const override;
  Result<int64_t> integer(std::string_view key) const override;
  Result<double> number(std::string_view key) const override;
  Result<bool> boolean(std::string_view key) const override;
  Result<std::string> string(std::string_view key) const override;
  Result<std::vector<int64_t>> integers(std::string_view key) const override { return file_.integers(key); }
  Result<std::vector<double>> numbers(std::string_view key) const override { return file_.numbers(key); }
  Result<std::vector<std::string>> strings(std::string_view key) const override { return file_.strings(key); }
  size_t list_size(std::string_view key) const override { return file_.list_size(key); }
  size_t object_size(std::string_view key) const override { return file_.object_size(key); }
  std::optional<std::vector<int64_t>> tensor_shape(std::string_view name) const override {
    return file_.tensor_shape(name);
  }
  Result<std::vector<float>> tensor_values(std::string_view name) const override { return file_.tensor_values(name); }

 private:
  const HfKey* find(std::string_view key) const;
  const HfKey* absent_with_default(std::string_view key) const;
  bool is_known(std::string_view key) const;
  Result<void> check(const HfKey& key) const;

  const ConfigSource& file_;
  std::span<const HfKey> keys_;
};

}  // namespace hearth
