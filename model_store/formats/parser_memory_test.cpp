// What a parser of files takes from the heap: at most four times the header that it reads, whatever the header claims.
// Every allocation of this program is counted. (Huge allocations from a file's field: CVE-2025-0315.)
#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>

#include "base/files.h"
#include "model_store/formats/gguf.h"
#include "model_store/formats/safetensors.h"

namespace {

std::atomic<size_t> live_bytes{0}, peak_bytes{0};

void* counted(size_t n, size_t alignment) {
  void* p = alignment > alignof(std::max_align_t)
                ? std::aligned_alloc(alignment, (n + alignment - 1) / alignment * alignment)
                : std::malloc(n ? n : 1);
  if (!p) throw std::bad_alloc();
  const size_t now = live_bytes += malloc_usable_size(p);
  for (size_t peak = peak_bytes; now > peak && !peak_bytes.compare_exchange_weak(peak, now);) {
  }
  return p;
}
void released(void* p) noexcept {
  if (p) live_bytes -= malloc_usable_size(p);
  std::free(p);
}

}  // namespace

void* operator new(size_t n) {
  return counted(n, 0);
}
void* operator new[](size_t n) {
  return counted(n, 0);
}
void* operator new(size_t n, std::align_val_t a) {
  return counted(n, static_cast<size_t>(a));
}
void* operator new[](size_t n, std::align_val_t a) {
  return counted(n, static_cast<size_t>(a));
}
void operator delete(void* p) noexcept {
  released(p);
}
void operator delete[](void* p) noexcept {
  released(p);
}
void operator delete(void* p, size_t) noexcept {
  released(p);
}
void operator delete[](void* p, size_t) noexcept {
  released(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
  released(p);
}
void operator delete[](void* p, std::align_val_t) noexcept {
  released(p);
}
void operator delete(void* p, size_t, std::align_val_t) noexcept {
  released(p);
}
void operator delete[](void* p, size_t, std::align_val_t) noexcept {
  released(p);
}

namespace hearth::parser_memory_test {
namespace {
namespace fs = std::filesystem;

constexpr size_t kSlack = 64 << 10;  // an error's text, small fixed tables

// The most that `work` has at one time, beyond what was there before.
template <class Work>
size_t peak_of(Work work) {
  const size_t before = live_bytes;
  peak_bytes = before;
  work();
  return peak_bytes - before;
}

std::vector<std::byte> bytes_of(const fs::path& path) {
  auto text = read_file(path, uint64_t{256} << 20);
  const auto* data = reinterpret_cast<const std::byte*>(text->data());
  return {data, data + text->size()};
}

size_t gguf_header_bytes(const std::vector<std::byte>& file) {
  auto parsed = GgufFile::parse(file, nullptr);
  EXPECT_TRUE(parsed) << parsed.error().to_string();
  const std::byte* first = file.data() + file.size();
  for (const auto& tensor : parsed->tensors().tensors()) first = std::min(first, tensor.bytes.data());
  return static_cast<size_t>(first - file.data());
}

void check_gguf(const fs::path& path) {
  const auto file = bytes_of(path);
  const size_t n_header = gguf_header_bytes(file);
  EXPECT_LE(peak_of([&] { (void)GgufFile::parse(file, nullptr); }), 4 * n_header + kSlack) << path;
}

TEST(ParserMemory, Gguf) {
  for (const char* name : {"model-Q4_0.gguf", "model-F32.gguf"})
    check_gguf(fs::path(HEARTH_SOURCE_DIR) / "tests/golden/sharded_tokenizer_bf16" / name);
}

TEST(ParserMemory, VocabulariesOfRealModels) {
  const char* chosen = std::getenv("HEARTH_REFERENCE_DIR");
  const fs::path folder =
      (chosen ? fs::path(chosen) : fs::path(HEARTH_SOURCE_DIR) / "../shared/reference") / "tokenizers";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is absent; HEARTH_REFERENCE_DIR names the reference data";
  int n = 0;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".gguf") {
      check_gguf(entry.path());
      ++n;
    }
  EXPECT_GT(n, 0);
}

// Claims that a header makes about sizes and counts, each far beyond the file.
TEST(ParserMemory, GgufWithHugeClaims) {
  const auto whole = bytes_of(fs::path(HEARTH_SOURCE_DIR) / "tests/golden/sharded_tokenizer_bf16/model-Q4_0.gguf");
  const size_t n_header = gguf_header_bytes(whole);
  size_t worst = 0;
  for (size_t at = 0; at + 8 <= std::min<size_t>(n_header, 4096); ++at)
    for (uint64_t value : {uint64_t{1} << 31, uint64_t{1} << 32, uint64_t{1} << 63, UINT64_MAX, uint64_t{65'536}}) {
      auto damaged = whole;
      std::memcpy(damaged.data() + at, &value, sizeof value);
      worst = std::max(worst, peak_of([&] { (void)GgufFile::parse(damaged, nullptr); }));
    }
  EXPECT_LE(worst, 4 * n_header + kSlack);
}

TEST(ParserMemory, Safetensors) {
  std::string header = "{";
  size_t at = 0;
  for (int i = 0; i < 5000; ++i) {
    if (i > 0) header += ',';
    header +=
        fmt::format(R"("model.layers.{}.mlp.down_proj.weight":{{"dtype":"F32","shape":[1,2],"data_offsets":[{},{}]}})",
                    i, at, at + 8);
    at += 8;
  }
  header += '}';
  std::vector<std::byte> file(8 + header.size() + at);
  const uint64_t n_header = header.size();
  std::memcpy(file.data(), &n_header, 8);
  std::memcpy(file.data() + 8, header.data(), header.size());
  auto parsed = parse_safetensors(file, nullptr);
  ASSERT_TRUE(parsed) << parsed.error().to_string();
  EXPECT_LE(peak_of([&] { (void)parse_safetensors(file, nullptr); }), 4 * n_header + kSlack);
  for (uint64_t claim : {uint64_t{1} << 31, uint64_t{1} << 63, UINT64_MAX}) {
    std::memcpy(file.data(), &claim, 8);
    EXPECT_LE(peak_of([&] { EXPECT_FALSE(parse_safetensors(file, nullptr)); }), kSlack);
  }
}

}  // namespace
}  // namespace hearth::parser_memory_test
