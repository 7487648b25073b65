// What the decoders share: finding the parts of a weight, reading them, and gathering the weights that they become.
#pragma once

#include <cstring>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "model_store/formats/row_tiles.h"
#include "model_store/formats/tensor_file.h"

namespace hearth::quantised {

// Weights found so far, and which stored tensors they are made of.
class Gatherer {
 public:
  explicit Gatherer(const TensorFile& stored) : stored_(stored) {}

  // Every stored tensor whose name ends so, as its name without the ending.
  std::vector<std::string> with_ending(std::string_view ending) const;
  const StoredTensor* take(const std::string& name);                   // nullptr where absent
  Result<const StoredTensor*> take_required(const std::string& name);  // not_found that names it

  using Decode = std::function<Result<void>(std::byte* out)>;
  void add(const std::string& name, Dtype dtype, std::vector<int64_t> shape, Decode decode);
  // See StoredTensor::rows_are_outputs.
  void add_outputs_first(const std::string& name, Dtype dtype, std::vector<int64_t> shape, Decode decode);

  // The weights, and every stored tensor that was not taken.
  Result<TensorFile> finish();

 private:
  const TensorFile& stored_;
  std::set<std::string> taken_;
  std::vector<StoredTensor> found_;
};

// A scale tensor (F32, F16 or BF16) read anywhere.
class Scales {
 public:
  static Result<Scales> of(const StoredTensor& tensor);
  float operator[](int64_t i) const {
    float value = 0;
    to_float(dtype_, data_ + i * width_, &value, 1);
    return value;
  }
  int64_t size() const { return n_; }
  // Every one survives as a half.
  bool are_halves() const;

 private:
  const std::byte* data_ = nullptr;
  Dtype dtype_ = Dtype::f32;
  int64_t n_ = 0, width_ = 4;
};

// Little-endian 32-bit words, wherever they lie.
class Words {
 public:
  explicit Words(const StoredTensor& tensor) : data_(tensor.bytes.data()) {}
  uint32_t operator[](int64_t i) const {
    uint32_t word = 0;
    std::memcpy(&word, data_ + i * 4, 4);
    return word;
  }

 private:
  const std::byte* data_;
};

// Errors that name the tensor, what was required and what came.
Result<void> require_dtype(const StoredTensor& tensor, std::initializer_list<std::string_view> allowed);
Result<void> require_shape(const StoredTensor& tensor, const std::vector<int64_t>& shape);

// ---- weights of small integers: scale * (q - zero) ----

struct IntegerWeight {
  int64_t rows = 0, cols = 0;
  int64_t group = 0;      // neighbours of a row that share a scale
  int low = 0, high = 0;  // bounds of q - zero
  bool scales_are_halves = false;
  std::vector<int32_t> group_of;  // per column, where groups are no runs of neighbours; else empty
  // q - zero of rows [first, first + n): [n, cols]. Called from several threads.
  std::function<void(int64_t first, int64_t n, int16_t* out)> levels;
  std::function<float(int64_t row, int64_t group)> scale;
};
constexpr int64_t kTileRows = 16;

// In the smallest dtype that holds every value exactly.
void add_integer_weight(Gatherer& out, const std::string& name, IntegerWeight weight);

// ---- weights whose scales lie on a grid ----

struct ScaleGrid {
  int64_t matrix_rows = 0;  // of one matrix; several (experts) may lie one after another
  int64_t row_block = 0, col_block = 0, grid_rows = 0, grid_cols = 0;
  int64_t index(int64_t row, int64_t col) const {
    return (row / matrix_rows * grid_rows + row % matrix_rows / row_block) * grid_cols + col / col_block;
  }
};
// One scale a tensor, a row, a group of a row's neighbours, or a block of `block` ([rows, cols]; empty: none).
Result<ScaleGrid> scale_grid(const StoredTensor& weight, const StoredTensor& scale, const std::vector<int64_t>& block);

// X.weight in e4m3 with `scale`: f8x128, or f32 where blocks do not fit.
Result<void> add_e4m3_weight(Gatherer& out, const StoredTensor& weight, const StoredTensor& scale,
                             const std::vector<int64_t>& block);

// One function a method.
Result<void> gather_fp8(Gatherer& out, const Json& config);
Result<void> gather_gptq(Gatherer& out, const Json& config);
Result<void> gather_awq(Gatherer& out, const Json& config);
Result<void> gather_compressed_tensors(Gatherer& out, const Json& config);
Result<void> gather_mxfp4(Gatherer& out, const Json& config);
Result<void> gather_bitsandbytes(Gatherer& out, const Json& config);

}  // namespace hearth::quantised
