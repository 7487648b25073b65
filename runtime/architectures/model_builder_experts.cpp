// ModelBuilder: experts.
#include "base/check.h"
#include "runtime/architectures/model_builder.h"
#include "runtime/ops/combine_experts/combine_experts.h"
#include "runtime/ops/grouped_matmul/grouped_matmul.h"
#include "runtime/ops/route/route.h"
#include "runtime/ops/scale_rows/scale_rows.h"
#include "runtime/ops/sort_by_expert/sort_by_expert.h"
#include "runtime/ops/swiglu_clamped/swiglu_clamped.h"

namespace hearth {

struct ModelBuilder::SortedRows {
  Value token_of_row, expert_of_row, expert_begin, row_of_slot;
};

Value ModelBuilder::declared(const std::string& role) {
  const std::string name = role_here(role);
  return find(name) ? parameter(name) : Value();
}

Value ModelBuilder::mlp(Value x, const std::string& prefix) {
  return linear(glu(linear(x, prefix + "gate"), linear(x, prefix + "up")), prefix + "down");
}

Value ModelBuilder::expert_linear(Value x, const std::string& role, const SortedRows& rows) {
  const Value w = declared(role), bias = declared(role + "_bias");
  CHECK(w);
  const Value y = builder_.apply(std::make_shared<GroupedMatmul>(true), {x, w, rows.expert_begin});
  return bias ? builder_.add(y, builder_.gather_rows(bias, rows.expert_of_row)) : y;
}

// weights [T, k] times the scale of each chosen expert.
Value ModelBuilder::scaled_choice(Value weights, Value ids, Value scale) {
  const Value chosen = builder_.gather_rows(builder_.split(scale, 0, 1), builder_.merge(ids, 0));
  return builder_.mul(weights, builder_.split(builder_.merge(chosen, 0), 0, config_.moe.routing.n_chosen));
}

Value ModelBuilder::experts(Value x, Value router_input) {
  const MoeConfig& moe = config_.moe;
  const Value correction = declared("router_correction");
  std::vector<Value> inputs{linear(router_input ? router_input : x, "router")};
  if (correction) inputs.push_back(correction);
  const std::vector<Value> routed = builder_.apply_all(std::make_shared<Route>(moe.routing, bool(correction)), inputs);
  const Value scale = declared("expert_scale");
  const Value weights = scale ? scaled_choice(routed[0], routed[1], scale) : routed[0];
  const std::vector<Value> sorted = builder_.apply_all(std::make_shared<SortByExpert>(moe.n_experts), {routed[1]});
  const SortedRows rows{sorted[0], sorted[1], sorted[2], sorted[3]};
  const Value x_rows = builder_.gather_rows(x, rows.token_of_row);
  const Value gate = expert_linear(x_rows, "experts_gate", rows), up = expert_linear(x_rows, "experts_up", rows);
  const Value hidden =
      moe.swiglu.limit > 0 ? builder_.apply(std::make_shared<SwigluClamped>(moe.swiglu), {gate, up}) : glu(gate, up);
  const Value y = builder_.apply(std::make_shared<CombineExperts>(),
                                 {expert_linear(hidden, "experts_down", rows), rows.row_of_slot, weights});
  if (!declared("shared_down")) return y;
  Value shared = mlp(x, "shared_");
  if (declared("shared_router"))
    shared = builder_.apply(std::make_shared<ScaleRows>(), {shared, sigmoid(linear(x, "shared_router"))});
  return builder_.add(y, shared);
}

Value ModelBuilder::experts_or_mlp(Value x) {
  return config_.moe.has_experts(layer_) ? experts(x) : mlp(x);
}

}  // namespace hearth
