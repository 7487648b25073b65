// Which tokens are learned: the answers with their stop tokens, and nothing else.
#include "trainer/data/encode.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/files.h"

namespace hearth::train {
namespace {

constexpr const char* kChatMl =
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

class EncodeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto loaded = load_text_side(HEARTH_SOURCE_DIR "/packaging/packs/hearth-mini");
    ASSERT_TRUE(loaded) << loaded.error().to_string();
    model_ = std::move(*loaded);
    use_template(kChatMl);
  }
  void use_template(std::string_view source) {
    auto parsed = ChatTemplate::parse(source);
    ASSERT_TRUE(parsed) << parsed.error().to_string();
    model_.chat_template = std::move(*parsed);
  }
  std::string learned_text(const Document& d) {
    std::vector<int32_t> ids;
    for (size_t i = 0; i < d.ids.size(); ++i)
      if (d.learned[i]) ids.push_back(d.ids[i]);
    return model_.tokenizer->decode(ids, false);
  }
  std::string text(const Document& d) { return model_.tokenizer->decode(d.ids, false); }
  static Example chat(std::vector<ChatTurn> turns) {
    Example e;
    e.messages = std::move(turns);
    return e;
  }
  LoadedModel model_;
};

TEST_F(EncodeTest, OnlyAnswersAndTheirStopTokensAreLearned) {
  const auto docs = encode_example(model_, chat({{"system", "Be brief."}, {"user", "Hi"}, {"assistant", "Hello."}, {"user", "Bye"}, {"assistant", "See you."}}));
  ASSERT_TRUE(docs) << docs.error().to_string();
  ASSERT_EQ(docs->size(), 1u);
  EXPECT_EQ(learned_text(docs->front()), "Hello.<|im_end|>See you.<|im_end|>");
  EXPECT_EQ(text(docs->front()),
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n"
            "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\nSee you.<|im_end|>\n");
}

TEST_F(EncodeTest, ThePromptHasTheTokensThatServingSees) {
  const Document d = encode_example(model_, chat({{"user", "Hi there"}, {"assistant", "\n two lines first"}}))->front();
  const auto prompt = *model_.tokenizer->encode("<|im_start|>user\nHi there<|im_end|>\n<|im_start|>assistant\n", {.add_special = false});
  ASSERT_LT(prompt.size(), d.ids.size());
  EXPECT_TRUE(std::equal(prompt.begin(), prompt.end(), d.ids.begin()));
  EXPECT_TRUE(std::none_of(d.learned.begin(), d.learned.begin() + static_cast<ptrdiff_t>(prompt.size()), [](uint8_t x) { return x; }));
}

TEST_F(EncodeTest, TemplatesThatDropEarlierReasoningGiveOneDocumentAnAnswer) {
  use_template(
      "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
      "{% if m['role'] == 'assistant' and not loop.last %}{{ m['content'].split('</think>')[-1] }}{% else %}{{ m['content'] }}{% endif %}"
      "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}");
  const auto docs = encode_example(model_, chat({{"user", "A"}, {"assistant", "<think>a</think>One"}, {"user", "B"}, {"assistant", "<think>b</think>Two"}}));
  ASSERT_TRUE(docs) << docs.error().to_string();
  ASSERT_EQ(docs->size(), 2u);
  EXPECT_EQ(learned_text((*docs)[0]), "<think>a</think>One<|im_end|>");
  EXPECT_EQ(learned_text((*docs)[1]), "<think>b</think>Two<|im_end|>");
  EXPECT_EQ(text((*docs)[1]).find("<think>a"), std::string::npos);
}

TEST_F(EncodeTest, MarkedAnswersAreUsedWhereThePromptIsNoPrefix) {
  use_template(
      "{% for m in messages %}{% if m['role'] == 'assistant' %}<|im_start|>{% generation %}{{ m['content'] }}<|im_end|>{% endgeneration %}"
      "{% else %}{{ m['content'] }}{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>think{% endif %}");
  const auto docs = encode_example(model_, chat({{"user", "A"}, {"assistant", "One"}}));
  ASSERT_TRUE(docs) << docs.error().to_string();
  EXPECT_EQ(learned_text(docs->front()), "One<|im_end|>");
}

TEST_F(EncodeTest, ATemplateWithoutStopTokenIsRefused) {
  use_template("{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}");
  const auto docs = encode_example(model_, chat({{"user", "A"}, {"assistant", "One"}}));
  ASSERT_FALSE(docs);
  EXPECT_NE(docs.error().message.find("stop token"), std::string::npos);
}

TEST_F(EncodeTest, TextIsLearnedWholeAndEnds) {
  Example e;
  e.text = "Once upon a time <|im_end|> in a text.";
  const Document d = encode_example(model_, e)->front();
  EXPECT_TRUE(d.may_split);
  EXPECT_TRUE(std::all_of(d.learned.begin(), d.learned.end(), [](uint8_t x) { return x == 1; }));
  const auto& stops = model_.generation.eos_ids;
  EXPECT_NE(std::find(stops.begin(), stops.end(), d.ids.back()), stops.end());
  const auto stop = *model_.tokenizer->token_id("<|im_end|>");
  EXPECT_LE(std::count(d.ids.begin(), d.ids.end() - 1, stop), 0);  // what the text spells is text
}

TEST_F(EncodeTest, ErrorsNameTheLine) {
  use_template("{{ raise_exception('no system messages') }}");
  Example e = chat({{"user", "A"}, {"assistant", "B"}});
  e.line = 17;
  const auto corpus = encode_all(model_, std::span(&e, 1));
  ASSERT_FALSE(corpus);
  EXPECT_NE(corpus.error().to_string().find("line 17"), std::string::npos) << corpus.error().to_string();
}

TEST(Split, HoldsOutByContentNotByPlace) {
  std::vector<Example> examples;
  for (int i = 0; i < 200; ++i) {
    Example e;
    e.text = "text " + std::to_string(i / 2);  // each twice
    examples.push_back(e);
  }
  const Split a = split_examples(examples, 0.1, 3);
  EXPECT_NEAR(static_cast<double>(a.held_out.size()), 40, 20);
  for (const Example& h : a.held_out)
    for (const Example& t : a.train) ASSERT_NE(h.text, t.text);
  std::reverse(examples.begin(), examples.end());
  Split b = split_examples(examples, 0.1, 3);
  std::reverse(b.held_out.begin(), b.held_out.end());
  EXPECT_EQ(a.held_out, b.held_out);
  EXPECT_NE(split_examples(examples, 0.1, 4).held_out, b.held_out);
  EXPECT_TRUE(split_examples(examples, 0, 3).held_out.empty());
  std::vector<Example> two(examples.begin(), examples.begin() + 3);
  const Split small = split_examples(two, 0.01, 3);
  EXPECT_FALSE(small.held_out.empty());
  EXPECT_FALSE(small.train.empty());
}

}  // namespace
}  // namespace hearth::train
