// sort_by_expert: rules.
#include "runtime/ops/sort_by_expert/sort_by_expert.h"

#include <algorithm>

#include "runtime/ops/route/route.h"
#include "runtime/ops/rules.h"

namespace hearth {

std::string_view SortByExpert::name() const {
  return "sort_by_expert";
}
std::string SortByExpert::attributes() const {
  return fmt::format("n_experts={}", n_experts);
}

Result<std::vector<TensorType>> SortByExpert::infer(Types inputs) const {
  if (inputs.size() == 2)
    TRY(check_operands(*this, inputs, {{"ids", Accept::i32, 2}, {"positions", Accept::i32, 1}}));
  else
    TRY(check_operands(*this, inputs, {{"ids", Accept::i32, 2}}));
  if (inputs.size() == 2 && inputs[1].shape[0] != inputs[0].shape[0])
    return shape_error("sort_by_expert", "positions", "one for each token", inputs[1].to_string());
  if (n_experts < 1 || n_experts > kMaxExperts)
    return shape_error("sort_by_expert", "n_experts", fmt::format("1 to {}", kMaxExperts), std::to_string(n_experts));
  const int64_t S = inputs[0].shape.n_elements();
  return std::vector{TensorType{Dtype::i32, {S}}, TensorType{Dtype::i32, {S}}, TensorType{Dtype::i32, {n_experts + 1}},
                     inputs[0]};
}

void SortByExpert::reference(Views inputs, Views outputs) const {
  const int64_t S = inputs[0].shape().n_elements(), k = inputs[0].dim(1);
  const auto expert_of = [&](int64_t slot) {
    if (inputs.size() == 2 && inputs[1].i32()[slot / k] < 0) return n_experts;
    const int32_t id = inputs[0].i32()[slot];
    return id < 0 || id >= n_experts ? n_experts - 1 : id;
  };
  int32_t row = 0;
  for (int32_t e = 0; e <= n_experts; ++e) {  // the last are padding
    outputs[2].i32()[e] = row;
    for (int64_t slot = 0; slot < S; ++slot) {
      if (expert_of(slot) != e) continue;
      outputs[0].i32()[row] = static_cast<int32_t>(slot / k);
      outputs[1].i32()[row] = std::min(e, n_experts - 1);
      outputs[3].i32()[slot] = row++;
    }
  }
}

Result<std::vector<Value>> SortByExpert::gradient(GradientBuilder& g) const {
  return std::vector<Value>(static_cast<size_t>(g.n_inputs()));  // indices: nothing flows through them
}
ShardingRule SortByExpert::sharding(Types inputs) const {
  ShardingRule rule{{{"", ""}}, {{""}, {""}, {""}, {"", ""}}, {}};  // rows of different tokens share an order
  if (inputs.size() == 2) rule.inputs.push_back({""});
  return rule;
}

Cost SortByExpert::cost(Types inputs, Types outputs) const {
  return streaming_cost(0, inputs, outputs);
}

std::vector<Sample> SortByExpert::samples() {
  auto op = std::make_shared<SortByExpert>(6);
  auto ids = [](Shape shape, int64_t below, uint32_t seed) {
    const Tensor flat = random_ids(shape.n_elements(), below, seed);
    Tensor out(TensorType{Dtype::i32, shape});
    std::copy(flat.i32(), flat.i32() + shape.n_elements(), out.i32());
    return out;
  };
  return sample_list(make_sample("small", op, {}, ids({9, 2}, 6, 1)),
                     make_sample("padding", op, {}, ids({9, 2}, 6, 5), ids_tensor({4, -1, 0, 1, 2, -1, 7, -1, -1})),
                     make_sample("one_token", op, {}, ids({1, 3}, 6, 2)),
                     make_sample("some_experts_unused", op, {}, ids({40, 4}, 3, 3)),
                     make_sample("many", std::make_shared<SortByExpert>(64), {}, ids({700, 8}, 64, 4)));
}

}  // namespace hearth
