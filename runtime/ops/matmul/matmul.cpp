// matmul: rules.
#include "runtime/ops/matmul/matmul.h"

#include "runtime/ops/rules.h"

namespace hearth {

std::string_view Matmul::name() const {
  return "matmul";
}
std::string Matmul::attributes() const {
  return fmt::format("trans_a={} trans_b={}{}", trans_a, trans_b, widens ? " widens" : "");
}

namespace {

struct Sizes {
  int64_t m, n, k;
};

Sizes sizes(const Matmul& op, Types inputs) {
  const Shape &a = inputs[0].shape, &b = inputs[1].shape;
  return {op.trans_a ? a[1] : a[0], op.trans_b ? b[0] : b[1], op.trans_a ? a[0] : a[1]};
}

}  // namespace

Result<std::vector<TensorType>> Matmul::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"a", Accept::activations, 2}, {"b", Accept::laid_out_weight, 2}}));
  if (inputs[0].dtype == Dtype::q8_0 && (trans_a || !trans_b || !has_integer_levels(inputs[1].dtype)))
    return shape_error("matmul", "a", "f32 beside this b (" + attributes() + ")",
                       inputs[0].to_string() + " and " + inputs[1].to_string());
  if (inputs[1].layout != Layout::row_major && inputs[0].dtype != Dtype::q8_0)
    return shape_error("matmul", "a", "q8_0 beside this b", inputs[0].to_string() + " and " + inputs[1].to_string());
  const Sizes s = sizes(*this, inputs);
  if (s.k != (trans_b ? inputs[1].shape[1] : inputs[1].shape[0]))
    return shape_error("matmul", "b", fmt::format("of inner size {} ({})", s.k, attributes()),
                       inputs[0].to_string() + " and " + inputs[1].to_string());
  const bool is_bf16 = inputs[0].dtype == Dtype::bf16 && !trans_a && !widens;
  return std::vector{TensorType{is_bf16 ? Dtype::bf16 : Dtype::f32, {s.m, s.n}}};
}

std::vector<int> Matmul::activations(Types inputs) const {
  if (inputs[0].dtype == Dtype::q8_0) return {};
  const bool is_of_both = trans_a && (inputs[0].dtype == Dtype::bf16 || inputs[1].dtype == Dtype::f32);
  return is_of_both ? std::vector{0, 1} : std::vector{0};
}

void Matmul::reference(Views inputs, Views outputs) const {
  const TensorType types[] = {inputs[0].type, inputs[1].type};
  const Sizes s = sizes(*this, types);
  const FloatRows a(inputs[0]), b(inputs[1]);
  for (int64_t i = 0; i < s.m; ++i)
    for (int64_t j = 0; j < s.n; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < s.k; ++k)
        sum += static_cast<double>(trans_a ? a.at(k, i) : a.at(i, k)) * (trans_b ? b.at(j, k) : b.at(k, j));
      outputs[0].f32()[i * s.n + j] = static_cast<float>(sum);
    }
}

namespace {

Value as(Builder& b, Value v, Dtype dtype) {
  return b.type(v).dtype == dtype ? v : b.cast(v, dtype);
}

}  // namespace

// y = A·B: dA = dy·Bᵀ and dB = Aᵀ·dy, each in the operand's own orientation.
Result<std::vector<Value>> Matmul::gradient(GradientBuilder& g) const {
  const Value a = g.input(0), b = g.input(1);
  Value da, db;
  const Dtype of_a = g.b.type(a).dtype, of_b = g.b.type(b).dtype;
  const bool trains_b = of_b == Dtype::f32 || (trans_a && of_b == of_a);
  if (of_a == Dtype::q8_0) return not_differentiable(name(), "its activations are quantised");
  const Value dy = as(g.b, g.grad(), of_a);
  if (g.needs(0)) {
    if (trans_a && of_b != of_a) return not_differentiable(name(), "a transposed left side beside a frozen right side");
    da = trans_a ? as(g.b, g.b.matmul(b, dy, trans_b, true), of_a) : g.b.matmul(dy, b, false, !trans_b);
  }
  if (g.needs(1)) {
    if (!trains_b)
      return not_differentiable(
          name(), "the right side is frozen (" + g.b.type(b).to_string() + "); train f32 weights or a low-rank update");
    db = as(g.b, trans_b ? g.b.matmul(dy, a, true, trans_a) : g.b.matmul(a, dy, !trans_a, false), of_b);
  }
  return std::vector{da, db};
}

ShardingRule Matmul::sharding(Types) const {
  const Axes a = trans_a ? Axes{"inner", "rows"} : Axes{"rows", "inner"},
             b = trans_b ? Axes{"columns", "inner"} : Axes{"inner", "columns"};
  return {{a, b}, {{"rows", "columns"}}, {"rows", "columns", "inner"}, {}, {{0}, {1}}};
}

Cost Matmul::cost(Types inputs, Types outputs) const {
  const Sizes s = sizes(*this, inputs);
  return streaming_cost(2.0 * static_cast<double>(s.m) * static_cast<double>(s.n) * static_cast<double>(s.k), inputs,
                        outputs);
}

std::vector<Sample> Matmul::samples() {
  std::vector<Sample> out;
  for (bool trans_a : {false, true})
    for (bool trans_b : {false, true}) {
      auto op = std::make_shared<Matmul>(trans_a, trans_b);
      const int64_t m = 10, n = 14, k = 22;
      out.push_back(make_sample(fmt::format("f32_{}{}", trans_a ? 't' : 'n', trans_b ? 't' : 'n'), op, {0, 1},
                                random_tensor(trans_a ? Shape{k, m} : Shape{m, k}, 1),
                                random_tensor(trans_b ? Shape{n, k} : Shape{k, n}, 2)));
      const int64_t bm = 133, bn = 291, bk = 517;  // crosses every blocking border at least once
      out.push_back(make_sample(fmt::format("large_{}{}", trans_a ? 't' : 'n', trans_b ? 't' : 'n'), op, {},
                                random_tensor(trans_a ? Shape{bk, bm} : Shape{bm, bk}, 3),
                                random_tensor(trans_b ? Shape{bn, bk} : Shape{bk, bn}, 4)));
    }
  auto widening = std::make_shared<Matmul>(false, true, true);
  for (int64_t rows : {1, 5, 70})
    out.push_back(make_sample(fmt::format("widening_{}", rows), widening, {0, 1}, random_tensor({rows, 24}, 15),
                              random_tensor({14, 24}, 16)));
  for (Dtype dtype : {Dtype::bf16, Dtype::q4_0})
    for (int64_t rows : {3, 70})
      out.push_back(make_sample(fmt::format("widening_{}_{}", dtype_info(dtype).name, rows), widening, {},
                                random_tensor({rows, 256}, 17), random_weights(dtype, {37, 256}, 18)));
  auto linear = std::make_shared<Matmul>(false, true);
  for (Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16})  // rows that no wide load can read
    for (int64_t rows : {1, 5})
      out.push_back(make_sample(fmt::format("odd_{}_{}", dtype_info(dtype).name, rows), linear, {},
                                random_tensor({rows, 261}, 13), random_weights(dtype, {31, 261}, 14)));
  auto backward = std::make_shared<Matmul>(false, false);
  for (Dtype dtype : weight_dtypes()) {
    const char* name = dtype_info(dtype).name;
    for (int64_t rows : {1, 3, 8, 70}) {
      out.push_back(make_sample(fmt::format("linear_{}_{}", name, rows), linear, {}, random_tensor({rows, 256}, 5),
                                random_weights(dtype, {70, 256}, 6)));
      out.push_back(make_sample(fmt::format("linear_grad_{}_{}", name, rows), backward, {},
                                random_tensor({rows, 70}, 7), random_weights(dtype, {70, 256}, 8)));
    }
    out.push_back(make_sample(fmt::format("linear_frozen_{}", name), linear, {0}, random_tensor({3, 256}, 9),
                              random_weights(dtype, {6, 256}, 10)));
    if (!has_integer_levels(dtype)) continue;
    for (int64_t rows : {1, 2, 7, 32, 33}) {
      out.push_back(make_sample(fmt::format("integer_{}_{}", name, rows), linear, {},
                                random_weights(Dtype::q8_0, {rows, 512}, 11), random_weights(dtype, {70, 512}, 12)));
    }
  }
  return out;
}

}  // namespace hearth
