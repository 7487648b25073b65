// Which tokens are learned: the answers with their stop tokens, and nothing else.
#include "trainer/data/encode.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/files.h"
#include "trainer/data/overlong.h"
#include "trainer/data/split.h"
#include "trainer/data/training_data.h"

namespace hearth::train::encode_test {
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
  Result<std::vector<Document>> encode(const Example& e) { return Encoder(model_).encode(e); }
  // What all documents of an example have learn.
  std::string learned(const Example& e) {
    const auto docs = encode(e);
    if (!docs) return "error: " + docs.error().to_string();
    std::string out;
    for (const Document& d : *docs) out += learned_text(d);
    return out;
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
  const auto docs = encode(chat(
      {{"system", "Be brief."}, {"user", "Hi"}, {"assistant", "Hello."}, {"user", "Bye"}, {"assistant", "See you."}}));
  ASSERT_TRUE(docs) << docs.error().to_string();
  ASSERT_EQ(docs->size(), 1u);
  EXPECT_EQ(learned_text(docs->front()), "Hello.<|im_end|>See you.<|im_end|>");
  EXPECT_EQ(text(docs->front()),
            "<|im_start|>system\nBe "
            "brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n"
            "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\nSee you.<|im_end|>\n");
}

TEST_F(EncodeTest, ThePromptHasTheTokensThatServingSees) {
  const Document d = encode(chat({{"user", "Hi there"}, {"assistant", "\n two lines first"}}))->front();
  const auto prompt = *model_.tokenizer->encode("<|im_start|>user\nHi there<|im_end|>\n<|im_start|>assistant\n",
                                                {.add_special = false});
  ASSERT_LT(prompt.size(), d.ids.size());
  EXPECT_TRUE(std::equal(prompt.begin(), prompt.end(), d.ids.begin()));
  EXPECT_TRUE(std::none_of(d.learned.begin(), d.learned.begin() + static_cast<ptrdiff_t>(prompt.size()),
                           [](uint8_t x) { return x; }));
}

TEST_F(EncodeTest, TemplatesThatDropEarlierReasoningGiveOneDocumentAnAnswer) {
  use_template(
      "{% for m in messages %}<|im_start|>{{ m['role'] }}\n"
      "{% if m['role'] == 'assistant' and not loop.last %}{{ m['content'].split('</think>')[-1] }}{% else %}{{ "
      "m['content'] }}{% endif %}"
      "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}");
  const auto docs = encode(
      chat({{"user", "A"}, {"assistant", "<think>a</think>One"}, {"user", "B"}, {"assistant", "<think>b</think>Two"}}));
  ASSERT_TRUE(docs) << docs.error().to_string();
  ASSERT_EQ(docs->size(), 2u);
  EXPECT_EQ(learned_text((*docs)[0]), "<think>a</think>One<|im_end|>");
  EXPECT_EQ(learned_text((*docs)[1]), "<think>b</think>Two<|im_end|>");
  EXPECT_EQ(text((*docs)[1]).find("<think>a"), std::string::npos);
}

TEST_F(EncodeTest, MarkedAnswersAreUsedWhereThePromptIsNoPrefix) {
  use_template(
      "{% for m in messages %}{% if m['role'] == 'assistant' %}<|im_start|>{% generation %}{{ m['content'] "
      "}}<|im_end|>{% endgeneration %}"
      "{% else %}{{ m['content'] }}{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>think{% endif %}");
  const auto docs = encode(chat({{"user", "A"}, {"assistant", "One"}}));
  ASSERT_TRUE(docs) << docs.error().to_string();
  EXPECT_EQ(learned_text(docs->front()), "One<|im_end|>");
}

TEST_F(EncodeTest, ATemplateWithoutStopTokenGetsTheModelsOwn) {
  use_template(
      "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}{% if add_generation_prompt "
      "%}assistant: {% endif %}");
  const auto docs = encode(chat({{"user", "A"}, {"assistant", "One"}, {"user", "B"}, {"assistant", "Two"}}));
  ASSERT_TRUE(docs) << docs.error().to_string();
  ASSERT_EQ(docs->size(), 2u);  // the token that was added stands in no prompt
  const std::string end(model_.tokenizer->token_bytes(model_.generation.eos_ids.front()));
  EXPECT_EQ(learned_text((*docs)[0]), "One" + end);
  EXPECT_EQ(learned_text((*docs)[1]), "Two" + end);
  EXPECT_EQ(text((*docs)[1]), "user: A\nassistant: One\nuser: B\nassistant: Two" + end);
  model_.generation.eos_ids.clear();
  EXPECT_EQ(encode(chat({{"user", "A"}, {"assistant", "One"}})).has_value(), model_.tokenizer->eos_id().has_value());
}

// The generation prompt is not the beginning of the answer: it opens reasoning, or has another header.
TEST_F(EncodeTest, AnswersAreFoundByDifference) {
  const Example two = chat({{"user", "A"}, {"assistant", "One <b>"}, {"user", "B"}, {"assistant", "Two"}});
  for (const char* source : {"{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
                             "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}",
                             "{% for m in messages %}<|im_start|>{{ m.role }}{% if m.role == 'assistant' %}</think>{% "
                             "endif %}{{ m.content | trim }}<|im_end|>{% endfor %}"
                             "{% if add_generation_prompt %}<|im_start|>assistant<think>{% endif %}",
                             "{% for m in messages %}{{ '<|im_start|>' ~ m.role ~ '\n' }}{% if m.role == 'assistant' "
                             "%}<think>\n\n</think>\n\n{% endif %}{{ m.content }}<|im_end|>\n{% endfor %}"
                             "{% if add_generation_prompt %}<|im_start|>assistant: {% endif %}"}) {
    use_template(source);
    EXPECT_EQ(learned(two), "One <b><|im_end|>Two<|im_end|>") << source;
  }
  // A call has markup of its own, which is learned; what the prompt gives is not.
  use_template(
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.reasoning_content %}<think>\n{{ m.reasoning_content "
      "}}\n</think>\n{% endif %}{{ m.content }}"
      "{% for c in m.tool_calls or [] %}<call>{{ c.function | tojson }}</call>{% endfor %}<|im_end|>\n{% endfor %}"
      "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}");
  Example call = chat({{"user", "A"}, {"assistant", ""}});
  call.messages[1].tool_calls = R"([{"id":"c","type":"function","function":{"name":"f","arguments":{"z":1,"a":2}}}])";
  EXPECT_EQ(learned(call), R"(<call>{"name": "f", "arguments": {"z": 1, "a": 2}}</call><|im_end|>)");
  Example thought = chat({{"user", "A"}, {"assistant", "4"}});
  thought.messages[1].reasoning = "Two and two.";
  EXPECT_EQ(learned(thought), "Two and two.\n</think>\n4<|im_end|>");
}

TEST_F(EncodeTest, AnswersOfNoWeightAreContextOnly) {
  Example e = chat({{"user", "A"}, {"assistant", "WRONG"}, {"user", "B"}, {"assistant", "right"}});
  e.messages[1].is_learned = false;
  EXPECT_EQ(learned(e), "right<|im_end|>");
  EXPECT_NE(text(encode(e)->front()).find("WRONG"), std::string::npos);
  use_template(
      "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
      "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n{% endif %}");
  EXPECT_EQ(learned(e), "right<|im_end|>");
  use_template(
      "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content }}<|im_end|>{% endgeneration "
      "%}"
      "{% else %}{{ m.content }}{% endif %}{% endfor %}{% if add_generation_prompt %}x{% endif %}");
  EXPECT_EQ(learned(e), "right<|im_end|>");
}

TEST_F(EncodeTest, WhatATemplateDoesNotShowIsRefusedByName) {
  const Example plain = chat({{"system", "S"}, {"user", "A"}, {"assistant", "B"}});
  ASSERT_TRUE(encode(plain));
  Example e = plain;
  e.tools = R"([{"type":"function","function":{"name":"f"}}])";
  EXPECT_NE(learned(e).find("does not show the example's tools"), std::string::npos);
  e = plain;
  e.messages[2].reasoning = "T";
  EXPECT_NE(learned(e).find("does not show its reasoning_content"), std::string::npos);
  e = plain;
  e.messages[2].tool_calls = R"([{"type":"function","function":{"name":"f","arguments":{}}}])";
  EXPECT_NE(learned(e).find("does not show its tool_calls"), std::string::npos);
  e = plain;
  e.messages[1].name = "Alice";
  EXPECT_NE(learned(e).find("messages[1] (user): the model's chat template does not show its name"), std::string::npos)
      << learned(e);
  use_template(
      "{% for m in messages %}{% if m.role in ['user', 'assistant'] %}<|im_start|>{{ m.role }}\n{{ m.content "
      "}}<|im_end|>\n{% endif %}{% endfor %}"
      "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}");
  EXPECT_NE(learned(plain).find("messages[0] (system)"), std::string::npos) << learned(plain);
  EXPECT_NE(
      learned(chat({{"user", "A"}, {"assistant", "B"}, {"tool", "42"}, {"assistant", "C"}})).find("messages[2] (tool)"),
      std::string::npos);
}

TEST_F(EncodeTest, ToolsAndVariablesReachTheTemplate) {
  use_template("{% if tools %}T{{ tools[0].function.name }} {% endif %}{{ mood }} " + std::string(kChatMl));
  Example e = chat({{"user", "A"}, {"assistant", "B"}});
  e.tools = R"([{"type":"function","function":{"name":"f"}}])";
  e.variables = R"({"mood": "glad"})";
  EXPECT_EQ(text(encode(e)->front()).rfind("Tf glad <|im_start|>user", 0), 0u);
  const auto prompt = *Encoder(model_).prompt(e, std::span(e.messages).first(1));
  EXPECT_EQ(model_.tokenizer->decode(prompt, false), "Tf glad <|im_start|>user\nA<|im_end|>\n<|im_start|>assistant\n");
}

TEST_F(EncodeTest, WhatIsTypedIsNoControlToken) {
  const Document d = encode(chat({{"user", "say <|im_end|> please"}, {"assistant", "no"}}))->front();
  const auto stop = *model_.tokenizer->token_id("<|im_end|>");
  EXPECT_EQ(std::count(d.ids.begin(), d.ids.end(), stop), 2);
  EXPECT_NE(text(d).find("say <|im_end|> please"), std::string::npos);
}

// In no role do the data make control tokens: those are the template's.
TEST_F(EncodeTest, WhatIsTypedIsNoControlTokenInAnyRole) {
  const std::string typed = "a<|im_end|>\n<|im_start|>system\nb";
  const Document d = encode(chat({{"system", typed}, {"user", typed}, {"assistant", typed}}))->front();
  EXPECT_EQ(std::count(d.ids.begin(), d.ids.end(), *model_.tokenizer->token_id("<|im_end|>")), 3);
  EXPECT_EQ(std::count(d.ids.begin(), d.ids.end(), *model_.tokenizer->token_id("<|im_start|>")), 3);
  EXPECT_EQ(learned_text(d), typed + "<|im_end|>");
}

// Of every published template: all of both answers is learned, and nothing of the questions.
TEST_F(EncodeTest, AnswersAreFoundInAllReferenceTemplates) {
  const char* chosen = std::getenv("HEARTH_REFERENCE_DIR");
  const auto folder =
      (chosen ? std::filesystem::path(chosen) : std::filesystem::path(HEARTH_SOURCE_DIR) / "../shared/reference") /
      "chat_templates";
  if (!std::filesystem::exists(folder))
    GTEST_SKIP() << folder << " is absent; HEARTH_REFERENCE_DIR names the reference data";
  int n = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".jinja") continue;
    SCOPED_TRACE(entry.path().filename());
    use_template(*read_file(entry.path()));
    Example e = chat({{"user", "A blue question?"},
                      {"assistant", "One green answer."},
                      {"user", "Then a second blue one?"},
                      {"assistant", "And a second green one."}});
    // One that is used for tools only, and fails without any (in Jinja2, too).
    if (entry.path().filename().string().starts_with("NousResearch-Hermes-3"))
      e.tools =
          R"([{"type":"function","function":{"name":"f","description":"d","parameters":{"type":"object","properties":{"a":{"type":"string"}}}}}])";
    const std::string found = learned(e);
    EXPECT_NE(found.find("One green answer."), std::string::npos) << found;
    EXPECT_NE(found.find("And a second green one."), std::string::npos) << found;
    EXPECT_EQ(found.find("question"), std::string::npos) << found;
    EXPECT_EQ(found.find("Then"), std::string::npos) << found;
    EXPECT_LT(found.size(), 300u) << found;
    ++n;
  }
  EXPECT_GE(n, 30);
}

TEST_F(EncodeTest, TextIsLearnedWholeAndEnds) {
  Example e;
  e.text = "Once upon a time <|im_end|> in a text.";
  const Document d = encode(e)->front();
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

TEST(FitIntoRow, DropsCutsOrRefuses) {
  const auto document = [](int n_prompt, int n_answer, int n_tail) {
    Document d;
    for (int i = 0; i < n_prompt + n_answer + n_tail; ++i)
      d.ids.push_back(i), d.learned.push_back(i >= n_prompt && i < n_prompt + n_answer);
    return d;
  };
  Document fits = document(12, 5, 1);
  EXPECT_EQ(*fit_into_row(fits, 17, Overlong::refuse), Fit::whole);
  Document tail = document(10, 5, 10);  // what follows the answer teaches nothing
  EXPECT_EQ(*fit_into_row(tail, 16, Overlong::refuse), Fit::whole);
  EXPECT_EQ(tail.ids.size(), 15u);
  Document cut = document(30, 5, 1);
  EXPECT_EQ(*fit_into_row(cut, 16, Overlong::truncate), Fit::cut);
  EXPECT_EQ(cut.ids.size(), 17u);
  EXPECT_EQ(cut.ids.back(), 34);  // the answer is whole
  EXPECT_EQ(cut.n_learned(), 5);
  Document answer = document(3, 30, 0);
  EXPECT_EQ(*fit_into_row(answer, 16, Overlong::truncate), Fit::left_out);
  Document dropped = document(30, 5, 0);
  EXPECT_EQ(*fit_into_row(dropped, 16, Overlong::drop), Fit::left_out);
  Document refused = document(30, 5, 0);
  const auto error = fit_into_row(refused, 16, Overlong::refuse);
  ASSERT_FALSE(error);
  EXPECT_NE(error.error().message.find("35 tokens, a row 16"), std::string::npos) << error.error().message;
  Document text = document(0, 40, 0);
  text.may_split = true;
  EXPECT_EQ(*fit_into_row(text, 16, Overlong::drop), Fit::whole);
}

class TrainingDataTest : public EncodeTest {
 protected:
  Result<TrainingData> read(const std::string& text, RecipeData data = {}) {
    data.path = (folder_.path() / "rows.jsonl").string();
    EXPECT_TRUE(write_file(data.path, text));
    return read_training_data(data, model_, {.n_questions = 2});
  }
  static std::string row(const std::string& question, const std::string& answer) {
    return fmt::format(
        "{{\"messages\": [{{\"role\": \"user\", \"content\": \"{}\"}}, {{\"role\": \"assistant\", \"content\": "
        "\"{}\"}}]}}\n",
        question, answer);
  }
  TempFolder folder_ = *TempFolder::create("training-data");
};

TEST_F(TrainingDataTest, SaysInNumbersWhatIsTrainedOn) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += row(fmt::format("Shelf {}?", i / 10), fmt::format("Part {}.", i / 10));
  const auto data = read(text, {.eval_fraction = 0.1});
  ASSERT_TRUE(data) << data.error().to_string();
  const DataFigures& f = data->figures;
  EXPECT_EQ(f.n_examples, 100);
  EXPECT_EQ(f.n_distinct, 10);
  EXPECT_EQ(f.n_train, 90);
  EXPECT_EQ(f.n_held_out, 10);
  EXPECT_GE(f.n_train_answer_tokens * 10, (f.n_train_answer_tokens + f.n_held_out_answer_tokens) * 9);
  EXPECT_EQ(data->questions.size(), 1u);
  EXPECT_EQ(data->train->size(), 90u);
  EXPECT_NE(in_words(f).find("100 examples, 10 different ones; trains on 90"), std::string::npos) << in_words(f);
  const auto equal = read(row("A", "B") + row("A", "B"), {.eval_fraction = 0.5});
  EXPECT_EQ(equal->figures.n_held_out, 0);
  EXPECT_NE(in_words(equal->figures).find("holds out none: nothing will be measured"), std::string::npos);
}

TEST_F(TrainingDataTest, OverlongConversationsAreCounted) {
  std::string longer;
  for (int i = 0; i < 60; ++i) longer += "many words ";
  const std::string text = row("short", "yes") + row("short too", "no") + row(longer, "yes");
  const auto dropped = read(text, {.max_seq_len = 48});
  EXPECT_EQ(dropped->figures.n_overlong, 1);
  EXPECT_EQ(dropped->figures.n_left_out, 1);
  EXPECT_EQ(dropped->figures.n_train + dropped->figures.n_held_out, 2);
  EXPECT_GT(dropped->figures.tokens.longest, 60);
  EXPECT_NE(in_words(dropped->figures).find("1 longer than a row: left out"), std::string::npos);
  const auto cut = read(text, {.overlong = "truncate", .max_seq_len = 48});
  EXPECT_EQ(cut->figures.n_cut, 1);
  EXPECT_EQ(cut->figures.n_train + cut->figures.n_held_out, 3);
  const auto refused = read(text, {.overlong = "refuse", .max_seq_len = 48});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().to_string().find("line 3 of rows.jsonl"), std::string::npos) << refused.error().to_string();
  const auto none = read(row(longer, "yes"), {.max_seq_len = 16});
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().message.find("longer than a row of 16 tokens"), std::string::npos) << none.error().message;
}

TEST_F(TrainingDataTest, RowsWithProblemsAreCountedOrRefused) {
  const std::string text =
      row("A", "B") + "{\"messages\": []}\n" + row("C", "D") +
      R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "reasoning_content": "r"}]})" +
      "\n";
  const auto refused = read(text);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().to_string().find("line"), std::string::npos);
  const auto skipped = read(text, {.skip_invalid = true});
  ASSERT_TRUE(skipped) << skipped.error().to_string();
  EXPECT_EQ(skipped->figures.n_invalid, 2);
  const auto damaged = read("[" + row("A", "B") + ",", {.skip_invalid = true});
  ASSERT_FALSE(damaged);  // what is missing is not known
  EXPECT_NE(damaged.error().message.find("cut off"), std::string::npos) << damaged.error().message;
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
}  // namespace hearth::train::encode_test
