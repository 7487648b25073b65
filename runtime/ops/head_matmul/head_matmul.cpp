// head_matmul and head_outer: rules.
#include "runtime/ops/head_matmul/head_matmul.h"

#include "runtime/ops/rules.h"

namespace hearth {

std::string_view HeadMatmul::name() const {
  return "head_matmul";
}
std::string HeadMatmul::attributes() const {
  return fmt::format("trans_w={}", trans_w);
}

Result<std::vector<TensorType>> HeadMatmul::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"x", Accept::f32, 3}, {"w", Accept::weight, 3}}));
  const Shape &x = inputs[0].shape, &w = inputs[1].shape;
  if (x[1] != w[0] || x[2] != w[trans_w ? 2 : 1])
    return shape_error("head_matmul", "x", fmt::format("{} heads of {} columns", w[0], w[trans_w ? 2 : 1]),
                       inputs[0].to_string() + " and " + inputs[1].to_string());
  return std::vector{TensorType{inputs[0].dtype, {x[0], w[0], w[trans_w ? 1 : 2]}}};
}

void HeadMatmul::reference(Views inputs, Views outputs) const {
  const FloatRows w(inputs[1]);
  const int64_t H = inputs[1].dim(0), rows = inputs[1].dim(1), K = inputs[0].dim(2), N = outputs[0].dim(2);
  for (int64_t t = 0; t < inputs[0].dim(0); ++t)
    for (int64_t h = 0; h < H; ++h)
      for (int64_t n = 0; n < N; ++n) {
        double sum = 0;
        for (int64_t k = 0; k < K; ++k)
          sum += static_cast<double>(inputs[0].f32()[(t * H + h) * K + k]) *
                 (trans_w ? w.at(h * rows + n, k) : w.at(h * rows + k, n));
        outputs[0].f32()[(t * H + h) * N + n] = static_cast<float>(sum);
      }
}

Result<std::vector<Value>> HeadMatmul::gradient(GradientBuilder& g) const {
  const Value x = g.input(0), w = g.input(1), dy = g.grad();
  Value dx, dw;
  if (g.needs(0)) dx = g.b.apply(std::make_shared<HeadMatmul>(!trans_w), {dy, w});
  if (g.needs(1)) {
    const TensorType& type = g.b.type(w);
    if (type.dtype != Dtype::f32)
      return not_differentiable(name(), "the weights are frozen (" + type.to_string() + "); only f32 ones are trained");
    auto outer = std::make_shared<HeadOuter>();
    dw = trans_w ? g.b.apply(outer, {dy, x}) : g.b.apply(outer, {x, dy});
  }
  return std::vector{dx, dw};
}

ShardingRule HeadMatmul::sharding(Types) const {
  return {
      {{"position", "heads", "inner"}, trans_w ? Axes{"heads", "columns", "inner"} : Axes{"heads", "inner", "columns"}},
      {{"position", "heads", "columns"}},
      {"position", "heads", "inner", "columns"},
      {},
      {{0}, {1}}};
}

Cost HeadMatmul::cost(Types inputs, Types outputs) const {
  return streaming_cost(2 * static_cast<double>(inputs[0].shape[0]) * static_cast<double>(inputs[1].shape.n_elements()),
                        inputs, outputs);
}

std::vector<Sample> HeadMatmul::samples() {
  auto linear = std::make_shared<HeadMatmul>(true), plain = std::make_shared<HeadMatmul>(false);
  std::vector<Sample> out =
      sample_list(make_sample("f32", linear, {0, 1}, random_tensor({4, 2, 12}, 1), random_tensor({2, 10, 12}, 2)),
                  make_sample("cut", linear, {}, random_tensor({12, 12, 6}, 13), random_tensor({12, 5, 6}, 14)),
                  make_sample("f32_plain", plain, {0, 1}, random_tensor({4, 2, 12}, 3), random_tensor({2, 12, 10}, 4)),
                  make_sample("many", linear, {}, random_tensor({70, 2, 72}, 5), random_tensor({2, 90, 72}, 6)),
                  make_sample("many_plain", plain, {}, random_tensor({70, 2, 72}, 7), random_tensor({2, 72, 90}, 8)));
  for (Dtype dtype : {Dtype::f16, Dtype::bf16, Dtype::q8_0, Dtype::q4_0})
    for (int64_t rows : {1, 40}) {
      const char* name = dtype_info(dtype).name;
      out.push_back(make_sample(fmt::format("{}_{}", name, rows), linear, {}, random_tensor({rows, 2, 96}, 9),
                                random_weights(dtype, {2, 18, 96}, 10)));
      out.push_back(make_sample(fmt::format("plain_{}_{}", name, rows), plain, {}, random_tensor({rows, 2, 18}, 11),
                                random_weights(dtype, {2, 18, 96}, 12)));
    }
  return out;
}

std::string_view HeadOuter::name() const {
  return "head_outer";
}
std::string HeadOuter::attributes() const {
  return "";
}

Result<std::vector<TensorType>> HeadOuter::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"a", Accept::f32, 3}, {"b", Accept::f32, 3}}));
  const Shape &a = inputs[0].shape, &b = inputs[1].shape;
  if (a[0] != b[0] || a[1] != b[1])
    return shape_error("head_outer", "operands", "rows of as many heads in both",
                       inputs[0].to_string() + " and " + inputs[1].to_string());
  return std::vector{TensorType{Dtype::f32, {a[1], a[2], b[2]}}};
}

void HeadOuter::reference(Views inputs, Views outputs) const {
  const int64_t M = outputs[0].dim(1), N = outputs[0].dim(2), H = outputs[0].dim(0);
  for (int64_t h = 0; h < H; ++h)
    for (int64_t m = 0; m < M; ++m)
      for (int64_t n = 0; n < N; ++n) {
        double sum = 0;
        for (int64_t t = 0; t < inputs[0].dim(0); ++t)
          sum += static_cast<double>(inputs[0].f32()[(t * H + h) * M + m]) * inputs[1].f32()[(t * H + h) * N + n];
        outputs[0].f32()[(h * M + m) * N + n] = static_cast<float>(sum);
      }
}

Result<std::vector<Value>> HeadOuter::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "only gradients use it");
}
ShardingRule HeadOuter::sharding(Types) const {
  return {{{"position", "heads", "rows"}, {"position", "heads", "columns"}},
          {{"heads", "rows", "columns"}},
          {"position", "heads", "rows", "columns"},
          {},
          {{0}, {1}}};
}

Cost HeadOuter::cost(Types inputs, Types outputs) const {
  return streaming_cost(
      2 * static_cast<double>(inputs[0].shape[0]) * static_cast<double>(outputs[0].shape.n_elements()), inputs,
      outputs);
}

std::vector<Sample> HeadOuter::samples() {
  return sample_list(make_sample("small", std::make_shared<HeadOuter>(), {}, random_tensor({14, 2, 10}, 1),
                                 random_tensor({14, 2, 36}, 2)),
                     make_sample("cut", std::make_shared<HeadOuter>(), {}, random_tensor({12, 12, 10}, 3),
                                 random_tensor({12, 12, 36}, 4)));
}

}  // namespace hearth
