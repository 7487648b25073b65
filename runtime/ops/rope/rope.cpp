// rope: rules.
#include "runtime/ops/rope/rope.h"

#include <algorithm>
#include <cmath>
#include "runtime/ops/rules.h"

namespace hearth {

std::string_view Rope::name() const {
  return "rope";
}
std::string Rope::attributes() const {
  return fmt::format("head_dim={} inverse_frequencies=[{}] magnitude={} inverse={} begin={} interleaved={}", head_dim,
                     fmt::join(inverse_frequencies, ","), magnitude, inverse, layout.begin, layout.interleaved);
}

Result<std::vector<TensorType>> Rope::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 3}, {"positions", Accept::i32, 1}}));
  if (inputs[0].shape[0] != inputs[1].shape[0])
    return shape_error("rope", "positions", "one per row of x",
                       inputs[0].to_string() + " and " + inputs[1].to_string());
  if (head_dim < 2 || inputs[0].shape[2] != head_dim)
    return shape_error("rope", "x", fmt::format("heads of {}", head_dim), inputs[0].to_string());
  if (n_pairs() < 1 || layout.begin < 0 || layout.begin + 2 * n_pairs() > head_dim)
    return shape_error("rope", "inverse_frequencies", fmt::format("one per pair of at most {} elements", head_dim),
                       fmt::format("{} from element {} on", n_pairs(), layout.begin));
  return std::vector{inputs[0]};
}

void Rope::reference(Views inputs, Views outputs) const {
  const int64_t n_rows = inputs[0].dim(0), n = inputs[0].dim(1) * head_dim;
  std::copy(inputs[0].f32(), inputs[0].f32() + n_rows * n, outputs[0].f32());
  for (int64_t t = 0; t < n_rows; ++t)
    for (int64_t begin = t * n + layout.begin; begin < (t + 1) * n; begin += head_dim)
      for (int64_t i = 0; i < n_pairs(); ++i) {
        const float angle = static_cast<float>(inputs[1].i32()[t]) * inverse_frequencies[static_cast<size_t>(i)];
        const float c = std::cos(angle) * magnitude, s = std::sin(angle) * (inverse ? -magnitude : magnitude);
        const int64_t first = begin + (layout.interleaved ? 2 * i : i);
        const int64_t second = layout.interleaved ? first + 1 : first + n_pairs();
        const float x0 = inputs[0].f32()[first], x1 = inputs[0].f32()[second];
        outputs[0].f32()[first] = x0 * c - x1 * s;
        outputs[0].f32()[second] = x1 * c + x0 * s;
      }
}

Result<std::vector<Value>> Rope::gradient(GradientBuilder& g) const {
  return std::vector{g.b.apply(std::make_shared<Rope>(head_dim, inverse_frequencies, magnitude, !inverse, layout),
                               {g.grad(), g.input(1)}),
                     Value()};
}

ShardingRule Rope::sharding(Types) const {
  const Axes heads{"position", "heads", ""};
  return {{heads, {"position"}}, {heads}, {"position", "heads"}, {}, {{0}}};
}

Cost Rope::cost(Types inputs, Types outputs) const {
  return streaming_cost(3.0 * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> Rope::samples() {
  std::vector<float> frequencies;
  for (int i = 0; i < 8; ++i) frequencies.push_back(static_cast<float>(std::pow(10000.0, -i / 8.0)));
  auto layout = [&](const char* name, int head_dim, bool inverse, RopeLayout layout) {
    return make_sample(name, std::make_shared<Rope>(head_dim, frequencies, 1.2f, inverse, layout), {0},
                       random_tensor({4, 2, head_dim}, 3), ids_tensor({0, 1, 7, 100}));
  };
  return sample_list(layout("partial", 21, false, {}), layout("partial_end", 24, false, {.begin = 8}),
                     layout("interleaved", 16, false, {.interleaved = true}),
                     layout("interleaved_partial", 22, true, {.begin = 3, .interleaved = true}),
                     make_sample("small", std::make_shared<Rope>(16, frequencies, 1.0f, false), {0},
                                 random_tensor({4, 2, 16}, 1), ids_tensor({0, 1, 7, 100})),
                     make_sample("far", std::make_shared<Rope>(16, frequencies, 1.2f, false), {},
                                 random_tensor({4, 2, 16}, 2), ids_tensor({4095, 9000, 100000, 131071})),
                     make_sample("inverse", std::make_shared<Rope>(16, frequencies, 1.2f, true), {0},
                                 random_tensor({4, 2, 16}, 2), ids_tensor({0, 1, 2, 3})),
                     make_sample("cut", std::make_shared<Rope>(16, frequencies, 1.2f, false), {},
                                 random_tensor({12, 12, 16}, 4), random_ids(12, 1000, 5)));
}

}  // namespace hearth
