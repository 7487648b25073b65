// Small tokenizers of every kind against the library that trained them (fixtures/make_fixtures.py): ids and text for
// many texts, alone and in pairs; and the same after writing them out and reading them back.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/files.h"
#include "base/json.h"
#include "base/utf8.h"
#include "model_store/tokenizers/tokenizer_export.h"
#include "model_store/tokenizers/tokenizer_test_support.h"

namespace hearth::peers_test {
namespace {
namespace fs = std::filesystem;

std::vector<std::string> fixture_names() {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(fixture_folder())) {
    std::string name = entry.path().filename().string();
    if (size_t at = name.find(".tokenizer.json"); at != std::string::npos) out.push_back(name.substr(0, at));
  }
  std::sort(out.begin(), out.end());
  return out;
}

Json read_fixture(const std::string& name) {
  auto json = parse_json(*read_file(fixture_folder() / name));
  EXPECT_TRUE(json) << name;
  return json ? *json : Json();
}

class TokenizerPeer : public testing::TestWithParam<std::string> {
 protected:
  Tokenizer tokenizer_ = load_tokenizer(fixture_folder() / (GetParam() + ".tokenizer.json"));
  Json texts_ = read_fixture("texts.json"), expected_ = read_fixture(GetParam() + ".expected.json");

  void expect_ids(const Tokenizer& tokenizer) const {
    for (size_t i = 0; i < texts_.size(); ++i) {
      auto ids = tokenizer.encode(texts_[i].get<std::string>(), {.add_special = false});
      ASSERT_TRUE(ids) << ids.error().to_string();
      EXPECT_EQ(*ids, expected_["cases"][i]["ids"].get<std::vector<int32_t>>()) << i << ": " << texts_[i];
    }
  }
};

TEST_P(TokenizerPeer, SameIds) {
  ASSERT_GT(texts_.size(), 80u);
  ASSERT_EQ(texts_.size(), expected_["cases"].size());
  expect_ids(tokenizer_);
}

TEST_P(TokenizerPeer, SameTokensAroundAText) {
  for (size_t i = 0; i < texts_.size(); ++i) {
    const Json& item = expected_["cases"][i];
    auto wanted = item["ids"].get<std::vector<int32_t>>();
    if (item.contains("around")) {
      auto before = item["around"][0].get<std::vector<int32_t>>(),
           after = item["around"][1].get<std::vector<int32_t>>();
      wanted.insert(wanted.begin(), before.begin(), before.end());
      wanted.insert(wanted.end(), after.begin(), after.end());
    }
    EXPECT_EQ(*tokenizer_.encode(texts_[i].get<std::string>()), wanted) << texts_[i];
  }
}

// Where the library makes one U+FFFD of every byte that is no character, we make one of every beginning of a character.
std::string with_single_replacements(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    bool is_bad = text.compare(at, kReplacementCharacter.size(), kReplacementCharacter) == 0;
    if (!is_bad || !out.ends_with(kReplacementCharacter))
      out += is_bad ? std::string(kReplacementCharacter) : text.substr(at, 1);
    at += is_bad ? kReplacementCharacter.size() : 1;
  }
  return out;
}

TEST_P(TokenizerPeer, SameText) {
  for (size_t i = 0; i < texts_.size(); ++i) {
    const Json& item = expected_["cases"][i];
    std::string text = tokenizer_.decode(item["ids"].get<std::vector<int32_t>>(), /*skip_special=*/false);
    EXPECT_EQ(with_single_replacements(text), with_single_replacements(item["text"].get<std::string>())) << i;
  }
}

TEST_P(TokenizerPeer, SamePair) {
  auto pair = tokenizer_.encode_pair("Hello world", "a second text");
  ASSERT_TRUE(pair) << pair.error().to_string();
  EXPECT_EQ(pair->ids, expected_["pair"][0].get<std::vector<int32_t>>());
  EXPECT_EQ(pair->type_ids, expected_["pair"][1].get<std::vector<int32_t>>());
}

TEST_P(TokenizerPeer, SameIdsAfterWritingItOutAsJson) {
  auto json = tokenizer_to_json(tokenizer_);
  ASSERT_TRUE(json) << json.error().to_string();
  auto again = Tokenizer::from_json(*json);
  ASSERT_TRUE(again) << again.error().to_string();
  expect_ids(*again);
}

TEST_P(TokenizerPeer, SameIdsAfterWritingItOutAsGguf) {
  auto metadata = tokenizer_to_gguf(tokenizer_, 0);
  if (!metadata) {
    EXPECT_EQ(metadata.error().code, Code::unimplemented);
    GTEST_SKIP() << metadata.error().to_string();
  }
  fs::path file = fs::temp_directory_path() / ("hearth_tokenizer_" + GetParam() + ".gguf");
  auto written = write_gguf(file, *metadata, {});
  ASSERT_TRUE(written) << written.error().to_string();
  expect_ids(load_tokenizer(file));
  fs::remove(file);
}

INSTANTIATE_TEST_SUITE_P(Every, TokenizerPeer, testing::ValuesIn(fixture_names()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace hearth::peers_test
