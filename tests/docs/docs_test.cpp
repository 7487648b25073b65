// Documents are true: every path, symbol and link that they name exists in this tree.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

#include "base/files.h"
#include "tests/docs/doc_names.h"

namespace hearth::docs::docs_test {
namespace {
namespace fs = std::filesystem;

const fs::path kRoot = HEARTH_SOURCE_DIR;

std::vector<fs::path> files_below(const fs::path& folder, std::initializer_list<std::string_view> endings) {
  std::vector<fs::path> files;
  std::error_code ec;
  for (fs::recursive_directory_iterator it(folder, ec), end; it != end; it.increment(ec))
    for (std::string_view ending : endings)
      if (it->is_regular_file() && it->path().string().ends_with(ending)) files.push_back(it->path());
  return files;
}

void add_identifiers(std::string_view text, std::set<std::string, std::less<>>& words) {
  auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    while (at < text.size() && is_word(text[at])) ++at;
    if (at > start)
      words.emplace(text.substr(start, at - start));
    else
      ++at;
  }
}

// Every identifier of the sources and scripts. Comments count: what matters is that a reader who greps finds it.
const std::set<std::string, std::less<>>& identifiers() {
  static const auto words = [] {
    std::set<std::string, std::less<>> all;
    for (const char* room :
         {"base", "hwdetect", "runtime", "model_store", "inference", "trainer", "appliance", "gui", "tests", "cmake"})
      for (const fs::path& file : files_below(kRoot / room, {".h", ".cpp", ".cu", ".cuh", ".cmake", ".py", ".qml"}))
        if (auto text = read_file(file)) add_identifiers(*text, all);
    return all;
  }();
  return words;
}

std::vector<fs::path> documents() {
  auto files = files_below(kRoot / "docs", {".md"});
  for (const char* name : {"README.md", "CONTRIBUTING.md"}) files.push_back(kRoot / name);
  return files;
}

bool exists(const fs::path& document, const Name& name) {
  switch (name.kind) {
    case Name::Kind::path:
      return fs::exists(kRoot / name.text);
    case Name::Kind::link:
      return fs::exists(document.parent_path() / name.text);
    case Name::Kind::symbol:
      break;
  }
  const auto parts = parts_of(name.text);
  return std::all_of(parts.begin(), parts.end(), [](const std::string& part) { return identifiers().contains(part); });
}

TEST(Docs, EveryNameInThemExists) {
  int n_names = 0;
  for (const fs::path& document : documents()) {
    auto text = read_file(document);
    ASSERT_TRUE(text) << text.error().to_string();
    for (const Name& name : names_in(*text)) {
      ++n_names;
      if (name.text.starts_with("std::")) continue;
      EXPECT_TRUE(exists(document, name))
          << document.lexically_relative(kRoot).string() << ":" << name.line << ": " << name.text << " does not exist";
    }
  }
  EXPECT_GT(n_names, 20);
}

TEST(Docs, NamesAreFound) {
  const auto names = names_in(
      "See `runtime/ops/op.h`, `Store::install(path)` and `detect()`.\n`plain` `runtime/ops/<op>/`\n[a](x.md#y) "
      "[b](https://c.d)\n");
  ASSERT_EQ(names.size(), 4u);
  EXPECT_EQ(names[0].kind, Name::Kind::path);
  EXPECT_EQ(names[1].text, "Store::install");
  EXPECT_EQ(names[2].text, "detect");
  EXPECT_EQ(names[3].text, "x.md");
  EXPECT_EQ(names[3].line, 3);
  EXPECT_TRUE(names_in("```\n`base/none.h`\n```\n    `base/none.h`\n").empty());
}

TEST(Docs, MissingNamesAreNoticed) {
  EXPECT_FALSE(exists(kRoot / "README.md", {Name::Kind::path, "base/no_such_file.h", 1}));
  EXPECT_FALSE(exists(kRoot / "README.md", {Name::Kind::symbol, std::string("NoSuch") + "Thing::at_all", 1}));
  EXPECT_FALSE(exists(kRoot / "README.md", {Name::Kind::link, "docs/no_such.md", 1}));
  EXPECT_TRUE(exists(kRoot / "README.md", {Name::Kind::symbol, "Result::has_value", 1}));
}

}  // namespace
}  // namespace hearth::docs::docs_test
