// Tokenizers: against the golden checkpoint's tokenizer.json, reference vocabularies, and made-up edge cases.
#include "model_store/tokenizers/tokenizer.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/json.h"
#include "model_store/tokenizers/tokenizer_test_support.h"

namespace hearth::tokenizer_test {
namespace {

Tokenizer golden_tokenizer() {
  auto tokenizer = Tokenizer::from_json(*read_file(golden_folder() / "tokenizer.json"),
                                        *read_file(golden_folder() / "tokenizer_config.json"));
  if (!tokenizer) ADD_FAILURE() << tokenizer.error().to_string();
  return *std::move(tokenizer);
}

TEST(Tokenizer, MatchesGoldenIdsBothWays) {
  Tokenizer tokenizer = golden_tokenizer();
  Json expected = *parse_json(*read_file(golden_folder() / "expected_tokens.json"));
  for (const auto& item : expected["encode"]) {
    auto text = item["text"].get<std::string>();
    EXPECT_EQ(*tokenizer.encode(text), item["ids"].get<std::vector<int32_t>>()) << text;
    auto plain = *tokenizer.encode(text, {.add_special = false});
    EXPECT_EQ(plain, item["ids_no_special"].get<std::vector<int32_t>>()) << text;
    EXPECT_EQ(tokenizer.decode(plain, /*skip_special=*/false), text);
  }
  for (const auto& item : expected["chat"])
    EXPECT_EQ(*tokenizer.encode(item["text"].get<std::string>(), {.add_special = false}),
              item["ids"].get<std::vector<int32_t>>());
  EXPECT_EQ(tokenizer.bos_token(), "<|begin_of_text|>");
  EXPECT_EQ(tokenizer.eos_token(), "<|eot_id|>");
}

TEST(Tokenizer, UserTextDoesNotBecomeControlTokens) {
  Tokenizer tokenizer = golden_tokenizer();
  auto ids = *tokenizer.encode("a<|eot_id|>b", {.add_special = false, .parse_special = false});
  for (int32_t id : ids) EXPECT_FALSE(tokenizer.is_special(id));
  EXPECT_EQ(tokenizer.decode(ids), "a<|eot_id|>b");
}

TEST(Tokenizer, StreamsWholeCharactersOnly) {
  Tokenizer tokenizer = golden_tokenizer();
  std::string text = "naïve café 🙂, 你好";
  StreamDecoder stream(tokenizer);
  std::string shown;
  auto ids = *tokenizer.encode(text);
  for (int32_t id : ids) {
    std::string part = stream.push(id);
    EXPECT_EQ(tokenizer.decode(*tokenizer.encode(part, {.add_special = false})), part)
        << "a part is valid UTF-8 on its own";
    EXPECT_EQ(part.find("\xEF\xBF\xBD"), std::string::npos);
    shown += part;
  }
  EXPECT_EQ(shown + stream.finish(), text);
}

TEST(Tokenizer, UnfinishedCharacterBecomesReplacement) {
  Tokenizer tokenizer = golden_tokenizer();
  auto ids = *tokenizer.encode(std::string("ok\xF0\x9F\x99"), {.add_special = false});
  EXPECT_EQ(tokenizer.decode(ids), "ok\xEF\xBF\xBD");
  StreamDecoder stream(tokenizer);
  std::string shown;
  for (int32_t id : ids) shown += stream.push(id);
  EXPECT_EQ(shown, "ok");
  EXPECT_EQ(stream.finish(), "\xEF\xBF\xBD");
}

std::string tiny_json(const std::string& added) {
  return R"({"added_tokens": [)" + added +
         R"(], "normalizer": {"type": "NFC"}, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "Ġ": 3, "Ã": 4, "©": 5, "Ã©": 6, "e": 7}, "merges": ["a b", ["Ã", "©"]]}})";
}

TEST(Tokenizer, NormalisesBeforeMerging) {
  auto tokenizer = Tokenizer::from_json(tiny_json(""));
  ASSERT_TRUE(tokenizer) << tokenizer.error().to_string();
  EXPECT_EQ(*tokenizer->encode("e\xCC\x81"), std::vector<int32_t>{6});  // e + combining acute becomes é
  EXPECT_EQ(*tokenizer->encode("ab"), std::vector<int32_t>{2});
}

TEST(Tokenizer, AddedTokensStripAndSingleWord) {
  auto strip = Tokenizer::from_json(
      tiny_json(R"({"id": 8, "content": "<m>", "lstrip": true, "rstrip": true, "special": true})"));
  ASSERT_TRUE(strip) << strip.error().to_string();
  EXPECT_EQ(*strip->encode("a  <m> b"), (std::vector<int32_t>{0, 8, 1}));
  auto word = Tokenizer::from_json(
      tiny_json(R"({"id": 8, "content": "ba", "single_word": true, "special": false, "normalized": false})"));
  EXPECT_EQ(*word->encode("ba"), (std::vector<int32_t>{8}));
  EXPECT_EQ(*word->encode("aba"), (std::vector<int32_t>{2, 0}));
}

// The vocabulary spells a run of blanks in symbols, the added token as it is; merges still make it.
TEST(Tokenizer, MergesMayMakeAddedTokens) {
  auto tokenizer = Tokenizer::from_json(
      R"({"added_tokens": [{"id": 1, "content": "  ", "normalized": true, "single_word": true, "special": false}],
      "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}, "decoder": {"type": "ByteLevel"},
      "model": {"type": "BPE", "vocab": {"\u0120": 0, "\u0120\u0120": 1, "a": 2}, "merges": ["\u0120 \u0120"]}})");
  ASSERT_TRUE(tokenizer) << tokenizer.error().to_string();
  EXPECT_EQ(*tokenizer->encode("a  a"), (std::vector<int32_t>{2, 1, 2}));
  EXPECT_EQ(tokenizer->decode(std::vector<int32_t>{2, 1, 2}), "a  a");
}

TEST(Tokenizer, BadJsonIsAnErrorThatNamesThePlace) {
  for (
      auto [text, wanted] :
      {std::pair<std::string, std::string>{"{", "JSON"},
       {"[]", "object"},
       {R"({"model": {"type": "Trigram"}})", "Trigram"},
       {R"({"model": {"type": "BPE", "vocab": {"a": -1}, "merges": []}, "pre_tokenizer": {"type": "ByteLevel"}})",
        "id of token"},
       {R"({"model": {"type": "BPE", "vocab": {"a": 2147483648}, "merges": []}, "pre_tokenizer": {"type": "ByteLevel"}})",
        "id of token"},
       {R"({"model": {"type": "BPE", "vocab": {"a": 1, "b": 1}, "merges": []}, "pre_tokenizer": {"type": "ByteLevel"}})",
        "twice"},
       {R"({"model": {"type": "BPE", "vocab": {"a": 1}, "merges": ["a"]}, "pre_tokenizer": {"type": "ByteLevel"}})",
        "merge number 0"},
       {R"({"model": {"type": "BPE", "vocab": {"a": 1}, "merges": ["a b"]}, "pre_tokenizer": {"type": "ByteLevel"}})",
        "not in the vocabulary"},
       {R"({"model": {"type": "BPE", "vocab": {}, "merges": []}, "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "("}, "behavior": "Isolated"}})",
        "pattern"}}) {
    auto tokenizer = Tokenizer::from_json(text);
    ASSERT_FALSE(tokenizer) << text;
    EXPECT_NE(tokenizer.error().to_string().find(wanted), std::string::npos) << tokenizer.error().to_string();
  }
}

TEST(Tokenizer, HostilePatternIsStopped) {
  auto tokenizer = Tokenizer::from_json(
      R"({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}, "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
      {"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated"}, {"type": "ByteLevel", "add_prefix_space": false}]}})");
  ASSERT_TRUE(tokenizer) << tokenizer.error().to_string();
  auto ids = tokenizer->encode(std::string(200, 'a') + "!");
  ASSERT_FALSE(ids);
  EXPECT_EQ(ids.error().code, Code::resource_exhausted);
}

}  // namespace
}  // namespace hearth::tokenizer_test
