// A parameter out of a file, as its Storage says: mapped where the bytes are ours already, else put together in a copy.
#pragma once

#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include "model_store/formats/disk_memory.h"
#include "model_store/formats/tensor_file.h"
#include "runtime/architectures/architecture.h"
#include "runtime/tensor/tensor.h"

namespace hearth {

// What keeps a model's views valid: the mappings, and the weights that had to be copied.
struct WeightKeeper {
  std::shared_ptr<const void> mappings;
  std::vector<Tensor> copies;
  uint64_t copied_bytes = 0;        // in memory of the process
  std::set<std::string_view> used;  // names in the file
  // Where copies of a page and more go when the model is larger than memory: the first folder that can take them, in
  // files that nobody sees. Empty: memory.
  std::vector<std::filesystem::path> disk_folders;
  std::vector<DiskMemory> on_disk;
  uint64_t disk_bytes = 0;

  Result<TensorView> allocate(const TensorType& type);  // to be written to, until the next call of read_parameter()
};

// The stored tensors of one parameter, checked: they are there, of the right shape, and in a dtype with kernels.
struct FoundParameter {
  Storage storage;  // as it lies in this file
  std::vector<const StoredTensor*> parts;
  Dtype dtype;
};
// Errors name the tensor. Reads no weights.
Result<FoundParameter> find_parameter(const TensorFile& file, const ParameterSpec& spec, const Storage& storage,
                                      std::set<std::string_view>& used);

// What read_parameter() makes of it.
TensorType loaded_type(const ParameterSpec& spec, const FoundParameter& found);

// In the dtype of the file; norms and biases become f32, the one dtype their ops take. `storage` is spec.hf or
// spec.gguf. Errors name the tensor.
Result<TensorView> read_parameter(const TensorFile& file, const ParameterSpec& spec, const Storage& storage,
                                  WeightKeeper& keeper);

// The shape of one stored tensor of this parameter.
Shape stored_shape(const ParameterSpec& spec, const Storage& storage);
// Our shape of one part: without the axis along which parts are stacked.
Shape part_shape(const ParameterSpec& spec, const Storage& storage);
// Values as stored ↔ as the model has them, in place, f32.
void to_ours(const Storage& storage, const Tensor& tensor);
void to_stored(const Storage& storage, const Tensor& tensor);
bool is_vector(const ParameterSpec& spec);  // a norm or a bias
// The axis of a part whose entries are rows in the sense of Storage.
int row_axis(const ParameterSpec& spec, const Shape& part);

}  // namespace hearth
