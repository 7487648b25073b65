// Names for people and safe names: every script, every trick.
#include "model_store/model_names.h"

#include <gtest/gtest.h>

#include <map>

namespace hearth::store::model_names_test {
namespace {

TEST(ModelNames, SafeNames) {
  for (const char* good : {"a", "Llama-3.2-1B", "q4_0", "0", "console", "v1-"})
    EXPECT_TRUE(check_model_name(good)) << good;
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("-x"), std::string("a/b"), std::string("a b"),
        std::string("é"), std::string(65, 'a'), std::string("a\0b", 3), std::string("a."), std::string("a.gguf"),
        std::string("a.SafeTensors"), std::string("sha256-0.sig"), std::string("con"), std::string("NUL.x"),
        std::string("lpt1")})
    EXPECT_FALSE(check_model_name(bad)) << bad;
}

TEST(ModelNames, TheNearestSafeName) {
  EXPECT_EQ(make_model_name("My Model (v2)!"), "My-Model-v2");
  EXPECT_EQ(make_model_name("../../etc"), "etc");
  EXPECT_EQ(make_model_name("???"), "model");
  EXPECT_EQ(make_model_name("model..."), "model");
  EXPECT_EQ(make_model_name("x.gguf.gguf"), "x");
  EXPECT_EQ(make_model_name("模型甲").substr(0, 13), "mo-xing-jia-" + make_model_name("模型甲").substr(12, 1));
  EXPECT_EQ(make_model_name("模型甲").size(), std::string("mo-xing-jia-12345678").size());
}

// What no person would take for one name is not one: all of these come to distinct, valid names.
TEST(ModelNames, OtherScriptsDoNotMeet) {
  const std::string texts[] = {"模型",
                               "模型甲",
                               "模型乙",
                               "模型 甲",
                               "Модель",
                               "Модель 2",
                               "モデル",
                               "モデル２",
                               "نموذج",
                               "מודל",
                               "मॉडल",
                               "โมเดล",
                               "🙂",
                               "🙃",
                               "👩‍🚀",
                               "llama",
                               "Llama",
                               "llаma",
                               "Straße",
                               "Strasse",
                               "ﬁne",
                               "café",
                               "cafe",
                               "é",
                               "ё",
                               "İstanbul",
                               "istanbul",
                               "con",
                               "nul.txt",
                               std::string(100, 'x'),
                               std::string(101, 'x'),
                               std::string(65, 'y')};
  std::map<std::string, std::string> seen;
  for (const std::string& text : texts) {
    const std::string name = make_model_name(text);
    EXPECT_TRUE(check_model_name(name)) << text << " became " << name;
    EXPECT_TRUE(seen.emplace(name, text).second) << text << " and " << seen[name] << " both became " << name;
    EXPECT_EQ(make_model_name(name), name);
  }
}

TEST(ModelNames, OneNameHoweverItIsEncoded) {
  const std::string composed = "caf\xC3\xA9", decomposed = "cafe\xCC\x81";
  EXPECT_EQ(display_name_of(decomposed), composed);
  EXPECT_EQ(make_model_name(decomposed), make_model_name(composed));
  EXPECT_TRUE(same_display_name("模型\xE2\x80\x8B甲", "模型甲"));  // a zero-width space
  EXPECT_FALSE(same_display_name("模型甲", "模型乙"));
  EXPECT_FALSE(same_display_name("Llama", "llama"));
}

TEST(ModelNames, ForPeople) {
  EXPECT_EQ(display_name_of("  模型\t\n甲  "), "模型 甲");
  EXPECT_EQ(display_name_of("a\x1b[31mb\x7f"), "a [31mb");
  EXPECT_EQ(display_name_of("safe\xE2\x80\xAEgpj.exe"), "safegpj.exe");  // no turning of the direction
  EXPECT_EQ(display_name_of("👩‍🚀"), "👩‍🚀");
  EXPECT_EQ(display_name_of("\xE2\x80\x8B\xE2\x80\x8D"), "");
  EXPECT_EQ(display_name_of(""), "");
  EXPECT_EQ(display_name_of("x\xffy"), "x\xEF\xBF\xBDy");
  std::string longest;
  for (int i = 0; i < 100; ++i) longest += "模型";
  EXPECT_LE(display_name_of(longest).size(), 200u);
  EXPECT_EQ(display_name_of(longest).size() % 3, 0u);
}

TEST(ModelNames, ATakenNameLeavesRoomForAnother) {
  const std::string one = make_distinct_model_name("My Model", "a"), two = make_distinct_model_name("My Model", "b");
  EXPECT_NE(one, two);
  EXPECT_TRUE(one.starts_with("My-Model-") && check_model_name(one));
  EXPECT_TRUE(check_model_name(make_distinct_model_name(std::string(500, 'x'), "a")));
}

TEST(ModelNames, WhatAPersonAsksFor) {
  EXPECT_EQ(requested_model_name("tiny").value(), "tiny");
  EXPECT_TRUE(requested_model_name("客服助手").value().starts_with("ke-fu-zhu-shou-"));
  for (const char* bad : {"", "a b", "../x", "-x", ".x", "\xE2\x80\x8B"})
    EXPECT_FALSE(requested_model_name(bad)) << bad;
}

}  // namespace
}  // namespace hearth::store::model_names_test
