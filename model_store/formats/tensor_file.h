// Tensors in model files, mapped and checked but not copied: what safetensors and GGUF have in common.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "runtime/tensor/dtype.h"

namespace hearth {

constexpr int kMaxTensorRank = 8;
constexpr size_t kMaxTensors = 200'000;

// Takes the next bytes of something that is written piece by piece.
using ByteSink = std::function<Result<void>(std::span<const std::byte>)>;

struct StoredTensor {
  std::string name;                  // as the file spells it
  std::string_view format_dtype;     // as the format names it, for example "Q4_K" (static storage)
  std::optional<Dtype> dtype;        // absent: this build cannot compute with it
  std::vector<int64_t> shape;        // row-major, outermost first (GGUF stores the reverse)
  std::span<const std::byte> bytes;  // inside a mapping that the TensorFile owns; empty where `decode` is set

  // Of a weight that the file has in another form (quantised/): writes all its bytes, whenever they are wanted.
  std::function<Result<void>(std::byte* out)> decode;
  // The last axis is a matrix's inputs, even where this family's unquantised files have it the other way round.
  bool rows_are_outputs = false;

  uint64_t n_elements() const;
};

// All tensors of a model, from one file or several. Movable; spans stay valid while it (or a keeper()) lives.
class TensorFile {
 public:
  TensorFile() = default;

  const std::vector<StoredTensor>& tensors() const { return tensors_; }  // sorted by name
  const StoredTensor* find(std::string_view name) const;                 // nullptr when absent
  Result<const StoredTensor*> require(std::string_view name) const;      // not_found that names it
  uint64_t size_bytes() const { return size_bytes_; }                    // of the files

  // Keeps the mappings alive; hand it to whatever holds a span.
  std::shared_ptr<const void> keeper() const { return keeper_; }

  // Takes over tensors found by a format's parser. Fails on a name that occurs twice.
  static Result<TensorFile> assemble(std::vector<StoredTensor> tensors, std::shared_ptr<const void> keeper,
                                     uint64_t size_bytes);

 private:
  std::vector<StoredTensor> tensors_;
  std::shared_ptr<const void> keeper_;
  uint64_t size_bytes_ = 0;
};

// Elements in `shape`; data_loss when a dimension is negative or the product does not fit 2^62.
Result<uint64_t> count_elements(std::span<const int64_t> shape);

}  // namespace hearth
