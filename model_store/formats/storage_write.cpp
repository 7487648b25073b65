// tensors_to_store, StoredBytes.
#include "model_store/formats/storage_write.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "model_store/formats/storage_read.h"

namespace hearth {
namespace {

// The view of one part of a stacked parameter.
TensorView part_view(const TensorToStore::Piece& piece) {
  if (piece.storage.n_parts == 0) return piece.view;
  TensorView out{{piece.view.type.dtype, part_shape(piece.spec, piece.storage)}, piece.view.data};
  out.data = static_cast<std::byte*>(piece.view.data) + piece.part * out.type.bytes();
  return out;
}

// Our rows into the stored tensor's.
void place(const TensorToStore::Piece& piece, std::span<const std::byte> ours, Dtype dtype, std::byte* out) {
  const Shape part = part_shape(piece.spec, piece.storage);
  const int axis = row_axis(piece.spec, part);
  const std::vector<int64_t> map = piece.storage.row_map(part[axis]);
  const int64_t n_stored = piece.storage.n_rows > 0 ? piece.storage.n_rows : part[axis];
  const int64_t row = dtype_bytes(dtype, axis + 1 == part.rank() ? 1 : part.last());
  const int64_t n_groups = static_cast<int64_t>(ours.size()) / (row * part[axis]);
  const int64_t step = piece.storage.is_transposed ? dtype_info(dtype).block_bytes : row;
  const std::byte* source = ours.data();
  for (int64_t group = 0; group < n_groups; ++group)
    for (const int64_t to : map)
      for (int64_t k = 0; k < row / step; ++k) {
        const int64_t at =
            piece.storage.is_transposed ? (group * (row / step) + k) * n_stored + to : group * n_stored + to;
        std::memcpy(out + at * step, source, static_cast<size_t>(step));
        source += step;
      }
}

}  // namespace

Result<std::vector<TensorToStore>> tensors_to_store(const std::vector<ParameterSpec>& specs,
                                                    Storage ParameterSpec::*member, const WeightsByRole& weights) {
  std::vector<TensorToStore> out;
  std::map<std::string, size_t> by_name;
  for (const ParameterSpec& spec : specs) {
    const Storage& storage = spec.*member;
    if (storage.name.empty())
      return error(Code::unimplemented, "the weight \"{}\" has no name in files of this format", spec.role);
    for (int part = 0; part < std::max(1, storage.n_parts); ++part) {
      const std::string name = storage.part_name(part);
      auto [known, is_new] = by_name.emplace(name, out.size());
      if (is_new) out.push_back({name, stored_shape(spec, storage), {}, is_vector(spec)});
      out[known->second].pieces.push_back({spec, storage, part, weights.at(spec.role)});
    }
  }
  return out;
}

std::span<const std::byte> StoredBytes::of(const TensorToStore& tensor, Dtype dtype) {
  if (tensor.pieces.size() == 1 && (tensor.pieces[0].storage.is_plain() || tensor.pieces[0].storage.n_parts > 0)) {
    Storage rest = tensor.pieces[0].storage;
    rest.n_parts = 0;
    if (rest.is_plain()) return converter_.convert(part_view(tensor.pieces[0]), dtype);
  }
  const TensorType type{dtype, tensor.shape};
  bytes_.assign(static_cast<size_t>(type.bytes()), std::byte{0});
  for (const auto& piece : tensor.pieces) {
    Tensor moved;
    TensorView view = part_view(piece);
    if (piece.storage.changes_values()) {
      moved = to_f32(view);
      to_stored(piece.storage, moved);
      view = moved.view();
    }
    place(piece, converter_.convert(view, dtype), dtype, bytes_.data());
  }
  return bytes_;
}

}  // namespace hearth
