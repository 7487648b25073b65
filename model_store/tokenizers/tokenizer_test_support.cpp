// Data and texts for the tokenizer tests.
#include "model_store/tokenizers/tokenizer_test_support.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "base/files.h"
#include "base/utf8.h"
#include "model_store/formats/gguf.h"

namespace hearth {
namespace fs = std::filesystem;

fs::path reference_folder() {
  const char* chosen = std::getenv("HEARTH_REFERENCE_DIR");
  return chosen ? fs::path(chosen) : fs::path(HEARTH_SOURCE_DIR) / "../shared/reference";
}

fs::path golden_folder() {
  return fs::path(HEARTH_SOURCE_DIR) / "tests/golden/sharded_tokenizer_bf16";
}

fs::path fixture_folder() {
  return fs::path(HEARTH_SOURCE_DIR) / "model_store/tokenizers/fixtures";
}

Tokenizer load_tokenizer(const fs::path& file) {
  auto load = [&]() -> Result<Tokenizer> {
    if (file.extension() == ".gguf") return Tokenizer::from_gguf(TRY(GgufFile::open(file)));
    std::string text = TRY(read_file(file));
    return file.extension() == ".model" ? Tokenizer::from_sentencepiece(text) : Tokenizer::from_json(text);
  };
  auto out = load();
  if (!out) {
    ADD_FAILURE() << file << ": " << out.error().to_string();
    return *Tokenizer::from_json(R"({"model": {"type": "BPE", "vocab": {}, "merges": []}})");
  }
  return *std::move(out);
}

static std::vector<NamedTokenizer> load_all() {
  std::vector<NamedTokenizer> out;
  out.push_back({"golden", load_tokenizer(golden_folder() / "tokenizer.json")});
  for (const fs::path& folder : {fixture_folder(), reference_folder() / "tokenizers"}) {
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(folder, ec)) {
      std::string name = entry.path().filename().string();
      if (name.ends_with(".tokenizer.json") || name.ends_with(".gguf") || name.ends_with(".model"))
        out.push_back({name, load_tokenizer(entry.path())});
    }
  }
  return out;
}

const std::vector<NamedTokenizer>& all_test_tokenizers() {
  static const auto* kAll = new std::vector<NamedTokenizer>(load_all());
  return *kAll;
}

std::vector<std::string> random_texts(int n, unsigned seed) {
  struct Range {
    uint32_t first, last;
  };
  static constexpr Range kRanges[] = {
      {'a', 'z'},         {'A', 'Z'},         {'0', '9'},         {' ', '/'},         {0x9, 0xD},
      {0, 0x1F},          {0xA0, 0x24F},      {0x300, 0x36F},     {0x370, 0x52F},     {0x5D0, 0x6FF},
      {0x900, 0xDFF},     {0xE00, 0xE7F},     {0x1100, 0x11FF},   {0x1780, 0x17FF},   {0x1E00, 0x1FFF},
      {0x2000, 0x206F},   {0x2100, 0x22FF},   {0x2580, 0x259F},   {0x3000, 0x30FF},   {0x4E00, 0x9FFF},
      {0xAC00, 0xD7A3},   {0xE000, 0xF8FF},   {0xFB00, 0xFDFF},   {0xFE00, 0xFFFD},   {0x1D400, 0x1D7FF},
      {0x1F300, 0x1F6FF}, {0x1F900, 0x1FAFF}, {0x20000, 0x2FA1F}, {0xE0001, 0xE007F}, {0x10FFFD, 0x10FFFF}};
  std::mt19937 random(seed);
  auto below = [&](size_t n_values) { return static_cast<uint32_t>(random() % n_values); };
  std::vector<std::string> out;
  for (int i = 0; i < n; ++i) {
    std::string text;
    for (uint32_t runs = 1 + below(12); runs > 0; --runs) {
      Range range = kRanges[below(std::size(kRanges))];
      for (uint32_t length = 1 + below(8); length > 0; --length)
        append_utf8(range.first + below(range.last - range.first + 1), text);
      if (below(2) == 0) text += ' ';
    }
    out.push_back(std::move(text));
  }
  return out;
}

std::string random_bytes(int n, unsigned seed) {
  std::mt19937 random(seed);
  std::string out;
  for (int i = 0; i < n; ++i) out.push_back(static_cast<char>(random() & 0xFF));
  return out;
}

std::vector<std::string> split_text(const std::string& text, const std::string& separator) {
  std::vector<std::string> out;
  size_t at = 0;
  for (size_t next; (next = text.find(separator, at)) != std::string::npos; at = next + separator.size())
    out.push_back(text.substr(at, next - at));
  if (at < text.size()) out.push_back(text.substr(at));
  return out;
}

std::vector<int32_t> parse_ids(const std::string& line) {
  std::vector<int32_t> out;
  const char* at = line.c_str();
  for (char* end = nullptr;; at = end) {
    long id = std::strtol(at, &end, 10);
    if (end == at) return out;
    out.push_back(static_cast<int32_t>(id));
  }
}

}  // namespace hearth
