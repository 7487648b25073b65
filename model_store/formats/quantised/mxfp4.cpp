// gpt-oss: X_blocks [..., blocks of 32, 16] and X_scales [..., blocks] become X [..., 32 * blocks] in mxfp4. There the
// two elements of a byte are neighbours (the low half first), here they are 16 apart.
#include "model_store/formats/quantised/parts.h"
#include "runtime/tensor/codecs/all.h"

namespace hearth::quantised {
namespace {

void repack(const std::byte* pairs, std::byte scale, BlockMxfp4& block) {
  auto element = [&](int i) { return (static_cast<int>(pairs[i / 2]) >> (4 * (i % 2))) & 15; };
  block.exponent = static_cast<uint8_t>(scale);
  for (int i = 0; i < 16; ++i) block.q[i] = static_cast<uint8_t>(element(i) | element(i + 16) << 4);
}

}  // namespace

Result<void> gather_mxfp4(Gatherer& out, const Json&) {
  for (const std::string& name : out.with_ending("_blocks")) {
    const StoredTensor* blocks = TRY(out.take_required(name + "_blocks"));
    const StoredTensor* scales = TRY(out.take_required(name + "_scales"));
    TRY(require_dtype(*blocks, {"U8"}));
    TRY(require_dtype(*scales, {"U8"}));
    if (blocks->shape.size() < 3 || blocks->shape.back() != 16)
      return error(Code::data_loss, "tensor \"{}\" must end in blocks of 16 bytes, its shape is [{}]", blocks->name,
                   fmt::join(blocks->shape, ", "));
    std::vector<int64_t> shape(blocks->shape.begin(), blocks->shape.end() - 1);
    TRY(require_shape(*scales, shape));
    shape.back() *= 32;
    const auto n_blocks = static_cast<int64_t>(scales->n_elements());
    out.add_outputs_first(
        name, Dtype::mxfp4, shape,
        [n_blocks, pairs = blocks->bytes, exponents = scales->bytes](std::byte* bytes) -> Result<void> {
          auto* to = reinterpret_cast<BlockMxfp4*>(bytes);
          for_row_tiles(n_blocks, 4096, [&](int64_t first, int64_t n) {
            for (int64_t b = first; b < first + n; ++b)
              repack(pairs.data() + b * 16, exponents[static_cast<size_t>(b)], to[b]);
          });
          return {};
        });
  }
  return {};
}

}  // namespace hearth::quantised
