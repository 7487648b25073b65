// Weaknesses that programs like this one had with files, each with its record, and that we do not have them.
// What is tested elsewhere: digests and names of files (CVE-2024-37032, CVE-2026-103663, CVE-2026-7020) in
// names_test.cpp and store_test.cpp; manifests with missing arrays (CVE-2025-1975) in names_test.cpp; memory from a
// field (CVE-2025-0315) in parser_memory_test.cpp; templates (CVE-2024-34359, CVE-2026-5760) in
// hostile_templates_test.cpp.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <memory>

#include "base/files.h"
#include "model_store/formats/gguf.h"
#include "model_store/formats/load.h"
#include "model_store/formats/safetensors.h"

namespace hearth::file_cves_test {
namespace {
namespace fs = std::filesystem;

// A GGUF file, written by hand so that every field can be wrong.
class Gguf {
 public:
  Gguf(uint64_t n_tensors, uint64_t n_entries) {
    bytes_ = "GGUF";
    u32(3).u64(n_tensors).u64(n_entries);
  }
  Gguf& u32(uint32_t v) { return raw(&v, 4); }
  Gguf& u64(uint64_t v) { return raw(&v, 8); }
  Gguf& text(std::string_view t) { return u64(t.size()).raw(t.data(), t.size()); }
  Gguf& entry(std::string_view key, uint32_t type) { return text(key).u32(type); }
  Gguf& zeros(size_t n) {
    bytes_.append(n, '\0');
    return *this;
  }
  Gguf& tensor(std::string_view name, const std::vector<uint64_t>& dims, uint32_t type, uint64_t offset) {
    text(name).u32(static_cast<uint32_t>(dims.size()));
    for (uint64_t d : dims) u64(d);
    return u32(type).u64(offset);
  }
  Result<GgufFile> parse() const {
    // On the heap, of just this size: a sanitizer sees a read behind it.
    auto copy = std::make_shared<std::vector<std::byte>>(bytes_.size());
    std::memcpy(copy->data(), bytes_.data(), bytes_.size());
    return GgufFile::parse(*copy, copy);
  }

 private:
  Gguf& raw(const void* data, size_t n) {
    bytes_.append(static_cast<const char*>(data), n);
    return *this;
  }
  std::string bytes_;
};

constexpr uint32_t kF32 = 0, kQ4_0 = 2, kUint32 = 4, kString = 8, kArray = 9;

// CVE-2024-39720: a file of four bytes brought the server down.
TEST(FileCves, Cve_2024_39720_FourBytes) {
  for (size_t n = 0; n <= 4; ++n) {
    std::vector<std::byte> bytes(n);
    for (size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::byte>("GGUF"[i]);
    EXPECT_FALSE(GgufFile::parse(bytes, nullptr));
  }
}

// CVE-2024-39721: /dev/random as a model was read for ever. Only regular files are models.
TEST(FileCves, Cve_2024_39721_DevicesPipesAndSocketsAreNotRead) {
  auto folder = TempFolder::create("file_cves");
  ASSERT_TRUE(folder);
  const fs::path pipe = folder->path() / "pipe.gguf", socket_path = folder->path() / "socket.gguf",
                 device = folder->path() / "device.gguf", inside = folder->path() / "folder.gguf";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  fs::create_symlink("/dev/zero", device);
  fs::create_directory(inside);
  sockaddr_un address{.sun_family = AF_UNIX};
  std::strncpy(address.sun_path, socket_path.c_str(), sizeof address.sun_path - 1);
  const int listening = ::socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(::bind(listening, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  for (const fs::path& path : {pipe, socket_path, device, inside}) {
    EXPECT_FALSE(GgufFile::open(path)) << path;
    EXPECT_FALSE(read_file(path)) << path;
    EXPECT_FALSE(load_model(path)) << path;
    if (path != inside) {  // a folder may lack weights
      EXPECT_FALSE(load_text_side(path)) << path;
    }
  }
  ::close(listening);
}

// CVE-2024-12055, CVE-2026-7482: an offset or size beyond the file gave other people's memory away.
TEST(FileCves, Cve_2026_7482_TensorsBeyondTheFile) {
  EXPECT_TRUE(Gguf(1, 0).tensor("a", {8}, kF32, 0).zeros(64).parse());
  EXPECT_FALSE(Gguf(1, 0).tensor("a", {8}, kF32, 32).parse());
  for (uint64_t offset : {uint64_t{32}, uint64_t{1} << 31, uint64_t{1} << 63, UINT64_MAX - 31})
    EXPECT_FALSE(Gguf(1, 0).tensor("a", {8}, kF32, offset).zeros(40).parse()) << offset;
  EXPECT_FALSE(Gguf(1, 0).tensor("a", {1'000}, kF32, 0).zeros(64).parse());
}

// CVE-2024-8063, CVE-2025-0317: a zero in a field was divided by.
TEST(FileCves, Cve_2025_0317_Zeros) {
  EXPECT_FALSE(Gguf(0, 1).entry("general.alignment", kUint32).u32(0).zeros(64).parse());
  auto empty = Gguf(1, 0).tensor("a", {0}, kF32, 0).zeros(64).parse();
  if (empty) {
    EXPECT_EQ(empty->tensors().tensors()[0].bytes.size(), 0u);
  }
  auto file = Gguf(0, 3)
                  .entry("general.architecture", kString)
                  .text("llama")
                  .entry("llama.attention.head_count", kUint32)
                  .u32(0)
                  .entry("llama.embedding_length", kUint32)
                  .u32(0)
                  .zeros(64)
                  .parse();
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_FALSE(config_from_gguf(*file));
}

// CVE-2025-0312: a missing key was a null pointer.
TEST(FileCves, Cve_2025_0312_MissingKeys) {
  auto file = Gguf(0, 0).zeros(64).parse();
  ASSERT_TRUE(file);
  EXPECT_FALSE(config_from_gguf(*file));
  EXPECT_FALSE(Tokenizer::from_gguf(*file));
  auto named = Gguf(0, 1).entry("general.architecture", kString).text("llama").zeros(64).parse();
  ASSERT_TRUE(named);
  EXPECT_FALSE(config_from_gguf(*named));
}

// CVE-2025-0315: a count in the file was allocated as it stood.
TEST(FileCves, Cve_2025_0315_CountsAreNotAllocated) {
  for (uint64_t n : {uint64_t{1} << 28, uint64_t{1} << 31, uint64_t{1} << 60, UINT64_MAX}) {
    EXPECT_FALSE(Gguf(n, 0).zeros(64).parse());
    EXPECT_FALSE(Gguf(0, n).zeros(64).parse());
    EXPECT_FALSE(Gguf(0, 1).entry("a", kArray).u32(kUint32).u64(n).zeros(64).parse());
    EXPECT_FALSE(Gguf(0, 1).entry("a", kArray).u32(kString).u64(n).zeros(64).parse());
    EXPECT_FALSE(Gguf(0, 1).entry("a", kString).u64(n).zeros(64).parse());
  }
}

// CVE-2024-21802, CVE-2024-21825, CVE-2024-21836, CVE-2024-23496, CVE-2024-23605: counts, dimensions and lengths of
// strings that overflow when they are multiplied or added.
TEST(FileCves, Cve_2024_21802_ProductsThatOverflow) {
  const uint64_t big = uint64_t{1} << 32;
  for (const auto& dims : std::vector<std::vector<uint64_t>>{{big, big},
                                                             {big, big, 1},
                                                             {uint64_t{1} << 62, 4},
                                                             {UINT64_MAX, 1},
                                                             {uint64_t{1} << 63, 2},
                                                             {3, 6148914691236517206},
                                                             {1, 1, 1, 1, 1, 1, 1, 1, 1}})
    EXPECT_FALSE(Gguf(1, 0).tensor("a", dims, kF32, 0).zeros(64).parse());
  EXPECT_FALSE(Gguf(0, 1).u64(UINT64_MAX).zeros(64).parse());                          // the key's length
  EXPECT_FALSE(Gguf(0, 1).entry("a", kString).u64(UINT64_MAX - 8).zeros(64).parse());  // the text's
  EXPECT_FALSE(
      Gguf(0, 1).entry("a", kArray).u32(kUint32).u64(uint64_t{1} << 62).zeros(64).parse());  // times four is zero
}

// CVE-2025-53630, CVE-2026-27940: tensors that each fit, whose sum wraps.
TEST(FileCves, Cve_2026_27940_SumsThatWrap) {
  Gguf file(3, 0);
  for (const char* name : {"a", "b", "c"}) file.tensor(name, {uint64_t{1} << 61}, kF32, 0);
  EXPECT_FALSE(file.zeros(64).parse());
  EXPECT_FALSE(Gguf(2, 0).tensor("a", {8}, kF32, UINT64_MAX - 31).tensor("b", {8}, kF32, 32).zeros(96).parse());
}

// CVE-2026-33298: the size of a quantised tensor in blocks overflowed, or was of part of a block.
TEST(FileCves, Cve_2026_33298_BlocksOfQuantisedTensors) {
  EXPECT_TRUE(Gguf(1, 0).tensor("a", {32}, kQ4_0, 0).zeros(96).parse());
  for (uint64_t n : {uint64_t{31}, uint64_t{33}, uint64_t{1} << 63, UINT64_MAX, uint64_t{32} << 58})
    EXPECT_FALSE(Gguf(1, 0).tensor("a", {n}, kQ4_0, 0).zeros(96).parse()) << n;
}

// Tokens that are no strings, scores of another type, an alignment of 2^31: reports without a record.
TEST(FileCves, TypesInTokenizersAreChecked) {
  EXPECT_FALSE(Gguf(0, 1).entry("general.alignment", kUint32).u32(uint32_t{1} << 31).zeros(64).parse());
  auto file = Gguf(0, 2)
                  .entry("tokenizer.ggml.model", kString)
                  .text("gpt2")
                  .entry("tokenizer.ggml.tokens", kArray)
                  .u32(kUint32)
                  .u64(2)
                  .u32(1)
                  .u32(2)
                  .zeros(64)
                  .parse();
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_FALSE(Tokenizer::from_gguf(*file));
  auto nested = Gguf(0, 1).entry("a", kArray).u32(kArray).u64(1).u32(kUint32).u64(1).u32(1).zeros(64).parse();
  EXPECT_FALSE(nested && nested->strings("a"));
}

// CVE-2024-39719, CVE-2024-39722: whether a file of the server exists could be read from the error. A model's own
// index may not name files outside its folder, and the answer is the same whether they exist or not.
TEST(FileCves, Cve_2024_39722_NoOracleForFiles) {
  auto folder = TempFolder::create("file_cves");
  auto message = [&](const char* name) {
    EXPECT_TRUE(write_file(folder->path() / "model.safetensors.index.json",
                           std::string(R"({"weight_map": {"a": ")") + name + "\"}}"));
    auto opened = open_safetensors(folder->path());
    EXPECT_FALSE(opened);
    std::string text = opened ? "" : opened.error().to_string();
    const size_t at = text.find(name);
    return at == std::string::npos ? text : text.replace(at, std::strlen(name), "NAME");
  };
  EXPECT_EQ(message("../../etc/passwd"), message("../../etc/no_such_file"));
  EXPECT_EQ(message("/etc/passwd"), message("/etc/no_such_file"));
}

}  // namespace
}  // namespace hearth::file_cves_test
