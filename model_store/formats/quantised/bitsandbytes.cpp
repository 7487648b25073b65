// bitsandbytes in four bits: X.weight holds pairs (the first element in the upper half), one scale (absmax) per block
// of neighbours in row-major order. With double quantisation the scales are bytes that choose from a table, times a
// second scale per 256 of them, plus an offset.
#include <cmath>

#include "model_store/formats/quantised/parts.h"
#include "runtime/tensor/codecs/all.h"

namespace hearth::quantised {
namespace {

constexpr std::string_view kState = ".quant_state.bitsandbytes__";

struct State {
  int64_t block_size = 64, nested_block_size = 0;
  float nested_offset = 0;
  std::vector<int64_t> shape;
};

Result<State> read_state(const StoredTensor& tensor) {
  const std::string_view text(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  const Json json = TRY_WITH(parse_json(text), "in tensor \"{}\"", tensor.name);
  State out;
  out.block_size = TRY(json_get<int64_t>(json, "blocksize"));
  out.shape = TRY(json_get<std::vector<int64_t>>(json, "shape"));
  out.nested_block_size = TRY(json_get_or<int64_t>(json, "nested_blocksize", 0));
  out.nested_offset = static_cast<float>(TRY(json_get_or<double>(json, "nested_offset", 0)));
  if (out.block_size < 1 || out.block_size > 65'536 || out.nested_block_size < 0 || out.shape.size() != 2 ||
      out.shape[0] < 1 || out.shape[1] < 1)
    return error(Code::data_loss, "tensor \"{}\" has a block size of {} and {} dimensions", tensor.name, out.block_size,
                 out.shape.size());
  return out;
}

// absmax of every block. Kept as its parts, and put together when a weight is decoded.
struct BlockScales {
  std::span<const std::byte> codes;  // of nested ones, else empty
  std::vector<float> table, outer;   // nested: the table, and the scale of each run of codes; else outer alone
  int64_t run = 1;
  float offset = 0;
  float operator[](int64_t i) const {
    if (codes.empty()) return outer[static_cast<size_t>(i)];
    const float product =
        table[static_cast<size_t>(codes[static_cast<size_t>(i)])] * outer[static_cast<size_t>(i / run)];
    return product + offset;
  }
};

Result<std::vector<float>> floats(const StoredTensor& tensor, int64_t n) {
  TRY(require_dtype(tensor, {"F32"}));
  if (static_cast<int64_t>(tensor.n_elements()) != n)
    return error(Code::data_loss, "tensor \"{}\" must hold {} numbers, it holds {}", tensor.name, n,
                 tensor.n_elements());
  std::vector<float> out(static_cast<size_t>(n));
  std::memcpy(out.data(), tensor.bytes.data(), static_cast<size_t>(n) * 4);
  return out;
}

Result<BlockScales> read_scales(Gatherer& out, const std::string& name, const State& state, int64_t n_blocks) {
  const StoredTensor* absmax = TRY(out.take_required(name + ".absmax"));
  BlockScales scales;
  if (state.nested_block_size == 0) {
    scales.outer = TRY(floats(*absmax, n_blocks));
    return scales;
  }
  TRY(require_dtype(*absmax, {"U8"}));
  if (static_cast<int64_t>(absmax->n_elements()) != n_blocks)
    return error(Code::data_loss, "tensor \"{}\" must hold {} scales, it holds {}", absmax->name, n_blocks,
                 absmax->n_elements());
  const StoredTensor* outer = TRY(out.take_required(name + ".nested_absmax"));
  const StoredTensor* table = TRY(out.take_required(name + ".nested_quant_map"));
  scales.codes = absmax->bytes;
  scales.run = state.nested_block_size;
  scales.offset = state.nested_offset;
  scales.outer = TRY(floats(*outer, (n_blocks + scales.run - 1) / scales.run));
  scales.table = TRY(floats(*table, 256));
  return scales;
}

Result<void> check_levels(const StoredTensor& map) {
  const std::vector<float> levels = TRY(floats(map, 16));
  for (int i = 0; i < 16; ++i)
    if (levels[static_cast<size_t>(i)] != nf4_level(i))
      return error(Code::unimplemented, "tensor \"{}\" is not the table of nf4", map.name);
  return {};
}

Result<void> add_weight(Gatherer& out, const std::string& name, const std::string& state_name) {
  const State state = TRY(read_state(*TRY(out.take_required(state_name))));
  const StoredTensor* weight = TRY(out.take_required(name));
  TRY(require_dtype(*weight, {"U8"}));
  TRY(check_levels(*TRY(out.take_required(name + ".quant_map"))));
  const int64_t rows = state.shape[0], cols = state.shape[1], block = state.block_size;
  if (rows > (int64_t{1} << 40) / cols || static_cast<int64_t>(weight->bytes.size()) * 2 != rows * cols)
    return error(Code::data_loss, "tensor \"{}\" must hold {} x {} elements, it holds {}", name, rows, cols,
                 weight->bytes.size() * 2);
  const BlockScales scales = TRY(read_scales(out, name, state, (rows * cols + block - 1) / block));
  const bool fits = block % 64 == 0 && cols % 64 == 0 && cols % 2 == 0;
  auto decode = [fits, rows, cols, block, scales, q = weight->bytes](std::byte* bytes) -> Result<void> {
    for_row_tiles(rows, kTileRows, [&](int64_t first, int64_t n) {
      for (int64_t i = first * cols; i < (first + n) * cols; i += fits ? 64 : 1) {
        if (fits) {
          auto& to = reinterpret_cast<BlockNf4*>(bytes)[i / 64];
          to.scale = scales[i / block];
          std::memcpy(to.q, q.data() + i / 2, 32);
        } else {
          const int code = (static_cast<int>(q[static_cast<size_t>(i / 2)]) >> (i % 2 ? 0 : 4)) & 15;
          reinterpret_cast<float*>(bytes)[i] = scales[i / block] * nf4_level(code);
        }
      }
    });
    return {};
  };
  out.add(name, fits ? Dtype::nf4 : Dtype::f32, {rows, cols}, std::move(decode));
  return {};
}

}  // namespace

Result<void> gather_bitsandbytes(Gatherer& out, const Json& config) {
  if (TRY(json_get_or<bool>(config, "load_in_8bit", false)) && !TRY(json_get_or<bool>(config, "load_in_4bit", false)))
    return error(Code::unimplemented, "bitsandbytes in 8 bits is not supported; get the model in nf4 or unquantised");
  for (const char* other : {"fp4", "int4"})
    if (!out.with_ending(std::string(kState) + other).empty())
      return error(Code::unimplemented, "bitsandbytes {} is not supported; nf4 is", other);
  const std::string ending = std::string(kState) + "nf4";
  for (const std::string& name : out.with_ending(ending)) TRY(add_weight(out, name, name + ending));
  return {};
}

}  // namespace hearth::quantised
