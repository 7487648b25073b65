// Recipes: what is accepted, what is refused and how it is said.
#include "trainer/recipe.h"

#include <gtest/gtest.h>

#include "base/files.h"

namespace hearth::train::recipe_test {
namespace {

constexpr const char* kSmall = R"(
[model]
init = "hearth-mini"
[data]
path = "q.jsonl"
)";

std::string error_of(std::string_view toml, const std::vector<std::string>& overrides = {}) {
  auto recipe = parse_recipe(toml, overrides, "r.toml");
  return recipe ? "" : recipe.error().to_string();
}
bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(Recipe, DefaultsFillWhatIsAbsent) {
  const Recipe r = *parse_recipe(kSmall, {}, "r.toml");
  EXPECT_EQ(r.model.init, "hearth-mini");
  EXPECT_EQ(r.data.max_seq_len, 512);
  EXPECT_TRUE(r.data.pack);
  EXPECT_FALSE(r.schedule.warmup_steps.has_value());
}

TEST(Recipe, OverridesWinAndMayBePlainStrings) {
  const Recipe r = *parse_recipe(
      kSmall, {"optimizer.learning_rate=3e-4", "model.init=other model", "method.targets=[\"wq\", \"wv\"]", "seed=7"},
      "r.toml");
  EXPECT_DOUBLE_EQ(r.optimizer.learning_rate, 3e-4);
  EXPECT_EQ(r.model.init, "other model");
  EXPECT_EQ(r.method.targets, (std::vector<std::string>{"wq", "wv"}));
  EXPECT_EQ(r.seed, 7);
}

TEST(Recipe, UnknownKeyNamesItAndTheNearest) {
  const std::string message = error_of(kSmall, {"optimizer.lerning_rate=1"});
  EXPECT_TRUE(contains(message, "\"optimizer.lerning_rate\"")) << message;
  EXPECT_TRUE(contains(message, "did you mean \"optimizer.learning_rate\"")) << message;
  EXPECT_TRUE(contains(error_of(kSmall, {"data.learning_rate=1"}), "optimizer.learning_rate"));
  EXPECT_TRUE(contains(error_of("n_thread = 2\n" + std::string(kSmall)), "n_threads"));
}

TEST(Recipe, WhatIsFarFromEveryKeyGetsNoGuess) {
  const std::string message = error_of(kSmall, {"optimizer.colour=1"});
  EXPECT_FALSE(contains(message, "did you mean")) << message;
  EXPECT_TRUE(contains(message, "optimizer.learning_rate")) << message;  // what may stand there
  EXPECT_TRUE(contains(error_of(kSmall, {"kitchen.sink=1"}), "sections are model, data, method"))
      << error_of(kSmall, {"kitchen.sink=1"});
}

// The handbook's complete example is one: it parses, and every key in it exists.
TEST(Recipe, TheHandbooksExampleIsAccepted) {
  const std::string page =
      *read_file(std::filesystem::path(HEARTH_SOURCE_DIR) / "docs/handbook/fine_tuning.md", 1 << 20);
  const std::string opening = "```toml\n";
  const size_t from = page.find(opening);
  ASSERT_NE(from, std::string::npos);
  const size_t to = page.find("```", from + opening.size());
  auto recipe = parse_recipe(page.substr(from + opening.size(), to - from - opening.size()), {}, "fine_tuning.md");
  ASSERT_TRUE(recipe) << recipe.error().to_string();
  EXPECT_EQ(recipe->method.type, "lora");
  EXPECT_EQ(recipe->output.folder, "questions-run");
}

TEST(Recipe, SyntaxErrorNamesTheLine) {
  EXPECT_TRUE(contains(error_of("[model]\ninit = \n"), "r.toml:2"));
}

TEST(Recipe, LimitsAndTypesAreChecked) {
  EXPECT_TRUE(contains(error_of(kSmall, {"batch.rows=0"}), "batch.rows must be between"));
  EXPECT_TRUE(contains(error_of(kSmall, {"batch.rows=\"four\""}), "batch.rows must be an integer"));
  EXPECT_TRUE(contains(error_of(kSmall, {"optimizer.learning_rate=nan"}), "optimizer.learning_rate"));
  EXPECT_TRUE(contains(error_of(kSmall, {"method.type=qlora"}), "full, lora"));
  EXPECT_TRUE(
      contains(error_of(kSmall, {"batch.rows=4096", "data.max_seq_len=4096"}), "batch.rows * data.max_seq_len"));
  EXPECT_TRUE(contains(error_of(kSmall, {"nonsense"}), "key=value"));
}

TEST(Recipe, ModelMustBeNamedOnce) {
  EXPECT_TRUE(contains(error_of(kSmall, {"model.from_scratch=x"}), "exactly one"));
  EXPECT_TRUE(contains(error_of("[data]\npath = \"x\"\n[model]\n"), "exactly one"));
  EXPECT_TRUE(contains(error_of("[data]\npath = \"x\"\n"), "model is missing"));
}

TEST(Recipe, WrittenRecipeReadsBackTheSame) {
  Recipe r = *parse_recipe(
      kSmall, {"schedule.warmup_steps=5", "data.path=\"a \\\"quoted\\\" name\"", "method.targets=[\"wq\"]"}, "r.toml");
  const Recipe again = *parse_recipe(recipe_to_toml(r), {}, "again.toml");
  EXPECT_EQ(to_json_value(again), to_json_value(r));
}

TEST(Recipe, PathsAreRelativeToTheRecipe) {
  const TempFolder folder = *TempFolder::create("recipe");
  ASSERT_TRUE(write_file(folder.path() / "r.toml", kSmall));
  const Recipe r = *load_recipe(folder.path() / "r.toml", {});
  EXPECT_EQ(r.data.path, (folder.path() / "q.jsonl").string());
  EXPECT_EQ(r.model.init, "hearth-mini");  // a store name: nothing of that name beside the recipe
  EXPECT_EQ(r.output.folder, (folder.path() / "r-run").string());
}

TEST(Recipe, SetKeyFromJson) {
  Recipe r = *parse_recipe(kSmall, {}, "r.toml");
  ASSERT_TRUE(set_recipe_key(r, "schedule.n_epochs", 2));
  EXPECT_DOUBLE_EQ(r.schedule.n_epochs, 2);
  EXPECT_FALSE(set_recipe_key(r, "schedule.epochs", 2));
  EXPECT_FALSE(set_recipe_key(r, "schedule.n_epochs", "two"));
  EXPECT_DOUBLE_EQ(r.schedule.n_epochs, 2);  // unchanged by failures
}

}  // namespace
}  // namespace hearth::train::recipe_test
