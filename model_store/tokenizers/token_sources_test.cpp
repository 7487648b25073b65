// Tokens named beside a vocabulary, and BERTs that have nothing but a vocab.txt, against AutoTokenizer of transformers
// (fixtures/make_added_tokens.py, fixtures/make_bert_vocabularies.py).
#include "model_store/tokenizers/token_sources.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/json.h"
#include "model_store/formats/load.h"
#include "model_store/tokenizers/tokenizer_test_support.h"

namespace hearth::token_sources_test {
namespace {
namespace fs = std::filesystem;
using Ordered = nlohmann::ordered_json;
using Ids = std::vector<int32_t>;

Ordered fixture(const char* name) {
  return Ordered::parse(*read_file(fixture_folder() / name));
}

std::string text_or_nothing(const Ordered& json) {
  return json.is_null() ? std::string() : json.dump();
}

Ordered id_or_null(std::optional<int32_t> id) {
  return id ? Ordered(*id) : Ordered(nullptr);
}

TEST(TokenSources, SameIdsAsAutoTokenizerInEveryCombination) {
  const Ordered all = fixture("added_tokens.json");
  ASSERT_GE(all["cases"].size(), 150u);
  for (size_t i = 0; i < all["cases"].size(); ++i) {
    const Ordered& c = all["cases"][i];
    SCOPED_TRACE(fmt::format(
        "case {}: {}", i,
        Ordered(
            {{"config", c["config"]}, {"map", c["special_map"]}, {"added", c["added"]}, {"tokenizer", c["tokenizer"]}})
            .dump()));
    Ordered tokenizer_json = all["tokenizer"];
    tokenizer_json.update(c["tokenizer"]);
    const std::string vocabulary = tokenizer_json.dump(), config = c["config"].dump(),
                      map = text_or_nothing(c["special_map"]), added = text_or_nothing(c["added"]);
    auto tokenizer = Tokenizer::from_files(
        {.tokenizer_json = vocabulary, .tokenizer_config = config, .special_tokens_map = map, .added_tokens = added});
    ASSERT_TRUE(tokenizer) << tokenizer.error().to_string();
    for (size_t k = 0; k < all["texts"].size(); ++k) {
      const auto text = all["texts"][k].get<std::string>();
      EXPECT_EQ(*tokenizer->encode(text, {.add_special = false}), c["expected"]["ids"][k].get<Ids>()) << text;
    }
    EXPECT_EQ(id_or_null(tokenizer->bos_id()), c["expected"]["named"]["bos_token"]);
    EXPECT_EQ(id_or_null(tokenizer->eos_id()), c["expected"]["named"]["eos_token"]);
    EXPECT_EQ(id_or_null(tokenizer->pad_id()), c["expected"]["named"]["pad_token"]);
  }
}

TEST(TokenSources, WhatIsWrongIsNamed) {
  const std::string vocabulary = fixture("added_tokens.json")["tokenizer"].dump();
  auto problem = [&](TokenizerFiles files) {
    files.tokenizer_json = vocabulary;
    auto out = Tokenizer::from_files(files);
    return out ? std::string("none") : out.error().to_string();
  };
  EXPECT_NE(problem({.tokenizer_config = R"({"added_tokens_decoder": {"x": {"content": "a"}}})"})
                .find("added_tokens_decoder"),
            std::string::npos);
  EXPECT_NE(problem({.tokenizer_config = R"({"added_tokens_decoder": []})"}).find("added_tokens_decoder"),
            std::string::npos);
  EXPECT_NE(problem({.tokenizer_config = R"({"additional_special_tokens": [7]})"}).find("tokenizer_config.json"),
            std::string::npos);
  EXPECT_NE(problem({.special_tokens_map = R"({"eos_token": {"content": 7}})"}).find("special_tokens_map.json"),
            std::string::npos);
  EXPECT_NE(problem({.added_tokens = R"({"<a>": 5000000000})"}).find("added_tokens.json"), std::string::npos);
  EXPECT_NE(problem({.added_tokens = "{"}).find("added_tokens.json"), std::string::npos);
}

// A folder as it lies on disk, and the stop tokens that follow from it.
TEST(TokenSources, AFoldersEndOfTextComesFromItsFiles) {
  const fs::path folder = fs::path(testing::TempDir()) / "token_sources";
  fs::create_directories(folder);
  const Ordered all = fixture("added_tokens.json");
  ASSERT_TRUE(write_file(folder / "tokenizer.json", all["tokenizer"].dump()));
  ASSERT_TRUE(write_file(folder / "config.json", "{}"));
  ASSERT_TRUE(
      write_file(folder / "special_tokens_map.json", R"({"eos_token": {"content": "<|im_end|>", "lstrip": false}})"));
  ASSERT_TRUE(write_file(folder / "added_tokens.json", R"({"<|im_end|>": 90})"));
  auto model = load_text_side(folder);
  fs::remove_all(folder);
  ASSERT_TRUE(model) << model.error().to_string();
  ASSERT_TRUE(model->tokenizer) << model->tokenizer_problem->to_string();
  const std::optional<int32_t> end = model->tokenizer->token_id("<|im_end|>");
  ASSERT_TRUE(end);
  EXPECT_EQ(model->tokenizer->eos_id(), end);
  EXPECT_TRUE(model->tokenizer->is_special(*end));
  EXPECT_EQ(model->generation.eos_ids, Ids{*end});
}

TEST(BertVocabulary, SameIdsAsAutoTokenizer) {
  const Ordered all = fixture("bert_vocabularies.json");
  std::string lines;
  for (const Ordered& piece : all["vocab"]) lines += piece.get<std::string>() + "\n";
  for (const Ordered& c : all["cases"]) {
    SCOPED_TRACE(c["config"].dump());
    const std::string config = c["config"].dump();
    auto tokenizer = Tokenizer::from_files({.vocab_txt = lines, .tokenizer_config = config, .model_type = "bert"});
    ASSERT_TRUE(tokenizer) << tokenizer.error().to_string();
    for (size_t k = 0; k < all["texts"].size(); ++k)
      EXPECT_EQ(*tokenizer->encode(all["texts"][k].get<std::string>()), c["ids"][k].get<Ids>())
          << k << ": " << all["texts"][k];
    auto pair = *tokenizer->encode_pair("Hello world", "a second text");
    EXPECT_EQ(pair.ids, c["pair"][0].get<Ids>());
    EXPECT_EQ(pair.type_ids, c["pair"][1].get<Ids>());
  }
}

TEST(BertVocabulary, OthersAreRefusedByName) {
  auto problem = [](std::string_view lines, std::string_view config, std::string_view type) {
    auto out = Tokenizer::from_files({.vocab_txt = lines, .tokenizer_config = config, .model_type = type});
    return out ? std::string("none") : out.error().to_string();
  };
  EXPECT_NE(problem("[UNK]\n[CLS]\n[SEP]\n", R"({"tokenizer_class": "EsmTokenizer"})", "esm").find("EsmTokenizer"),
            std::string::npos);
  EXPECT_NE(problem("[UNK]\n[CLS]\n[SEP]\n", "", "ctrl").find("ctrl"), std::string::npos);
  EXPECT_NE(problem("[UNK]\n[CLS]\n", "", "bert").find("[SEP]"), std::string::npos);
}

}  // namespace
}  // namespace hearth::token_sources_test
