// GGUF versions 2 and 3, little-endian: metadata of every type and mapped tensors. All input is untrusted.
//
//   GgufFile file = TRY(GgufFile::open("model.gguf"));
//   int64_t n_layers = TRY(file.integer("llama.block_count"));
//   const StoredTensor* embed = TRY(file.tensors().require("token_embd.weight"));
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model_store/formats/tensor_file.h"

namespace hearth {

// As numbered in the file.
enum class GgufType : uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };
std::string_view gguf_type_name(GgufType type);

// One metadata value, still lying in the mapping. Arrays of strings are walked when asked for.
struct GgufEntry {
  std::string_view key;
  std::span<const std::byte> bytes;  // the value; for an array: its elements
  uint64_t n_items = 1;              // of an array
  GgufType type = GgufType::u8;
  GgufType item_type = GgufType::u8;  // of an array
};

class GgufFile {
 public:
  // Of a split model, any part: all of them are opened (gguf_split.h).
  static Result<GgufFile> open(const std::filesystem::path& path);
  // From memory, which `keeper` keeps alive.
  static Result<GgufFile> parse(std::span<const std::byte> bytes, std::shared_ptr<const void> keeper);

  const std::vector<GgufEntry>& entries() const { return entries_; }  // sorted by key
  const GgufEntry* find(std::string_view key) const;
  bool has(std::string_view key) const { return find(key) != nullptr; }

  // The value of a key. Absent: not_found; another type or out of range: invalid_argument. Any integer width is taken.
  Result<int64_t> integer(std::string_view key) const;
  Result<double> number(std::string_view key) const;  // floats and integers
  Result<bool> boolean(std::string_view key) const;
  Result<std::string_view> string(std::string_view key) const;
  Result<std::vector<std::string_view>> strings(std::string_view key) const;
  Result<std::vector<int64_t>> integers(std::string_view key) const;
  Result<std::vector<double>> numbers(std::string_view key) const;
  // Absent gives `otherwise`; a wrong type is still an error.
  Result<int64_t> integer_or(std::string_view key, int64_t otherwise) const;
  Result<double> number_or(std::string_view key, double otherwise) const;
  Result<bool> boolean_or(std::string_view key, bool otherwise) const;
  Result<std::string> string_or(std::string_view key, std::string_view otherwise) const;

  const TensorFile& tensors() const { return tensors_; }
  uint32_t version() const { return version_; }

 private:
  std::vector<GgufEntry> entries_;
  TensorFile tensors_;
  uint32_t version_ = 0;
};

// One value to write. Strings and arrays of them are copied in.
using GgufValue = std::variant<bool, uint32_t, int32_t, uint64_t, float, std::string, std::vector<std::string>,
                               std::vector<int32_t>, std::vector<float>, std::vector<bool>>;

struct GgufTensorToWrite {
  std::string name;
  Dtype dtype;
  std::vector<int64_t> shape;  // outermost first
  // Of that dtype; valid until the next tensor is asked for.
  std::function<Result<std::span<const std::byte>>()> bytes;
  std::function<Result<void>(const ByteSink&)> stream = {};  // instead of `bytes`: in pieces
};

// Writes version 3 with alignment 32, atomically and durably.
Result<void> write_gguf(const std::filesystem::path& path,
                        const std::vector<std::pair<std::string, GgufValue>>& metadata,
                        const std::vector<GgufTensorToWrite>& tensors);

}  // namespace hearth
