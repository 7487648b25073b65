// Which model a person means.
#include "model_store/called.h"

#include "model_store/store_test_support.h"

namespace hearth::store::called_test {
namespace {

std::vector<ModelRecord> models() {
  std::vector<ModelRecord> out;
  const std::pair<const char*, const char*> kNames[] = {
      {"mo-xing-jia-1", "模型甲"}, {"mo-xing-jia-2", "模型甲"}, {"mo-xing-yi-1", "模型乙"}, {"cafe-1", "caf\xC3\xA9"},
      {"Llama", "Llama"},          {"llama-1", "llama"},        {"My-model", "My model"},   {"org-m", "org/m"},
      {"tiny", "Something else"},  {"tiny-2", "tiny"},          {"nb", "\xF0\x9F\x99\x82"}};
  for (const auto& [name, display_name] : kNames) out.push_back({.name = name, .display_name = display_name});
  return out;
}

std::string meant(std::string_view given) {
  const auto all = models();
  const auto model = model_called(all, given);
  return model ? (*model)->name : std::string(code_name(model.error().code));
}

TEST(Called, BySafeNameThenByNameForPeople) {
  for (const ModelRecord& model : models()) EXPECT_EQ(meant(model.name), model.name);
  EXPECT_EQ(meant("模型乙"), "mo-xing-yi-1");
  EXPECT_EQ(meant("My model"), "My-model");
  EXPECT_EQ(meant("org/m"), "org-m");
  EXPECT_EQ(meant("Something else"), "tiny");
  EXPECT_EQ(meant("tiny"), "tiny") << "a safe name is one model's own";
  EXPECT_EQ(meant("\xF0\x9F\x99\x82"), "nb");
}

TEST(Called, InEitherFormOfUnicodeWithCaseAsWritten) {
  EXPECT_EQ(meant("caf\xC3\xA9"), "cafe-1");
  EXPECT_EQ(meant("cafe\xCC\x81"), "cafe-1");
  EXPECT_EQ(meant("  模型乙\n"), "mo-xing-yi-1");
  EXPECT_EQ(meant("模型\xE2\x80\x8B乙"), "mo-xing-yi-1") << "invisible characters do not count";
  EXPECT_EQ(meant("Llama"), "Llama");
  EXPECT_EQ(meant("llama"), "llama-1");
  for (const char* other : {"LLAMA", "my model", "My  modem", "模型", "caf", "", " ", "模型丙", "\xff"})
    EXPECT_EQ(meant(other), code_name(Code::not_found)) << other;
}

TEST(Called, SeveralAreNamed) {
  const auto all = models();
  EXPECT_ERROR(model_called(all, "模型甲"), Code::invalid_argument, "mo-xing-jia-1, mo-xing-jia-2");
  EXPECT_EQ(meant("mo-xing-jia-2"), "mo-xing-jia-2");
}

}  // namespace
}  // namespace hearth::store::called_test
