// The parity check: passes what is right at every dtype, and refuses what was changed behind its back.
#include "trainer/parity.h"

#include <gtest/gtest.h>

#include "model_store/formats/gguf.h"
#include "trainer/result.h"
#include "trainer/test_model.h"

namespace hearth::train::parity_test {
namespace {

namespace fs = std::filesystem;

class ParityTest : public ::testing::Test {
 protected:
  void SetUp() override {
    make_tiny_folder(temp_.path() / "tiny");
    recipe_.model.from_scratch = (temp_.path() / "tiny").string();
    auto base = load_base(recipe_, {});
    ASSERT_TRUE(base) << base.error().to_string();
    base_ = std::move(*base);
    model_ = std::make_unique<ModelInTraining>(*make_model(recipe_, base_));
    Example e;
    e.messages = {{"user", "What is one plus one? Tell me at length, please, with all that belongs to it."},
                  {"assistant", "It is two. More cannot be said of it, but it can be said slowly."}};
    questions_ = {question_of(e)};
    Corpus corpus = *encode_all(base_, std::span(&e, 1));
    data_ = std::make_unique<Loader>(std::make_shared<std::vector<Document>>(std::move(corpus.documents)),
                                     LoaderOptions{.max_seq_len = 128});
  }
  Result<PendingResult> write(const std::string& dtype) {
    recipe_.output.dtype = dtype;
    return write_result(temp_.path(), recipe_, base_, *model_);
  }
  Result<double> check(const PendingResult& pending) {
    return check_parity(*model_, base_, pending.model_path(), pending.tolerance(), *data_, questions_, 2, *device_);
  }
  TempFolder temp_ = *TempFolder::create("parity");
  Recipe recipe_;
  Beginning base_;
  std::unique_ptr<ModelInTraining> model_;
  std::vector<Question> questions_;
  std::unique_ptr<Loader> data_;
  std::unique_ptr<CpuBackend> device_ = open_cpu(2);
};

TEST_F(ParityTest, HoldsAtEveryDtype) {
  for (const char* dtype : {"f32", "bf16", "f16", "q8_0"}) {
    const auto pending = write(dtype);
    ASSERT_TRUE(pending) << pending.error().to_string();
    const auto difference = check(*pending);
    ASSERT_TRUE(difference) << dtype << ": " << difference.error().to_string();
    EXPECT_LT(*difference, pending->tolerance() / 2) << dtype;
  }
}

// Of a result that was rounded, rounding may be why: what to do is said.
TEST_F(ParityTest, OtherWeightsAreSeen) {
  for (const std::string dtype : {"f32", "bf16", "q8_0"}) {
    SCOPED_TRACE(dtype);
    const auto pending = write(dtype);
    ASSERT_TRUE(pending);
    for (Trainable& t : model_->trainables) {
      if (t.name != "layers.1.w_down" && t.name != "embed") continue;
      for (int64_t i = 0; i < t.weight.type().shape.n_elements(); ++i) t.weight.f32()[i] *= 1.5f;
    }
    const auto difference = check(*pending);
    ASSERT_FALSE(difference);
    EXPECT_EQ(difference.error().code, Code::internal);
    const std::string& said = difference.error().message;
    EXPECT_NE(said.find("not deployable"), std::string::npos);
    EXPECT_EQ(said.find("lower optimizer.learning_rate") != std::string::npos, dtype != "f32") << said;
  }
}

TEST_F(ParityTest, OtherStopTokensAndTemplatesAreSeen) {
  const auto pending = write("f32");
  ASSERT_TRUE(pending);
  const fs::path config = pending->model_path() / "tokenizer_config.json";
  std::string text = *read_file(config);
  const size_t at =
      text.find("'assistant\\n'") != std::string::npos ? text.find("assistant\\n") : text.find("<|im_start|>assistant");
  ASSERT_NE(at, std::string::npos);
  ASSERT_TRUE(write_file(config, text.replace(at + (text[at] == '<' ? 12 : 0), 9, "Assistant")));
  const auto prompt = check(*pending);
  ASSERT_FALSE(prompt);
  EXPECT_NE(prompt.error().message.find("prompt"), std::string::npos) << prompt.error().message;

  const auto again = write("f32");
  base_.generation.eos_ids.push_back(17);
  const auto stops = check(*again);
  ASSERT_FALSE(stops);
  EXPECT_NE(stops.error().message.find("stop tokens"), std::string::npos);
}

// A GGUF file's reader adds ends by their spelling: more than training used are fine there, fewer are not, and a folder
// has exactly its own.
TEST_F(ParityTest, OfAGgufMoreStopTokensAreFineAndFewerAreNot) {
  for (const char* dtype : {"q8_0", "f32"}) {
    SCOPED_TRACE(dtype);
    const auto pending = write(dtype);
    ASSERT_TRUE(pending) << pending.error().to_string();
    const std::vector<int32_t> served = load_model(pending->model_path())->generation.eos_ids;
    ASSERT_FALSE(served.empty());
    auto check_with = [&](std::vector<int32_t> trained) {
      base_.generation.eos_ids = std::move(trained);
      return check(*pending);
    };
    const bool is_gguf = pending->model_path().extension() == ".gguf";
    EXPECT_TRUE(check_with(served));
    EXPECT_EQ(check_with({}).has_value(), is_gguf);
    EXPECT_EQ(check_with({served.begin(), served.end() - 1}).has_value(), is_gguf);
    std::vector<int32_t> more = served, other = served;
    more.push_back(served.back() + 1);
    other.back() += 1;
    for (const auto& trained : {more, other}) {
      const auto refused = check_with(trained);
      ASSERT_FALSE(refused);
      EXPECT_NE(refused.error().message.find("stop tokens"), std::string::npos) << refused.error().message;
    }
  }
}

TEST_F(ParityTest, AGgufSaysWhatTheModelIsCalled) {
  auto name_in = [&](const std::string& asked) {
    recipe_.output.name = asked;
    const auto pending = write("q8_0");
    EXPECT_TRUE(pending) << pending.error().to_string();
    return std::string(*GgufFile::open(pending->model_path())->string("general.name"));
  };
  EXPECT_EQ(name_in("客服助手"), "客服助手");
  EXPECT_EQ(name_in(""), temp_.path().filename().string());
}

TEST_F(ParityTest, NothingIsPublishedUnderItsFinalNameBefore) {
  const auto pending = write("q8_0");
  ASSERT_TRUE(pending);
  EXPECT_FALSE(fs::exists(temp_.path() / "result"));
  auto published = *pending;
  ASSERT_TRUE(published.publish());
  EXPECT_TRUE(fs::exists(temp_.path() / "result/model-q8_0.gguf"));
}

}  // namespace
}  // namespace hearth::train::parity_test
