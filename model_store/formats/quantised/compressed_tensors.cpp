// compressed-tensors: packed integers (pack-quantized), int8 (int-quantized) and e4m3 (float-quantized), each with one
// scale per tensor, row, group or block.
#include <algorithm>
#include <optional>

#include "model_store/formats/quantised/parts.h"

namespace hearth::quantised {
namespace {

// One group of "config_groups": how the weights of some layers are stored.
struct Scheme {
  int bits = 8;
  std::string type;
  std::vector<int64_t> block;
};

Result<Scheme> scheme_of(const Json& weights) {
  Scheme out;
  out.bits = static_cast<int>(TRY(json_get_or<int64_t>(weights, "num_bits", 8)));
  out.type = TRY(json_get_or<std::string>(weights, "type", "int"));
  if (auto block = weights.find("block_structure"); block != weights.end() && block->is_array())
    out.block = TRY(json_get<std::vector<int64_t>>(weights, "block_structure"));
  if (!out.block.empty() && (out.block.size() != 2 || out.block[0] < 1 || out.block[1] < 1))
    return error(Code::invalid_argument, "block_structure must be two positive numbers");
  return out;
}

// All groups must store weights alike: which layer is in which is not looked up, the tensors say it.
Result<Scheme> only_scheme(const Json& config) {
  const Json groups = TRY(json_get<Json>(config, "config_groups"));
  std::optional<Scheme> out;
  for (const auto& [name, group] : groups.items()) {
    const Json weights = TRY_WITH(json_get<Json>(group, "weights"), "in config_groups.{}", name);
    const Scheme scheme = TRY_WITH(scheme_of(weights), "in config_groups.{}", name);
    if (out && (out->bits != scheme.bits || out->type != scheme.type || out->block != scheme.block))
      return error(Code::unimplemented, "config_groups with different weight formats in one model are not supported");
    out = scheme;
  }
  if (!out) return error(Code::invalid_argument, "config_groups is empty");
  return *out;
}

// Field i of a row of packed words, as a signed number.
int field(const Words& words, int64_t row_begin, int64_t i, int bits) {
  const int per_word = 32 / bits, mask = (1 << bits) - 1;
  const uint32_t word = words[row_begin + i / per_word];
  return static_cast<int>((word >> (i % per_word * bits)) & static_cast<uint32_t>(mask)) - (1 << (bits - 1));
}

// The scales' place and the groups of a row.
Result<void> use_scales(const StoredTensor& scale, const Scheme& scheme, IntegerWeight& w) {
  StoredTensor logical;
  logical.name = scale.name;
  logical.shape = {w.rows, w.cols};
  const Scales scales = TRY(Scales::of(scale));
  const ScaleGrid grid = TRY(scale_grid(logical, scale, scheme.block));
  w.group = grid.col_block;
  w.scales_are_halves = scales.are_halves();
  w.scale = [scales, grid](int64_t row, int64_t group) { return scales[grid.index(row, group * grid.col_block)]; };
  return {};
}

// Zero points of [rows, groups]: packed along the rows, or plain int8.
using Zero = std::function<int(int64_t row, int64_t group)>;
Result<Zero> zeros_of(const StoredTensor& tensor, const IntegerWeight& w, int bits) {
  const int64_t n_groups = (w.cols + w.group - 1) / w.group, rows = w.rows;
  if (tensor.format_dtype == "I8") {
    TRY(require_shape(tensor, {rows, n_groups}));
    return Zero([tensor, n_groups](int64_t row, int64_t group) {
      return static_cast<int>(static_cast<int8_t>(tensor.bytes[static_cast<size_t>(row * n_groups + group)]));
    });
  }
  TRY(require_dtype(tensor, {"I32", "I8"}));
  const int per_word = 32 / bits;
  TRY(require_shape(tensor, {(rows + per_word - 1) / per_word, n_groups}));
  return Zero([words = Words(tensor), n_groups, bits, per_word](int64_t row, int64_t group) {
    const uint32_t word = words[row / per_word * n_groups + group];
    return static_cast<int>((word >> (row % per_word * bits)) & ((1u << bits) - 1)) - (1 << (bits - 1));
  });
}

// Takes zero points away from `levels`, and widens the bounds.
Result<void> use_zeros(const StoredTensor* tensor, int bits, IntegerWeight& w) {
  if (!tensor) return {};
  const Zero zero = TRY(zeros_of(*tensor, w, bits));
  const int64_t n_groups = (w.cols + w.group - 1) / w.group, cols = w.cols, group = w.group;
  const int half = 1 << (bits - 1);
  w.low = -half - (half - 1), w.high = half - 1 + half;
  w.levels = [plain = w.levels, zero, cols, group, n_groups](int64_t first, int64_t n, int16_t* levels) {
    plain(first, n, levels);
    for (int64_t i = 0; i < n; ++i)
      for (int64_t g = 0; g < n_groups; ++g) {
        const int z = zero(first + i, g);
        for (int64_t k = g * group; k < std::min(cols, (g + 1) * group); ++k)
          levels[i * cols + k] = static_cast<int16_t>(levels[i * cols + k] - z);
      }
  };
  return {};
}

Result<void> refuse_act_order(Gatherer& out, const std::string& name) {
  if (!out.take(name + ".weight_g_idx")) return {};
  return error(Code::unimplemented,
               "\"{}\" has act order (weight_g_idx), which is not supported for compressed-tensors; get the model in "
               "GPTQ format or without it",
               name);
}

Result<void> add_packed(Gatherer& out, const std::string& name, const Scheme& scheme) {
  const StoredTensor* packed = TRY(out.take_required(name + ".weight_packed"));
  const StoredTensor* shape = TRY(out.take_required(name + ".weight_shape"));
  const StoredTensor* scale = TRY(out.take_required(name + ".weight_scale"));
  TRY(refuse_act_order(out, name));
  TRY(require_dtype(*packed, {"I32"}));
  TRY(require_dtype(*shape, {"I64", "I32"}));
  if (scheme.type != "int" || (scheme.bits != 4 && scheme.bits != 8))
    return error(Code::unimplemented, "packed weights of type {} with {} bits are not supported; int with 4 or 8 is",
                 scheme.type, scheme.bits);
  if (shape->n_elements() != 2 || packed->shape.size() != 2)
    return error(Code::data_loss, "\"{}\": the packed weight and its shape must be of two dimensions", name);
  IntegerWeight w;
  const Words words(*shape);  // I64: the lower half comes first, and no dimension needs the upper one
  const int64_t step = shape->format_dtype == "I64" ? 2 : 1;
  w.rows = words[0], w.cols = words[step];
  const int bits = scheme.bits, per_word = 32 / bits;
  const int64_t row_words = packed->shape[1], cols = w.cols;
  TRY(require_shape(*packed, {w.rows, (cols + per_word - 1) / per_word}));
  w.low = -(1 << (bits - 1)), w.high = (1 << (bits - 1)) - 1;
  TRY(use_scales(*scale, scheme, w));
  w.levels = [q = Words(*packed), row_words, cols, bits](int64_t first, int64_t n, int16_t* levels) {
    for (int64_t i = 0; i < n; ++i)
      for (int64_t k = 0; k < cols; ++k)
        levels[i * cols + k] = static_cast<int16_t>(field(q, (first + i) * row_words, k, bits));
  };
  TRY(use_zeros(out.take(name + ".weight_zero_point"), bits, w));
  add_integer_weight(out, name + ".weight", std::move(w));
  return {};
}

Result<void> add_int8(Gatherer& out, const std::string& name, const StoredTensor& weight, const StoredTensor& scale,
                      const Scheme& scheme) {
  TRY(refuse_act_order(out, name));
  if (weight.shape.size() != 2) return error(Code::unimplemented, "\"{}\" is no matrix", weight.name);
  IntegerWeight w;
  w.rows = weight.shape[0], w.cols = weight.shape[1];
  w.low = -128, w.high = 127;
  TRY(use_scales(scale, scheme, w));
  w.levels = [bytes = weight.bytes, cols = w.cols](int64_t first, int64_t n, int16_t* levels) {
    for (int64_t i = 0; i < n * cols; ++i)
      levels[i] = int16_t{static_cast<int8_t>(bytes[static_cast<size_t>(first * cols + i)])};
  };
  TRY(use_zeros(out.take(name + ".weight_zero_point"), 8, w));
  add_integer_weight(out, weight.name, std::move(w));
  return {};
}

}  // namespace

Result<void> gather_compressed_tensors(Gatherer& out, const Json& config) {
  const Scheme scheme = TRY(only_scheme(config));
  for (const std::string& name : out.with_ending(".weight_packed")) TRY(add_packed(out, name, scheme));
  for (const std::string& name : out.with_ending(".weight_scale")) {
    const StoredTensor* weight = out.take(name + ".weight");
    if (!weight) continue;  // packed, done above
    const StoredTensor* scale = TRY(out.take_required(name + ".weight_scale"));
    if (weight->format_dtype == "I8") {
      TRY(add_int8(out, name, *weight, *scale, scheme));
    } else if (weight->format_dtype == "F8_E4M3") {
      TRY(add_e4m3_weight(out, *weight, *scale, scheme.block));
    } else {
      return error(Code::unimplemented, "\"{}\" is {}; of compressed-tensors, packed integers, int8 and fp8 are read",
                   weight->name, weight->format_dtype);
    }
  }
  for (const char* ending : {".input_scale", ".input_zero_point", ".k_scale", ".v_scale", ".output_scale"})
    for (const std::string& name : out.with_ending(ending)) out.take(name + ending);  // of activations
  return {};
}

}  // namespace hearth::quantised
