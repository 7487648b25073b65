// Encodings that are certain become UTF-8, others are named.
#include "base/text_encoding.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace hearth::text_encoding_test {
namespace {

using namespace std::string_literals;

enum class Order { little, big };

std::string wide(std::u32string_view text, int n_bytes, Order order) {
  std::string out;
  auto put = [&](uint32_t unit) {
    for (int i = 0; i < n_bytes; ++i)
      out += static_cast<char>(unit >> 8 * (order == Order::little ? i : n_bytes - 1 - i));
  };
  for (char32_t c : text) {
    if (n_bytes == 4 || c < 0x10000) {
      put(c);
    } else {
      put(0xD800 + ((c - 0x10000) >> 10));
      put(0xDC00 + ((c - 0x10000) & 0x3FF));
    }
  }
  return out;
}

std::string narrow(std::u32string_view text) {
  std::string out;
  for (char32_t c : text) append_utf8(c, out);
  return out;
}

std::string refusal(std::string_view bytes) {
  auto got = to_utf8(bytes, "notes.txt");
  return got ? "converted to " + *got : got.error().message;
}

const std::u32string kTexts[] = {U"x",
                                 U"Hello\r\nworld\n",
                                 U"grüße, 世界 🔥\n",
                                 U"一一一 一一\n",
                                 U"今日は、世界。\n第一章\n",
                                 U"{\"text\": \"привет\"}\n"};

TEST(TextEncoding, WideEncodingsAreReadWithAndWithoutTheirMark) {
  for (const auto& text : kTexts)
    for (int n_bytes : {2, 4})
      for (Order order : {Order::little, Order::big}) {
        const std::string label = narrow(text) + std::to_string(n_bytes) + (order == Order::little ? "le" : "be");
        EXPECT_EQ(refusal(wide(text, n_bytes, order)), "converted to " + narrow(text)) << label;
        EXPECT_EQ(refusal(wide(U"\xFEFF" + text, n_bytes, order)), "converted to " + narrow(text)) << label;
      }
}

TEST(TextEncoding, Utf8StaysAndLosesItsMark) {
  EXPECT_EQ(refusal(""), "converted to ");
  EXPECT_EQ(refusal("plain"), "converted to plain");
  EXPECT_EQ(refusal("grüße 🔥"), "converted to grüße 🔥");
  EXPECT_EQ(refusal("\xEF\xBB\xBFgrüße"), "converted to grüße");
}

TEST(TextEncoding, WhatIsNotCertainIsNamed) {
  EXPECT_NE(refusal("Les \xE9l\xE8ves fran\xE7"
                    "ais \xE9taient tr\xE8s \xE9tonn\xE9s par cette r\xE9ponse.\n")
                .find("ISO-8859-1"),
            std::string::npos);
  EXPECT_NE(refusal("first\nse\xF1or").find("(byte 0xF1 in line 2)"), std::string::npos) << refusal("first\nse\xF1or");
  // "你好，世界。今天天气很好，我们去公园散步吧。" in GB18030
  const std::string chinese =
      "\xC4\xE3\xBA\xC3\xA3\xAC\xCA\xC0\xBD\xE7\xA1\xA3\xBD\xF1\xCC\xEC\xCC\xEC\xC6\xF8\xBA\xDC\xBA\xC3\xA3\xAC"
      "\xCE\xD2\xC3\xC7\xC8\xA5\xB9\xAB\xD4\xB0\xC9\xA2\xB2\xBD\xB0\xC9\xA1\xA3";
  EXPECT_NE(refusal(chinese).find("notes.txt looks like GB18030, not UTF-8"), std::string::npos) << refusal(chinese);
  EXPECT_NE(refusal(chinese).find("iconv -f GB18030 -t UTF-8"), std::string::npos) << refusal(chinese);
  EXPECT_NE(refusal("größer, grüner, schöner und älter \xFF Mädchen spräche hübsche Wörter über Flüsse")
                .find("damaged UTF-8"),
            std::string::npos);
}

TEST(TextEncoding, WhatIsNoTextIsNamed) {
  EXPECT_NE(refusal("\x1F\x8B\x08\0\0\0"s).find("gzip-compressed data"), std::string::npos);
  EXPECT_NE(refusal("PK\x03\x04....").find("ZIP archive"), std::string::npos);
  EXPECT_NE(refusal("a\0\x01\x02\x03zz"s).find("binary data"), std::string::npos) << refusal("a\0\x01\x02\x03zz"s);
  EXPECT_NE(refusal("one\0two"s).find("binary data"), std::string::npos) << refusal("one\0two"s);
}

TEST(TextEncoding, DamageIsSaidWithItsPlace) {
  std::string lone = wide(
                         U"\xFEFF"
                         "a\nb",
                         2, Order::little) +
                     "\x00\xDC"s;
  EXPECT_NE(refusal(lone).find("damaged near line"), std::string::npos) << refusal(lone);
  EXPECT_NE(refusal(wide(U"\xFEFF"
                         "abc",
                         2, Order::big) +
                    "x")
                .find("within a character"),
            std::string::npos);
  EXPECT_NE(refusal("\xFF\xFE\0\0\0\0\x11\0"s).find("is no character"), std::string::npos);
}

TEST(TextEncoding, PiecesOfAnySizeGiveTheSame) {
  std::u32string text;
  for (int i = 0; i < 3000; ++i) text += U"grüße 世界 🔥\n";
  for (const std::string& bytes : {narrow(text), wide(text, 2, Order::little), wide(text, 4, Order::big)})
    for (size_t n : {size_t{1}, size_t{7}, size_t{4096}, bytes.size()}) {
      Utf8Reader reader("rows");
      std::string out;
      for (size_t at = 0; at < bytes.size(); at += n)
        ASSERT_TRUE(reader.feed(std::string_view(bytes).substr(at, n), out));
      ASSERT_TRUE(reader.finish(out));
      EXPECT_TRUE(out == narrow(text)) << n;
    }
}

TEST(TextEncoding, AnotherEncodingBehindTheSampleIsFound) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "plain words\n";
  EXPECT_NE(refusal(text + "fran\xE7"
                           "ais\n")
                .find("line 1001"),
            std::string::npos)
      << refusal(text +
                 "fran\xE7"
                 "ais\n");
  EXPECT_NE(refusal(text + "a\0b\n"s).find("NUL"), std::string::npos);
}

}  // namespace
}  // namespace hearth::text_encoding_test
