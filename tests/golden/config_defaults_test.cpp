// Every family's table of config.json keys against the configuration classes of the transformers library
// (config_defaults.json, by dump_config_defaults.py): the same keys, the same defaults, and null where it may stand.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "base/files.h"
#include "base/json.h"
#include "runtime/architectures/architecture.h"

namespace hearth::config_defaults_test {
namespace {

Json library() {
  return *parse_json(*read_file(std::filesystem::path(HEARTH_SOURCE_DIR) / "tests/golden/config_defaults.json"));
}

const HfKey* find(std::span<const HfKey> keys, const std::string& name) {
  for (const auto& table : {keys, common_hf_keys()})
    for (const HfKey& key : table)
      if (key.name == name) return &key;
  return nullptr;
}

Json as_json(const HfKey& key) {
  struct Visitor {
    Json operator()(HfNone) const { return nullptr; }
    Json operator()(bool value) const { return value; }
    Json operator()(int value) const { return value; }
    Json operator()(double value) const { return value; }
    Json operator()(std::string_view value) const { return std::string(value); }
  };
  return std::visit(Visitor{}, key.otherwise);
}

// Defaults that a table cannot say: the family's reader knows them, and config_mutations_test deletes the keys.
const std::map<std::string, Json> kReadByHand = {
    {"mamba_d_head", "auto"}, {"time_step_limit", {0.0, "inf"}}, {"partial_rotary_factor", 1.0}};
// Keys that are no fields of the library's classes, which take them all the same.
const std::map<std::string, Json> kBeyondFields = {
    {"sliding_window_pattern", 6}, {"full_attention_interval", 4}, {"global_head_dim", 512}};

TEST(ConfigDefaults, EveryKeyOfTheLibraryIsInTheTable) {
  const Json all = library();
  for (const auto& [family, keys] : all.items()) {
    auto architecture = find_architecture(family);
    ASSERT_TRUE(architecture) << family;
    for (const auto& [name, want] : keys.items()) {
      const HfKey* key = find((*architecture)->hf_keys(), name);
      ASSERT_TRUE(key) << family << " lacks " << name;
      const Json got = as_json(*key);
      const auto by_hand = kReadByHand.find(name);
      const bool is_by_hand = by_hand != kReadByHand.end() && got.is_null() && want[0] == by_hand->second;
      EXPECT_TRUE(is_by_hand || got == want[0]) << family << " " << name << ": " << got << ", not " << want[0];
      EXPECT_TRUE(got.is_null() || got.is_number_float() == want[0].is_number_float()) << family << " " << name;
      EXPECT_TRUE(key->rule != HfRule::or_null || want[1]) << family << " " << name << " must not be null";
    }
  }
}

// What the table has beyond the library's fields changes nothing where it is absent.
TEST(ConfigDefaults, OtherKeysHaveNoDefaultOfTheirOwn) {
  const Json all = library();
  for (const Architecture* architecture : all_architectures()) {
    const std::string family(architecture->model_type());
    ASSERT_TRUE(all.contains(family)) << family;
    std::set<std::string> seen;
    for (const HfKey& key : architecture->hf_keys()) {
      const std::string name(key.name);
      EXPECT_TRUE(seen.insert(name).second) << family << " has " << name << " twice";
      if (all[family].contains(name) || key.rule == HfRule::only) continue;
      const auto known = kBeyondFields.find(name);
      const Json got = as_json(key);
      EXPECT_TRUE(got.is_null() || (known != kBeyondFields.end() && known->second == got)) << family << " " << name;
    }
  }
}

}  // namespace
}  // namespace hearth::config_defaults_test
