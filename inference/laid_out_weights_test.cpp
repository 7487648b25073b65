// Weights in the order that kernels read: what is copied, what is given back, and that answers are those of the rows.
#include "inference/laid_out_weights.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>

#include "base/files.h"
#include "hwdetect/cpu_features.h"
#include "inference/step_runner.h"
#include "model_store/formats/save.h"
#include "runtime/kernels/isa.h"
#include "runtime/ops/rules.h"

namespace hearth::laid_out_weights_test {
namespace {

namespace fs = std::filesystem;

bool has_panels_here() {
  return best_isa(cpu_features()) != Isa::portable;
}

// Matrices of 4 bits, of many pages each; 60 rows of logits are no whole panels.
ModelConfig config() {
  ModelConfig c;
  c.n_layers = 2, c.d_model = 512, c.n_heads = 8, c.n_kv_heads = 4, c.head_dim = 64, c.d_ff = 1024, c.vocab_size = 60;
  c.max_seq_len = 64;
  return c;
}

class LaidOutWeights : public testing::Test {
 protected:
  LaidOutWeights() {
    ModelToSave made;
    made.config = config();
    uint32_t seed = 1;
    for (const ParameterSpec& spec : (*find_architecture("llama"))->parameters(made.config)) {
      const bool is_norm = spec.kind == ParameterKind::norm;
      weights_.push_back(is_norm ? random_tensor(spec.shape, seed, 0.5f)
                                 : random_weights(Dtype::q4_0, spec.shape, seed, 0.1f));
      made.weights.emplace(spec.role, weights_.back().view());
      ++seed;
    }
    const auto saved = save_gguf(file(), made, std::nullopt);
    EXPECT_TRUE(saved) << saved.error().to_string();
  }

  fs::path file() const { return folder_.path() / "m.gguf"; }
  std::shared_ptr<LoadedModel> load() const {
    auto model = load_model(file());
    if (!model) ADD_FAILURE() << model.error().to_string();
    return std::make_shared<LoadedModel>(std::move(*model));
  }

  // Of a prompt's last token, and of one more.
  static std::vector<float> logits(StepRunner& runner) {
    std::vector<StepToken> prompt;
    for (int p = 0; p < 40; ++p) prompt.push_back({p * 7 % 60, p, 0, p == 39});
    std::vector<float> out;
    const StepToken next{5, 40, 0, true};
    for (const std::span<const StepToken> step : {std::span<const StepToken>(prompt), std::span(&next, 1)}) {
      const auto got = runner.run(step);
      EXPECT_TRUE(got) << got.error().to_string();
      out.insert(out.end(), got->f32(), got->f32() + 60);
    }
    return out;
  }
  static std::unique_ptr<StepRunner> open(const std::shared_ptr<const LoadedModel>& model, StepOptions options = {}) {
    options.n_threads = 2, options.n_slots = 1;
    auto runner = StepRunner::create(model, options);
    if (!runner) ADD_FAILURE() << runner.error().to_string();
    return std::move(*runner);
  }

  TempFolder folder_ = *TempFolder::create("laid_out_weights_test");
  std::vector<Tensor> weights_;
};

// Bytes of the file's mapping that this process has in memory.
uint64_t resident_bytes(const fs::path& file) {
  std::ifstream smaps("/proc/self/smaps");
  bool is_here = false;
  uint64_t kib = 0;
  for (std::string line; std::getline(smaps, line);) {
    if (line.find(" r") != std::string::npos && line.find('-') < line.find(' '))
      is_here = line.ends_with(file.string());
    else if (is_here && line.starts_with("Rss:"))
      kib += std::stoull(line.substr(4));
  }
  return kib * 1024;
}

TEST_F(LaidOutWeights, AnswersAreThoseOfTheRows) {
  const auto model = load();
  const std::vector<float> got = logits(*open(model)), exact = logits(*open(model, {.exact = true}));
  float largest = 0, difference = 0;
  for (size_t i = 0; i < exact.size(); ++i)
    largest = std::max(largest, std::fabs(exact[i])), difference = std::max(difference, std::fabs(got[i] - exact[i]));
  EXPECT_LT(difference, 0.03f * largest);
  EXPECT_GT(difference, 0.0f) << "activations are rounded beside 4 bits";
}

TEST_F(LaidOutWeights, PagesOfTheFileAreGivenBack) {
  if (!has_panels_here()) GTEST_SKIP() << "no panels on this machine";
  const auto model = load();
  for (const auto& [role, view] : model->weights) to_f32(view);
  const uint64_t before = resident_bytes(file()), all = weight_bytes(*model);
  EXPECT_GT(before, all / 2);
  const auto runner = open(model);
  EXPECT_LT(resident_bytes(file()), all / 4);
  const std::vector<float> first = logits(*runner);
  EXPECT_EQ(logits(*open(model)), first) << "the file is still there for another";
}

TEST_F(LaidOutWeights, CopiesCanBeLetGo) {
  if (!has_panels_here()) GTEST_SKIP() << "no panels on this machine";
  const auto kept = load(), let_go = load();
  ASSERT_FALSE(let_go->mapped.contains("layers.0.wq")) << "its rows lie in another order in the file";
  std::vector<std::string> roles;
  const auto runner = open(let_go, {.on_laid_out = [&](const std::string& role) {
                             roles.push_back(role);
                             let_go->let_go(role);
                           }});
  EXPECT_EQ(roles.size(), 2 * 7u + 1) << "seven matrices a layer, and the output's";
  EXPECT_EQ(let_go->weights.at("layers.0.wq").data, nullptr);
  EXPECT_NE(let_go->weights.at("layers.0.wv").data, nullptr) << "it is the file's";
  EXPECT_EQ(logits(*runner), logits(*open(kept)));
}

TEST(RoomToLayOut, IsNotMoreThanTheMemoryThatIsAvailable) {
  EXPECT_TRUE(has_room_to_lay_out(1));
  EXPECT_FALSE(has_room_to_lay_out(uint64_t{1} << 60));
}

}  // namespace
}  // namespace hearth::laid_out_weights_test
