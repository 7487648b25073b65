// What holds for every tokenizer: decoding gives back what was encoded where nothing is lost on the way, one token at a
// time gives what all at once give, and the work grows in proportion to the text, whatever the text is.
#include <gtest/gtest.h>

#include "base/sanitizers.h"
#include "base/utf8.h"
#include "model_store/tokenizers/tokenizer_test_support.h"

namespace hearth::properties_test {
namespace {

// Keeps every text as it is: bytes without a normalizer, or characters with a fallback to bytes.
bool is_lossless(const std::string& name) {
  for (const char* part :
       {"golden", "byte_level_llama3", "sentencepiece_legacy", "sentencepiece_gemma", "deepseek", "gpt-2", "llama-spm"})
    if (name.find(part) != std::string::npos) return true;
  return false;
}
// SentencePiece writes a blank as U+2581, so that is a blank afterwards.
bool has_blank_symbol(const std::string& name) {
  return name.find("sentencepiece") != std::string::npos || name.find("spm") != std::string::npos;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size())
    text.replace(at, what.size(), by);
  return text;
}

TEST(TokenizerProperties, DecodeGivesBackWhatWasEncoded) {
  int n = 0;
  for (const auto& [name, tokenizer] : all_test_tokenizers()) {
    if (!is_lossless(name)) continue;
    ++n;
    for (const std::string& text : random_texts(300, 1)) {
      auto ids = tokenizer.encode(text, {.add_special = false, .parse_special = false});
      ASSERT_TRUE(ids) << ids.error().to_string();
      std::string wanted = has_blank_symbol(name) ? replaced(text, "\xE2\x96\x81", " ") : text;
      EXPECT_EQ(tokenizer.decode(*ids, /*skip_special=*/false), wanted) << name;
    }
  }
  EXPECT_GE(n, 4);
}

bool has_every_byte(const std::string& name) {
  return name == "golden" || name.starts_with("byte_level_llama3") || name.starts_with("gpt-2");
}

// Byte for byte where every byte is a token; elsewhere what is no text becomes U+FFFD.
TEST(TokenizerProperties, BytesThatAreNoTextComeBack) {
  int n_exact = 0;
  for (const auto& [name, tokenizer] : all_test_tokenizers()) {
    bool is_exact = has_every_byte(name);
    for (unsigned seed = 1; seed < 40; ++seed) {
      std::string bytes = random_bytes(200, seed), back;
      auto ids = tokenizer.encode(bytes, {.add_special = false, .parse_special = false});
      ASSERT_TRUE(ids) << name << ids.error().to_string();
      for (int32_t id : *ids) back += tokenizer.token_bytes(id);
      if (is_exact) {
        EXPECT_EQ(back, bytes) << name;
      }
    }
    n_exact += is_exact;
  }
  EXPECT_GE(n_exact, 2);
}

// Any ids, also such as no text gives.
TEST(TokenizerProperties, OneTokenAtATimeGivesTheSameText) {
  for (const auto& [name, tokenizer] : all_test_tokenizers()) {
    for (unsigned seed = 1; seed < 60; ++seed) {
      std::vector<int32_t> ids;
      for (char b : random_bytes(80, seed))
        ids.push_back(static_cast<int32_t>((ids.empty() ? seed : static_cast<unsigned>(ids.back()) * 31) +
                                           static_cast<uint8_t>(b)) %
                      tokenizer.vocab_size());
      for (bool skip_special : {true, false}) {
        StreamDecoder stream(tokenizer, skip_special);
        std::string shown;
        for (int32_t id : ids) {
          std::string part = stream.push(id);
          EXPECT_EQ(valid_utf8_prefix(part), part.size()) << name;
          shown += part;
        }
        shown += stream.finish();
        EXPECT_EQ(shown, tokenizer.decode(ids, skip_special)) << name;
      }
    }
  }
}

std::string repeated(std::string_view part, size_t n_bytes) {
  std::string out;
  while (out.size() < n_bytes) out += part;
  return out;
}

uint64_t steps_of(const Tokenizer& tokenizer, const std::string& text, const std::string& name) {
  uint64_t n = 0;
  auto ids = tokenizer.encode(text, {.add_special = false, .n_steps = &n});
  EXPECT_TRUE(ids) << name << ": " << ids.error().to_string();
  return n;
}

constexpr std::string_view kMonotony[] = {"a",    " ",       "\n", "(", "\xE6\xBC\xA2", "1", "ab", "\xF0\x9F\x99\x82",
                                          "\xFF", "\xCC\x81"};

// Steps, not time: twice the text takes at most about twice as many.
TEST(TokenizerProperties, WorkIsLinearInTheText) {
  constexpr size_t kHalf = size_t{1} << (HEARTH_HAS_ASAN ? 12 : 14);
  for (const auto& [name, tokenizer] : all_test_tokenizers()) {
    for (std::string_view part : kMonotony) {
      uint64_t half = steps_of(tokenizer, repeated(part, kHalf), name);
      uint64_t whole = steps_of(tokenizer, repeated(part, 2 * kHalf), name);
      EXPECT_LE(whole, 2 * half + kHalf / 4) << name << " " << part;
    }
  }
}

// A megabyte without a place to cut.
TEST(TokenizerProperties, AMegabyteOfOneLetterIsNoTrap) {
  constexpr size_t kMega = size_t{1} << (HEARTH_HAS_ASAN ? 17 : 20);
  for (const auto& [name, tokenizer] : all_test_tokenizers()) {
    bool is_one_of_its_kind = name.starts_with("byte_level_llama3") || name.starts_with("sentencepiece_legacy") ||
                              name.starts_with("unigram_bytes") || name.starts_with("word_piece_cased");
    if (!is_one_of_its_kind) continue;
    for (std::string_view part : {"a", " ", "\xE6\xBC\xA2", "ab"})
      EXPECT_LE(steps_of(tokenizer, repeated(part, kMega), name), 32 * kMega) << name << " " << part;
  }
}

TEST(TokenizerProperties, BlanksThenALetterIsNoTrap) {
  for (const auto& [name, tokenizer] : all_test_tokenizers())
    steps_of(tokenizer, std::string(HEARTH_HAS_ASAN ? 1 << 15 : 1 << 18, ' ') + "x" + std::string(1 << 16, '\t') + "y",
             name);
}

TEST(TokenizerProperties, TextOverTheLimitIsAnError) {
  auto ids = all_test_tokenizers()[0].tokenizer.encode(std::string((size_t{256} << 20) + 1, 'a'));
  ASSERT_FALSE(ids);
  EXPECT_EQ(ids.error().code, Code::resource_exhausted);
}

}  // namespace
}  // namespace hearth::properties_test
