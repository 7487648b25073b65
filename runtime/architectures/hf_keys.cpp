// HfSource: a file's keys, and a family's defaults where they are absent.
#include "runtime/architectures/hf_keys.h"

#include <fmt/format.h>

#include <algorithm>

namespace hearth {
namespace {

std::string_view block_of(std::string_view key) {
  return key.substr(0, key.find('.'));
}
bool is_in_block(std::string_view key) {
  return key.find('.') != std::string_view::npos;
}

std::string text_of(const HfKey& key) {
  struct Visitor {
    std::string operator()(HfNone) const { return "no value"; }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(int value) const { return std::to_string(value); }
    std::string operator()(double value) const { return fmt::format("{}", value); }
    std::string operator()(std::string_view value) const { return fmt::format("\"{}\"", value); }
  };
  return std::visit(Visitor{}, key.otherwise);
}

bool is_none(const HfKey& key) {
  return std::holds_alternative<HfNone>(key.otherwise);
}

// The value of a key that is there has its default's type and, with a default to compare, whether it is that value.
Result<bool> is_default(const ConfigSource& file, const HfKey& key) {
  if (const bool* flag = std::get_if<bool>(&key.otherwise)) return TRY(file.boolean(key.name)) == *flag;
  if (const int* n = std::get_if<int>(&key.otherwise)) return TRY(file.integer(key.name)) == *n;
  if (const double* x = std::get_if<double>(&key.otherwise)) return TRY(file.number(key.name)) == *x;
  if (const auto* s = std::get_if<std::string_view>(&key.otherwise)) return TRY(file.string(key.name)) == *s;
  return false;
}

}  // namespace

std::span<const HfKey> common_hf_keys() {
  static constexpr HfKey kKeys[] = {
      {"head_dim", kNone},
      {"initializer_range", 0.02},
      {"is_causal", true, HfRule::only},
      {"original_max_position_embeddings", kNone},
      {"partial_rotary_factor", 1.0, HfRule::only},
      {"per_layer_config", kNone, HfRule::only},
      {"rope_parameters", kNone},
      {"rope_scaling", kNone},
      {"rope_theta", 10'000.0},
  };
  return kKeys;
}

const HfKey* HfSource::find(std::string_view key) const {
  for (const auto& keys : {keys_, common_hf_keys()})
    if (const auto at = std::find_if(keys.begin(), keys.end(), [&](const HfKey& k) { return k.name == key; });
        at != keys.end())
      return &*at;
  return nullptr;
}

// Members of a declared object need not be declared themselves.
bool HfSource::is_known(std::string_view key) const {
  return find(key) != nullptr || (is_in_block(key) && find(block_of(key)) != nullptr);
}

const HfKey* HfSource::absent_with_default(std::string_view key) const {
  if (file_.has(key)) return nullptr;
  const bool is_there = is_in_block(key) ? file_.has(block_of(key)) : file_.is_null(key);
  const HfKey* found = is_there ? nullptr : find(key);
  return found && !is_none(*found) ? found : nullptr;
}

bool HfSource::has(std::string_view key) const {
  return (is_known(key) && file_.has(key)) || absent_with_default(key) != nullptr;
}

bool HfSource::is_fixed(std::string_view key) const {
  const HfKey* found = find(key);
  return found && found->rule == HfRule::only;
}

Result<int64_t> HfSource::integer(std::string_view key) const {
  const HfKey* absent = absent_with_default(key);
  const int* value = absent ? std::get_if<int>(&absent->otherwise) : nullptr;
  return value ? Result<int64_t>(*value) : file_.integer(key);
}

Result<double> HfSource::number(std::string_view key) const {
  const HfKey* absent = absent_with_default(key);
  if (!absent) return file_.number(key);
  if (const double* value = std::get_if<double>(&absent->otherwise)) return *value;
  return static_cast<double>(TRY(integer(key)));
}

Result<bool> HfSource::boolean(std::string_view key) const {
  const HfKey* absent = absent_with_default(key);
  const bool* value = absent ? std::get_if<bool>(&absent->otherwise) : nullptr;
  return value ? Result<bool>(*value) : file_.boolean(key);
}

Result<std::string> HfSource::string(std::string_view key) const {
  const HfKey* absent = absent_with_default(key);
  const auto* value = absent ? std::get_if<std::string_view>(&absent->otherwise) : nullptr;
  return value ? Result<std::string>(std::string(*value)) : file_.string(key);
}

Result<void> HfSource::check() const {
  for (const HfKey& key : keys_) TRY(check(key));
  for (const HfKey& key : common_hf_keys())
    if (find(key.name) == &key) TRY(check(key));
  return {};
}

Result<void> HfSource::check(const HfKey& key) const {
  if (is_in_block(key.name)) return {};
  if (file_.is_null(key.name)) {
    if (is_none(key) || key.rule == HfRule::or_null) return {};
    return error(Code::invalid_argument,
                 "configuration key \"{}\" is null, and this family needs a value there (without the key, it is {})",
                 key.name, text_of(key));
  }
  if (!file_.has(key.name)) return {};
  const bool is_it = TRY(is_default(file_, key));
  if (key.rule != HfRule::only || is_it) return {};
  return error(Code::unimplemented, "configuration key \"{}\" has another value than {}, which this family needs",
               key.name, text_of(key));
}

}  // namespace hearth
