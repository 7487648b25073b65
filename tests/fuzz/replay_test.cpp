// Replays the seeds (inputs that are valid, and inputs that once broke something), then damaged copies of them.
// HEARTH_FUZZ_SECONDS walks longer than the default.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <random>

#include "base/files.h"
#include "tests/fuzz/mutate.h"
#include "tests/fuzz/targets.h"

namespace hearth::fuzz::replay_test {
namespace {
namespace fs = std::filesystem;

std::vector<std::string> seeds(const char* name) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(fs::path(HEARTH_SOURCE_DIR) / "tests/fuzz/seeds" / name))
    paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> out;
  for (const auto& path : paths) {
    auto text = read_file(path);
    if (!text) ADD_FAILURE() << text.error().to_string();
    out.push_back(text ? *text : std::string());
  }
  return out;
}

// A copy of just that size on the heap, so that a sanitizer sees a read past its end.
void run(void (*target)(const uint8_t*, size_t), const std::string& text) {
  std::vector<uint8_t> bytes(text.begin(), text.end());
  target(bytes.data(), bytes.size());
}

// The input at hand, for when it brings the process down.
void keep(const fs::path& path, const std::string& text) {
  if (std::FILE* file = std::fopen(path.c_str(), "wb")) {
    std::fwrite(text.data(), 1, text.size(), file);
    std::fclose(file);
  }
}

void replay(const char* name, void (*target)(const uint8_t*, size_t)) {
  const auto all = seeds(name);
  ASSERT_FALSE(all.empty());
  for (const auto& text : all) run(target, text);

  const char* chosen = std::getenv("HEARTH_FUZZ_SECONDS");
  const auto walk = std::chrono::milliseconds(chosen ? std::atoi(chosen) * 1000 : 1000);
  const auto end = std::chrono::steady_clock::now() + walk;
  Mutator mutator(all, chosen ? std::random_device()() : 1);
  int n = 0;
  std::chrono::milliseconds slowest{0};
  for (auto now = std::chrono::steady_clock::now(); now < end; ++n) {
    const std::string text = mutator.next();
    if (chosen) keep(fs::temp_directory_path() / (std::string("hearth_fuzz_last_") + name), text);
    const std::clock_t begin = std::clock();  // processor time: other programs do not count
    run(target, text);
    slowest = std::max(slowest, std::chrono::milliseconds((std::clock() - begin) * 1000 / CLOCKS_PER_SEC));
    now = std::chrono::steady_clock::now();
  }
  EXPECT_LT(slowest.count(), 5000) << "one input took that many milliseconds";
  std::printf("%s: %d damaged inputs, the slowest took %d ms\n", name, n, static_cast<int>(slowest.count()));
}

TEST(FuzzReplay, Gguf) {
  replay("gguf", gguf);
}
TEST(FuzzReplay, Safetensors) {
  replay("safetensors", safetensors);
}
TEST(FuzzReplay, TokenizerJson) {
  replay("tokenizer_json", tokenizer_json);
}
TEST(FuzzReplay, TokenizerModel) {
  replay("tokenizer_model", tokenizer_model);
}
TEST(FuzzReplay, ConfigJson) {
  replay("config_json", config_json);
}
TEST(FuzzReplay, ChatTemplate) {
  replay("chat_template", chat_template);
}
TEST(FuzzReplay, Answers) {
  replay("answers", answers);
}
#ifdef HEARTH_FUZZ_PACKS
TEST(FuzzReplay, PackDocuments) {
  replay("pack_documents", pack_documents);
}
#endif

}  // namespace
}  // namespace hearth::fuzz::replay_test
