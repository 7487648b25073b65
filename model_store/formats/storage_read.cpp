// read_parameter: checks, then a view of the mapping or a copy by rows.
#include "model_store/formats/storage_read.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/check.h"

namespace hearth {
namespace {

Result<Dtype> check_tensor(const StoredTensor& stored, const ParameterSpec& spec, const Shape& wanted) {
  if (!stored.dtype || *stored.dtype == Dtype::i32)
    return error(Code::unimplemented,
                 "its numbers are {}, which this build cannot compute with; get the model in another quantisation",
                 stored.format_dtype);
  bool same_shape = static_cast<int>(stored.shape.size()) == wanted.rank();
  for (int i = 0; same_shape && i < wanted.rank(); ++i) same_shape = stored.shape[static_cast<size_t>(i)] == wanted[i];
  if (!same_shape)
    return error(Code::data_loss, "its shape is [{}], but the configuration asks for {}", fmt::join(stored.shape, ", "),
                 wanted.to_string());
  if (dtype_info(*stored.dtype).is_quantised && is_vector(spec))
    return error(Code::unimplemented, "norms and biases in {} are not supported", stored.format_dtype);
  return *stored.dtype;
}

bool is_aligned(const void* data, Dtype dtype) {
  const DtypeInfo& info = dtype_info(dtype);
  auto step = static_cast<uintptr_t>(info.is_quantised ? 2 : info.block_bytes);
  return reinterpret_cast<uintptr_t>(data) % step == 0;
}

// One part's place in the order of rows. `n_groups` matrices lie one after the other, each with rows of `row_bytes`.
struct Rows {
  std::vector<int64_t> map;  // our row → stored row
  int64_t n_groups = 1, n_stored = 0, row_bytes = 0;
  bool is_run() const {  // one piece of the stored bytes
    for (size_t i = 1; i < map.size(); ++i)
      if (map[i] != map[i - 1] + 1) return false;
    return n_groups == 1 || static_cast<int64_t>(map.size()) == n_stored;
  }
};

Rows rows_of(const ParameterSpec& spec, const Storage& storage, Dtype dtype) {
  const Shape part = part_shape(spec, storage);
  const int axis = row_axis(spec, part);
  Rows out;
  out.map = storage.row_map(part[axis]);
  for (int i = 0; i < axis; ++i) out.n_groups *= part[i];
  out.n_stored = storage.n_rows > 0 ? storage.n_rows : part[axis];
  out.row_bytes = dtype_bytes(dtype, axis + 1 == part.rank() ? 1 : part.last());
  return out;
}

void copy_rows(const Rows& rows, const std::byte* source, std::byte* out) {
  for (int64_t group = 0; group < rows.n_groups; ++group)
    for (const int64_t row : rows.map) {
      std::memcpy(out, source + (group * rows.n_stored + row) * rows.row_bytes, static_cast<size_t>(rows.row_bytes));
      out += rows.row_bytes;
    }
}

// Stored [.., in, out]: one number at a time.
void copy_transposed(const Rows& rows, int64_t element, const std::byte* source, std::byte* out) {
  const int64_t n_in = rows.row_bytes / element;
  for (int64_t group = 0; group < rows.n_groups; ++group)
    for (const int64_t row : rows.map)
      for (int64_t k = 0; k < n_in; ++k) {
        std::memcpy(out, source + ((group * n_in + k) * rows.n_stored + row) * element, static_cast<size_t>(element));
        out += element;
      }
}

// The bytes of one stored tensor, decoded into `made` where the file has them in another form.
Result<const std::byte*> bytes_of(const StoredTensor& stored, std::vector<std::byte>& made) {
  if (!stored.decode) return stored.bytes.data();
  made.resize(static_cast<size_t>(dtype_bytes(*stored.dtype, static_cast<int64_t>(stored.n_elements()))));
  TRY_WITH(stored.decode(made.data()), "while decoding tensor \"{}\"", stored.name);
  return static_cast<const std::byte*>(made.data());
}

// All parts as they are wanted here, one after the other. `out`: spec.shape in `dtype`.
Result<void> write_parts(const std::vector<const StoredTensor*>& parts, const ParameterSpec& spec,
                         const Storage& storage, Dtype dtype, std::byte* out) {
  const Rows rows = rows_of(spec, storage, dtype);
  const int64_t part_bytes = TensorType{dtype, spec.shape}.bytes() / static_cast<int64_t>(parts.size());
  std::vector<std::byte> made;
  for (const StoredTensor* part : parts) {
    const bool is_whole =
        !storage.is_transposed && rows.is_run() && rows.n_stored == static_cast<int64_t>(rows.map.size());
    if (part->decode && is_whole)
      TRY_WITH(part->decode(out), "while decoding tensor \"{}\"", part->name);
    else if (storage.is_transposed)
      copy_transposed(rows, dtype_info(dtype).block_bytes, TRY(bytes_of(*part, made)), out);
    else
      copy_rows(rows, TRY(bytes_of(*part, made)), out);
    out += part_bytes;
  }
  return {};
}

// Norms, biases and what else is small: f32, with the model's own values.
Result<Tensor> copy_vector(const std::vector<const StoredTensor*>& parts, const ParameterSpec& spec,
                           const Storage& storage, Dtype dtype) {
  Tensor copy({dtype, spec.shape});
  TRY(write_parts(parts, spec, storage, dtype, copy.view().as<std::byte>()));
  if (dtype != Dtype::f32) copy = to_f32(copy.view());
  if (storage.changes_values()) to_ours(storage, copy);
  return copy;
}

// Blocks run along the stored rows, which are our columns: such a tensor can only be had in f32.
Result<void> write_widened(const std::vector<const StoredTensor*>& parts, const ParameterSpec& spec,
                           const Storage& storage, std::byte* to) {
  const Rows rows = rows_of(spec, storage, Dtype::f32);
  const auto n = static_cast<int64_t>(parts[0]->n_elements());
  const int64_t part_bytes = TensorType{Dtype::f32, spec.shape}.bytes() / static_cast<int64_t>(parts.size());
  Tensor wide({Dtype::f32, {n}});
  std::vector<std::byte> made;
  for (const StoredTensor* part : parts) {
    to_float(*part->dtype, TRY(bytes_of(*part, made)), wide.f32(), n);
    copy_transposed(rows, sizeof(float), wide.view().as<std::byte>(), to);
    to += part_bytes;
  }
  return {};
}

TensorView keep(Tensor copy, WeightKeeper& keeper) {
  keeper.copied_bytes += static_cast<uint64_t>(copy.type().bytes());
  keeper.copies.push_back(std::move(copy));
  return keeper.copies.back().view();
}

Result<DiskMemory> on_first_disk(const std::vector<std::filesystem::path>& folders, uint64_t bytes) {
  for (size_t i = 0; i + 1 < folders.size(); ++i)
    if (auto memory = DiskMemory::create(folders[i], bytes)) return std::move(*memory);
  return DiskMemory::create(folders.back(), bytes);
}

}  // namespace

Result<TensorView> WeightKeeper::allocate(const TensorType& type) {
  constexpr uint64_t kSmallest = 4096;  // less is not worth a file
  const auto bytes = static_cast<uint64_t>(type.bytes());
  if (disk_folders.empty() || bytes < kSmallest) return keep(Tensor(type), *this);
  on_disk.push_back(TRY_WITH(on_first_disk(disk_folders, bytes),
                             "while laying out weights that memory cannot hold; free some disk space, or get the model "
                             "as a .gguf file, which is used as it is"));
  disk_bytes += bytes;
  return TensorView{type, on_disk.back().data()};
}

bool is_vector(const ParameterSpec& spec) {
  return is_vector(spec.kind);
}

int row_axis(const ParameterSpec& spec, const Shape& part) {
  if (spec.kind == ParameterKind::filter) return 0;
  return is_vector(spec) || part.rank() == 1 ? part.rank() - 1 : part.rank() - 2;
}

Shape part_shape(const ParameterSpec& spec, const Storage& storage) {
  if (storage.n_parts == 0) return spec.shape;
  Shape out;
  for (int i = 1; i < spec.shape.rank(); ++i) out.append(spec.shape[i]);
  return out;
}

Shape stored_shape(const ParameterSpec& spec, const Storage& storage) {
  Shape out = part_shape(spec, storage);
  const int axis = row_axis(spec, out);
  if (storage.n_rows > 0) out[axis] = storage.n_rows;
  if (storage.is_transposed) std::swap(out[out.rank() - 1], out[out.rank() - 2]);
  if (!storage.shape.empty()) {
    Shape whole;
    for (int64_t dim : storage.shape) whole.append(dim);
    CHECK(whole.n_elements() == out.n_elements());  // a family's table has the wrong shape
    return whole;
  }
  if (storage.is_joined) return {out.n_rows(), out.last()};
  return out;
}

void to_ours(const Storage& storage, const Tensor& tensor) {
  for (int64_t i = 0; i < tensor.type().shape.n_elements(); ++i) {
    float& x = tensor.f32()[i];
    x = storage.is_negative_exp ? std::log(-x) : x + storage.offset;
  }
}

void to_stored(const Storage& storage, const Tensor& tensor) {
  for (int64_t i = 0; i < tensor.type().shape.n_elements(); ++i) {
    float& x = tensor.f32()[i];
    x = storage.is_negative_exp ? -std::exp(x) : x - storage.offset;
  }
}

Result<FoundParameter> find_parameter(const TensorFile& file, const ParameterSpec& spec, const Storage& as_declared,
                                      std::set<std::string_view>& used) {
  FoundParameter out{as_declared, {}, Dtype::f32};
  if (const StoredTensor* first = file.find(as_declared.part_name(0)); first && first->rows_are_outputs)
    out.storage.is_transposed = false;
  const Shape wanted = stored_shape(spec, out.storage);
  for (int i = 0; i < std::max(1, as_declared.n_parts); ++i) {
    const std::string name = as_declared.part_name(i);
    const StoredTensor* stored = TRY(file.require(name));
    const Dtype its = TRY_WITH(check_tensor(*stored, spec, wanted), "in tensor \"{}\"", name);
    if (i > 0 && out.dtype != its)
      return error(Code::unimplemented, "tensor \"{}\" is {}, but others of the same parameter are {}", name,
                   dtype_info(its).name, dtype_info(out.dtype).name);
    out.dtype = its;
    used.insert(stored->name);
    out.parts.push_back(stored);
  }
  return out;
}

TensorType loaded_type(const ParameterSpec& spec, const FoundParameter& found) {
  const bool is_widened = found.storage.is_transposed && dtype_info(found.dtype).is_quantised;
  return {is_widened || is_vector(spec) ? Dtype::f32 : found.dtype, spec.shape};
}

Result<TensorView> read_parameter(const TensorFile& file, const ParameterSpec& spec, const Storage& as_declared,
                                  WeightKeeper& keeper) {
  const auto [storage, parts, dtype] = TRY(find_parameter(file, spec, as_declared, keeper.used));
  const bool is_widened = storage.is_transposed && dtype_info(dtype).is_quantised;
  const TensorType type{is_widened ? Dtype::f32 : dtype, spec.shape};
  const Rows rows = rows_of(spec, storage, dtype);
  const std::byte* data = parts[0]->bytes.data();
  if (!parts[0]->decode && !rows.map.empty()) data += rows.map[0] * rows.row_bytes;
  const bool as_stored = !parts[0]->decode && storage.n_parts == 0 && !storage.is_transposed &&
                         !storage.changes_values() && rows.is_run() && (!is_vector(spec) || dtype == Dtype::f32) &&
                         is_aligned(data, dtype);
  if (as_stored) return TensorView{type, const_cast<std::byte*>(data)};
  if (is_vector(spec)) return keep(TRY(copy_vector(parts, spec, storage, dtype)), keeper);
  CHECK(!storage.changes_values());  // only vectors do
  const size_t n_on_disk = keeper.on_disk.size();
  const TensorView copy = TRY(keeper.allocate(type));
  if (is_widened)
    TRY(write_widened(parts, spec, storage, copy.as<std::byte>()));
  else
    TRY(write_parts(parts, spec, storage, dtype, copy.as<std::byte>()));
  if (keeper.on_disk.size() > n_on_disk) TRY(keeper.on_disk.back().make_read_only());
  return copy;
}

}  // namespace hearth
