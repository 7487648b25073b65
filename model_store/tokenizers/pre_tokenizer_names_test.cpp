// What GGUF names stand for, against the library's cuts with the patterns of the models' own files (fixtures/).
#include "model_store/tokenizers/pre_tokenizer_names.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "model_store/tokenizers/pre_tokenizer.h"
#include "model_store/tokenizers/tokenizer_test_support.h"

namespace hearth::pre_tokenizer_names_test {
namespace {

PreTokenizer make(const std::string& name) {
  auto named = find_pre_tokenizer(name);
  EXPECT_TRUE(named) << named.error().to_string();
  auto out = PreTokenizer::from_json(pre_tokenizer_json(*named));
  EXPECT_TRUE(out) << name << ": " << out.error().to_string();
  return *std::move(out);
}

uint32_t checksum(const std::vector<std::string_view>& pieces) {
  uint32_t out = 0x811C9DC5;
  auto add = [&](uint8_t byte) { out = (out ^ byte) * 0x01000193; };
  for (std::string_view piece : pieces) {
    for (char byte : piece) add(static_cast<uint8_t>(byte));
    add(0xFF);
  }
  return out;
}

TEST(PreTokenizerNames, CutLikeTheModelsOwnPatterns) {
  Json texts = *parse_json(*read_file(fixture_folder() / "texts.json"));
  Json expected = *parse_json(*read_file(fixture_folder() / "pre_tokenizers.expected.json"));
  ASSERT_GE(expected.size(), 17u);
  for (const auto& [name, sums] : expected.items()) {
    PreTokenizer pre_tokenizer = make(name);
    for (size_t i = 0; i < texts.size(); ++i) {
      auto text = texts[i].get<std::string>();
      CutText cut;
      cut.start(text, true);
      ASSERT_TRUE(pre_tokenizer.split(cut));
      EXPECT_EQ(checksum(cut.pieces), sums[i].get<uint32_t>()) << name << ": " << i << " " << texts[i];
    }
  }
}

TEST(PreTokenizerNames, EveryFamilyHasOne) {
  for (const char* name : {"llama-bpe",    "qwen2",          "qwen35",      "gpt-4o",           "tekken",
                           "deepseek-llm", "deepseek-coder", "deepseek-v3", "deepseek-r1-qwen", "kimi-k2",
                           "glm4",         "chatglm-bpe",    "minimax-m2",  "smollm",           "refact",
                           "command-r",    "falcon",         "mpt",         "starcoder",        "gpt-2",
                           "phi-2",        "dbrx",           "exaone",      "exaone-moe",       "olmo",
                           "viking",       "jais",           "jais-2",      "poro-chat",        "minicpm5",
                           "default"}) {
    PreTokenizer pre_tokenizer = make(name);
    for (std::string_view part : {"a", " ", "\n", "1", "A", "\xE6\xBC\xA2", "'", "a "}) {
      std::string text;
      while (text.size() < (1 << 18)) text += part;
      text += "x";
      CutText cut;
      cut.start(text, true);
      auto done = pre_tokenizer.split(cut);
      ASSERT_TRUE(done) << name << " " << part << ": " << done.error().to_string();
      std::string back;
      for (std::string_view piece : cut.pieces) back += piece;
      EXPECT_EQ(back, text) << name;
    }
  }
  EXPECT_EQ(find_pre_tokenizer("nobody").error().code, Code::unimplemented);
}

TEST(PreTokenizerNames, NamesAreFoundByPattern) {
  auto patterns = make("qwen2").patterns();
  EXPECT_EQ(gguf_pre_tokenizer_name(patterns, false, true), "qwen2");
  EXPECT_EQ(gguf_pre_tokenizer_name(patterns, false, false), "megrez") << "one that does not normalise";
  EXPECT_EQ(gguf_pre_tokenizer_name(make("glm4").patterns(), true, false), "llama-bpe");
  EXPECT_EQ(gguf_pre_tokenizer_name(make("glm4").patterns(), true, true), std::nullopt);
  EXPECT_EQ(gguf_pre_tokenizer_name(make("mpt").patterns(), false, true), "mpt");
  EXPECT_EQ(gguf_pre_tokenizer_name({"x+"}, false, false), std::nullopt);
}

}  // namespace
}  // namespace hearth::pre_tokenizer_names_test
