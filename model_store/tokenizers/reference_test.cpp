// Real vocabularies: the ids that the models' own tokenizers gave, to the last one.
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/sanitizers.h"
#include "model_store/formats/gguf.h"
#include "model_store/tokenizers/tokenizer_export.h"
#include "model_store/tokenizers/tokenizer_test_support.h"

namespace hearth::reference_test {
namespace {
namespace fs = std::filesystem;

TEST(TokenizerReference, MatchesEveryVocabulary) {
  fs::path folder = reference_folder() / "tokenizers";
  if (!fs::exists(folder))
    GTEST_SKIP()
        << folder
        << " is absent; HEARTH_REFERENCE_DIR names the reference data; peers_test.cpp tries the repository's own";
  int n_vocabularies = 0, n_texts = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".gguf") continue;
    Tokenizer tokenizer = load_tokenizer(entry.path());
    auto texts = split_text(*read_file(entry.path().string() + ".inp"), "\n__ggml_vocab_test__\n");
    auto expected = split_text(*read_file(entry.path().string() + ".out"), "\n");
    ASSERT_EQ(texts.size(), expected.size()) << entry.path();
    for (size_t i = 0; i < texts.size(); ++i, ++n_texts)
      EXPECT_EQ(*tokenizer.encode(texts[i], {.add_special = false}), parse_ids(expected[i]))
          << entry.path().filename() << ": " << texts[i];
    ++n_vocabularies;
  }
  EXPECT_GE(n_vocabularies, 6);
  EXPECT_GT(n_texts, 250);
}

TEST(TokenizerReference, ExportsGiveTheSameIds) {
  fs::path folder = reference_folder() / "tokenizers";
  if (!fs::exists(folder))
    GTEST_SKIP()
        << folder
        << " is absent; HEARTH_REFERENCE_DIR names the reference data; peers_test.cpp tries the repository's own";
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".gguf") continue;
    if (HEARTH_HAS_ASAN && entry.file_size() > (1 << 20)) continue;  // the two small ones are of two kinds
    Tokenizer tokenizer = load_tokenizer(entry.path());
    auto json = tokenizer_to_json(tokenizer);
    ASSERT_TRUE(json) << entry.path() << json.error().to_string();
    auto from_json = Tokenizer::from_json(*json);
    ASSERT_TRUE(from_json) << entry.path() << from_json.error().to_string();
    auto metadata = tokenizer_to_gguf(tokenizer, 0);
    ASSERT_TRUE(metadata) << entry.path() << metadata.error().to_string();
    fs::path file = fs::temp_directory_path() / ("hearth_export_" + entry.path().filename().string());
    ASSERT_TRUE(write_gguf(file, *metadata, {}));
    Tokenizer from_gguf = load_tokenizer(file);
    fs::remove(file);
    for (const std::string& text : random_texts(50, 3)) {
      auto ids = *tokenizer.encode(text);
      EXPECT_EQ(*from_json->encode(text), ids) << entry.path().filename() << " as JSON: " << text;
      EXPECT_EQ(*from_gguf.encode(text), ids) << entry.path().filename() << " as GGUF: " << text;
    }
  }
}

}  // namespace
}  // namespace hearth::reference_test
