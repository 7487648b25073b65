// Presets give valid recipes for every size of model and data.
#include "trainer/presets.h"

#include <gtest/gtest.h>

namespace hearth::train::presets_test {
namespace {

TEST(Presets, ValidForEverySize) {
  for (const Preset& preset : all_presets())
    for (uint64_t n_params : {uint64_t{0}, uint64_t{5'000'000}, uint64_t{1'000'000'000}, uint64_t{70'000'000'000}})
      for (uint64_t bytes : {uint64_t{0}, uint64_t{200}, uint64_t{20'000}, uint64_t{500'000'000}}) {
        Recipe r = *preset_recipe(preset.id, {.n_params = n_params, .max_seq_len = 1024, .data_bytes = bytes});
        r.model.init = "m", r.data.path = "d";
        const auto ok = validate(r);
        EXPECT_TRUE(ok) << ok.error().to_string();
        EXPECT_LE(r.data.max_seq_len, 1024);
        EXPECT_GT(r.optimizer.learning_rate, 0);
      }
}

TEST(Presets, MoreThoroughMeansMoreSteps) {
  const PresetInput input{.n_params = 5'000'000, .max_seq_len = 1024, .data_bytes = 100'000};
  const auto work = [&](const char* id) {
    const Recipe r = *preset_recipe(id, input);
    return r.schedule.n_epochs;
  };
  EXPECT_LT(work("quick"), work("thorough"));
  EXPECT_EQ(preset_recipe("extreme", input).error().code, Code::not_found);
}

TEST(Presets, SmallModelsTakeLargerSteps) {
  EXPECT_GT(preset_recipe("balanced", {.n_params = 5'000'000})->optimizer.learning_rate,
            preset_recipe("balanced", {.n_params = 8'000'000'000})->optimizer.learning_rate);
}

}  // namespace
}  // namespace hearth::train::presets_test
