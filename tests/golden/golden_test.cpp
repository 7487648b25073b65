// Every golden checkpoint: our logits against those of the transformers library, whole, through the cache and in
// batches; tokenizer and chat template where the case has one; GGUF files of every kind.
#include <gtest/gtest.h>

#include "runtime/architectures/model_graphs.h"
#include "runtime/graph/rewrites.h"
#include "tests/golden/golden_engine.h"

namespace hearth::golden::golden_test {
namespace {

class Golden : public testing::TestWithParam<fs::path> {};

TEST_P(Golden, LogitsEqualTransformers) {
  expect_logits_of_case(GetParam(), "cpu");
}

TEST_P(Golden, GgufFilesEqualTheirDequantisedWeights) {
  const Json description = read_json(GetParam() / "case.json");
  if (!description.contains("gguf") || description["gguf"].empty()) GTEST_SKIP() << "this case has no GGUF files";
  for (const Json& kind : description["gguf"]) {
    const std::string name = kind.get<std::string>();
    SCOPED_TRACE(name);
    auto file = open_safetensors(GetParam() / ("expected_logits-" + name + ".safetensors"));
    ASSERT_TRUE(file) << file.error().to_string();
    const auto model = load(GetParam() / ("model-" + name + ".gguf"));
    ASSERT_TRUE(model);
    expect_logits(model, prompts_of(*file, "logits", 2),
                  {.device = "cpu", .by_length = description.value("by_length", false)}, 1e-4, name);
  }
}

// Every family can be fine-tuned: a gradient reaches each of its parameters.
TEST_P(Golden, GradientsReachEveryParameter) {
  const auto model = load(GetParam());
  ASSERT_TRUE(model);
  auto training = build_training_graph(model->config, [](const ParameterSpec&) { return Dtype::f32; }, 16, {});
  ASSERT_TRUE(training) << training.error().to_string();
  std::vector<Value> parameters;
  for (const ParameterSpec& spec : model->parameters) parameters.push_back(training->graph.find(spec.role));
  auto gradients = differentiate(training->graph, training->loss, parameters);
  ASSERT_TRUE(gradients) << gradients.error().to_string();
  for (size_t i = 0; i < parameters.size(); ++i) {
    EXPECT_TRUE(parameters[i]) << model->parameters[i].role << " is declared but not used";
    if (model->parameters[i].kind != ParameterKind::constant)  // which nothing trains
      EXPECT_TRUE(gradients->grads[i]) << model->parameters[i].role;
  }
}

TEST_P(Golden, TokenizerAndTemplate) {
  if (!fs::exists(GetParam() / "expected_tokens.json")) GTEST_SKIP() << "this case has no tokenizer";
  const Json expected = read_json(GetParam() / "expected_tokens.json");
  const auto model = load(GetParam());
  ASSERT_TRUE(model && model->tokenizer);
  for (const Json& item : expected["encode"]) {
    const std::string text = item["text"];
    EXPECT_EQ(*model->tokenizer->encode(text), item["ids"].get<std::vector<int32_t>>()) << text;
    EXPECT_EQ(*model->tokenizer->encode(text, {.add_special = false}),
              item["ids_no_special"].get<std::vector<int32_t>>())
        << text;
  }
  for (const Json& item : expected["chat"]) {
    auto rendered = render_chat(*model, {.messages_json = item["messages"].dump()});
    ASSERT_TRUE(rendered) << rendered.error().to_string();
    EXPECT_EQ(rendered->text, item["text"].get<std::string>());
    EXPECT_EQ(*model->tokenizer->encode(rendered->text, {.add_special = false}),
              item["ids"].get<std::vector<int32_t>>());
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden, testing::ValuesIn(cases()),
                         [](const testing::TestParamInfo<fs::path>& info) { return case_name(info.param); });

}  // namespace
}  // namespace hearth::golden::golden_test
