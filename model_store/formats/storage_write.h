// The reverse of storage_read.h: which tensors a file of a model holds, and the bytes of each from our parameters.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "model_store/formats/convert.h"
#include "model_store/formats/save.h"
#include "model_store/formats/tensor_file.h"

namespace hearth {

// One tensor of a file, from one parameter, a part of one, or several (fused matrices).
struct TensorToStore {
  struct Piece {
    ParameterSpec spec;
    Storage storage;
    int part = 0;
    TensorView view;  // of the whole parameter
  };
  std::string name;
  Shape shape;
  std::vector<Piece> pieces;
  bool is_vector = false;
};

// In the order of the table. Every weight must be there (see parameters_to_save).
Result<std::vector<TensorToStore>> tensors_to_store(const std::vector<ParameterSpec>& specs,
                                                    Storage ParameterSpec::*storage, const WeightsByRole& weights);

// The bytes of one stored tensor in `dtype`; valid until the next call, or as long as the weights where they are that
// already.
class StoredBytes {
 public:
  explicit StoredBytes(const ModelToSave& model) : model_(model) {}
  // All of it in pieces of a few MiB where the tensor allows it.
  Result<void> stream(const TensorToStore& tensor, Dtype dtype, const ByteSink& sink);
  void expect(const TensorToStore& tensor, Dtype dtype) { total_ += TensorType{dtype, tensor.shape}.bytes(); }

 private:
  std::span<const std::byte> of(const TensorToStore& tensor, Dtype dtype);
  Result<void> stream_view(const TensorView& view, Dtype dtype, const ByteSink& sink);
  void count(size_t n_bytes);

  const ModelToSave& model_;
  Converter converter_;
  std::vector<std::byte> bytes_;
  int64_t total_ = 0, done_ = 0;  // of all tensors
};

}  // namespace hearth
