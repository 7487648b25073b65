// tokenizer.model files: written by hand here, byte by byte; every prefix and every flipped byte is an error or a
// tokenizer, never a crash.
#include "model_store/tokenizers/sentencepiece.h"

#include <gtest/gtest.h>

#include <cstring>

namespace hearth::sentencepiece_test {
namespace {

std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}
std::string number(int field, uint64_t value) {
  return varint(static_cast<uint64_t>(field) << 3) + varint(value);
}
std::string bytes(int field, const std::string& value) {
  return varint(static_cast<uint64_t>(field) << 3 | 2) + varint(value.size()) + value;
}
std::string piece(const std::string& text, float score, PieceKind kind = PieceKind::normal) {
  std::string bits(4, '\0');
  std::memcpy(bits.data(), &score, 4);
  std::string score_field = varint(2 << 3 | 5) + bits;
  return bytes(1, bytes(1, text) + score_field + number(3, static_cast<uint64_t>(kind)));
}

const std::string kBlank(kBlankSymbol);

// kind: 1 unigram, 2 BPE.
std::string tiny_model(uint64_t kind) {
  std::string out = piece("<unk>", 0, PieceKind::unknown) + piece("<s>", 0, PieceKind::control) +
                    piece("</s>", 0, PieceKind::control) + piece(kBlank + "ab", -1) + piece("ab", -2) +
                    piece(kBlank, -3) + piece("a", -4) + piece("b", -5) + piece("aba", -2.5F);
  for (int b = 0; b < 256; ++b) out += piece(fmt::format("<0x{:02X}>", b), 0, PieceKind::byte);
  std::string trainer = number(3, kind) + number(35, 1), normalizer = number(3, 1) + number(4, 0);
  return out + bytes(2, trainer) + bytes(3, normalizer);
}

TEST(SentencePieceFile, BpeMergesByScoreAndFallsBackToBytes) {
  auto tokenizer = Tokenizer::from_sentencepiece(tiny_model(2));
  ASSERT_TRUE(tokenizer) << tokenizer.error().to_string();
  // "ab" (-2) is made before "aba" (-2.5) could be.
  EXPECT_EQ(*tokenizer->encode("ab aba"), (std::vector<int32_t>{1, 3, 3, 6}));
  EXPECT_EQ(*tokenizer->encode("\n", {.add_special = false}), (std::vector<int32_t>{5, 9 + 10}));
  EXPECT_EQ(tokenizer->decode(*tokenizer->encode("ab\n aba \xC3\xA9")), "ab\n aba \xC3\xA9");
  EXPECT_EQ(tokenizer->bos_token(), "<s>");
}

TEST(SentencePieceFile, UnigramTakesTheBestPath) {
  auto tokenizer = Tokenizer::from_sentencepiece(tiny_model(1));
  ASSERT_TRUE(tokenizer) << tokenizer.error().to_string();
  EXPECT_EQ(*tokenizer->encode("ab aba", {.add_special = false}), (std::vector<int32_t>{3, 3, 6}));
  EXPECT_EQ(*tokenizer->encode("aba", {.add_special = false}), (std::vector<int32_t>{3, 6}));
}

TEST(SentencePieceFile, ConfigurationAddsTokens) {
  auto tokenizer = Tokenizer::from_sentencepiece(
      tiny_model(2),
      R"({"added_tokens_decoder": {"265": {"content": "<|im_end|>", "special": true}}, "eos_token": "<|im_end|>",
      "add_bos_token": false})");
  ASSERT_TRUE(tokenizer) << tokenizer.error().to_string();
  EXPECT_EQ(*tokenizer->encode("ab<|im_end|>"), (std::vector<int32_t>{3, 265}));
  EXPECT_EQ(tokenizer->eos_token(), "<|im_end|>");
}

TEST(SentencePieceFile, DamagedFilesAreErrorsOrTokenizers) {
  std::string model = tiny_model(2);
  auto use = [](const std::string& damaged) {
    auto tokenizer = Tokenizer::from_sentencepiece(damaged);
    if (tokenizer) (void)tokenizer->encode("ab \xE4\xBD\xA0");
    return tokenizer.has_value();
  };
  EXPECT_FALSE(use(""));
  for (size_t n = 0; n < 200; ++n) use(model.substr(0, n));
  for (size_t at = 0; at < model.size(); at += 7)
    for (int flip : {0x01, 0x80, 0xFF}) {
      std::string damaged = model;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      use(damaged);
    }
  auto huge = Tokenizer::from_sentencepiece(varint(1 << 3 | 2) + varint(UINT64_MAX));
  ASSERT_FALSE(huge);
  EXPECT_NE(huge.error().to_string().find("tokenizer.model"), std::string::npos);
}

}  // namespace
}  // namespace hearth::sentencepiece_test
