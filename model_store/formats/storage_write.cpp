// tensors_to_store, StoredBytes.
#include "model_store/formats/storage_write.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

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

// Of a tensor that holds one part of one parameter and nothing moved: that part.
std::optional<TensorView> plain_view(const TensorToStore& tensor) {
  if (tensor.pieces.size() != 1) return std::nullopt;
  Storage rest = tensor.pieces[0].storage;
  rest.n_parts = 0;
  if (!rest.is_plain()) return std::nullopt;
  return part_view(tensor.pieces[0]);
}

constexpr int64_t kPieceBytes = int64_t{16} << 20;

// Pages of a mapping are dropped; they come back from the file if they are wanted again. Other memory is not touched.
void release(const TensorView& view) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  const uintptr_t begin = reinterpret_cast<uintptr_t>(view.data) / page * page;
  const uintptr_t end =
      (reinterpret_cast<uintptr_t>(view.data) + static_cast<uintptr_t>(view.type.bytes())) / page * page;
#ifdef MADV_PAGEOUT
  if (end > begin) (void)::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_PAGEOUT);
#endif
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

// The tensor with the weights that are made only now.
Result<void> StoredBytes::stream(const TensorToStore& given, Dtype dtype, const ByteSink& sink) {
  TensorToStore tensor = given;
  std::vector<Tensor> made;
  for (TensorToStore::Piece& piece : tensor.pieces) {
    const auto make = model_.made.find(piece.spec.role);
    if (make == model_.made.end()) continue;
    made.push_back(make->second());
    piece.view = made.back().view();
  }
  if (const auto view = plain_view(tensor)) return stream_view(*view, dtype, sink);
  const auto bytes = of(tensor, dtype);
  TRY(sink(bytes));
  count(bytes.size());
  return {};
}

Result<void> StoredBytes::stream_view(const TensorView& view, Dtype dtype, const ByteSink& sink) {
  const int64_t n_rows = view.shape().n_rows(), row = view.type.row_bytes();
  const int64_t step = std::max<int64_t>(1, kPieceBytes / std::max<int64_t>(1, row));
  for (int64_t first = 0; first < n_rows; first += step) {
    const TensorView piece{{view.type.dtype, {std::min(step, n_rows - first), view.shape().last()}}, view.row(first)};
    const auto bytes = converter_.convert(piece, dtype);
    TRY(sink(bytes));
    count(bytes.size());
    if (model_.release_pages) release(piece);
  }
  return {};
}

void StoredBytes::count(size_t n_bytes) {
  done_ += static_cast<int64_t>(n_bytes);
  if (model_.progress) model_.progress(static_cast<uint64_t>(done_), static_cast<uint64_t>(total_));
}

std::span<const std::byte> StoredBytes::of(const TensorToStore& tensor, Dtype dtype) {
  if (const auto view = plain_view(tensor)) return converter_.convert(*view, dtype);
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
