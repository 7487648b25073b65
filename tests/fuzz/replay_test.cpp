// Replays the seeds: inputs that are valid, and inputs that once broke something.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "tests/fuzz/targets.h"

namespace hearth::fuzz {
namespace {
namespace fs = std::filesystem;

int replay(const char* name, void (*target)(const uint8_t*, size_t)) {
  int n = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(HEARTH_SOURCE_DIR) / "tests/fuzz/seeds" / name)) {
    auto text = read_file(entry.path());
    if (!text) ADD_FAILURE() << text.error().to_string();
    target(reinterpret_cast<const uint8_t*>(text->data()), text->size());
    ++n;
  }
  return n;
}

TEST(FuzzReplay, Gguf) { EXPECT_GT(replay("gguf", gguf), 0); }
TEST(FuzzReplay, Safetensors) { EXPECT_GT(replay("safetensors", safetensors), 0); }
TEST(FuzzReplay, TokenizerJson) { EXPECT_GT(replay("tokenizer_json", tokenizer_json), 0); }
TEST(FuzzReplay, ConfigJson) { EXPECT_GT(replay("config_json", config_json), 0); }
TEST(FuzzReplay, ChatTemplate) { EXPECT_GT(replay("chat_template", chat_template), 0); }

}  // namespace
}  // namespace hearth::fuzz
