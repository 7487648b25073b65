// route and route_backward: rules.
#include "runtime/ops/route/route.h"

#include <algorithm>
#include <numeric>

#include "runtime/ops/rules.h"
#include "runtime/tensor/scalar.h"

namespace hearth {
namespace {

using Scoring = Routing::Scoring;

std::string to_text(const Routing& r) {
  return fmt::format("scoring={} n_chosen={} normalise={} scale={} n_groups={} n_chosen_groups={} group_score={}",
                     r.scoring == Scoring::softmax ? "softmax" : "sigmoid", r.n_chosen, r.normalise, r.scale,
                     r.n_groups, r.n_chosen_groups,
                     r.group_score == Routing::GroupScore::largest ? "largest" : "sum_of_two");
}

Result<void> check_routing(std::string_view op, const Routing& r, int64_t n_experts) {
  const auto fail = [&](const char* what, const std::string& wanted, int64_t got) {
    return shape_error(op, what, wanted, std::to_string(got));
  };
  if (n_experts < 1 || n_experts > kMaxExperts)
    return fail("the number of experts", fmt::format("1 to {}", kMaxExperts), n_experts);
  if (r.n_groups < 1 || r.n_groups > kMaxExpertGroups || n_experts % r.n_groups != 0)
    return fail("n_groups", fmt::format("1 to {} and a divisor of {} experts", kMaxExpertGroups, n_experts),
                r.n_groups);
  if (r.n_chosen_groups < 1 || r.n_chosen_groups > r.n_groups)
    return fail("n_chosen_groups", fmt::format("1 to {}", r.n_groups), r.n_chosen_groups);
  const int64_t available = n_experts / r.n_groups * r.n_chosen_groups;
  if (r.n_chosen < 1 || r.n_chosen > available)
    return fail("n_chosen", fmt::format("1 to the {} experts that may be chosen", available), r.n_chosen);
  return {};
}

std::vector<double> scores_of(const float* logits, int64_t n, Scoring scoring) {
  std::vector<double> scores(logits, logits + n);
  if (scoring == Scoring::sigmoid) {
    for (double& x : scores) x = 1 / (1 + std::exp(-x));
    return scores;
  }
  const double largest = *std::max_element(scores.begin(), scores.end());
  for (double& x : scores) x = std::exp(x - largest);
  const double sum = std::accumulate(scores.begin(), scores.end(), 0.0);
  for (double& x : scores) x /= sum;
  return scores;
}

double group_score(std::vector<double> choice, Routing::GroupScore kind) {
  std::sort(choice.begin(), choice.end(), std::greater<>());
  return kind == Routing::GroupScore::sum_of_two && choice.size() > 1 ? choice[0] + choice[1] : choice[0];
}

// Indices of the n largest values, largest first; of equal ones the lower index.
std::vector<int32_t> largest_indices(const std::vector<double>& values, int n) {
  std::vector<int32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
    return values[static_cast<size_t>(a)] > values[static_cast<size_t>(b)];
  });
  order.resize(static_cast<size_t>(n));
  return order;
}

void leave_only_best_groups(std::vector<double>& choice, const Routing& r) {
  const auto n = static_cast<std::ptrdiff_t>(choice.size()) / r.n_groups;
  std::vector<double> groups;
  for (int g = 0; g < r.n_groups; ++g)
    groups.push_back(group_score({choice.begin() + g * n, choice.begin() + (g + 1) * n}, r.group_score));
  const std::vector<int32_t> best = largest_indices(groups, r.n_chosen_groups);
  for (int g = 0; g < r.n_groups; ++g)
    if (std::find(best.begin(), best.end(), g) == best.end())
      std::fill(choice.begin() + g * n, choice.begin() + (g + 1) * n, -INFINITY);
}

}  // namespace

namespace {

// Values in [-3, 3] that are well apart within a row: a small step changes no choice.
Tensor spread_logits(Shape shape, uint32_t seed) {
  Tensor out(TensorType{Dtype::f32, shape});
  const int64_t n = shape.last();
  for (int64_t row = 0; row < shape.n_rows(); ++row) {
    const Tensor keys = random_tensor({n}, seed + static_cast<uint32_t>(row));
    for (int64_t i = 0; i < n; ++i) {
      const auto rank = std::count_if(keys.f32(), keys.f32() + n, [&](float key) { return key < keys.f32()[i]; });
      out.f32()[row * n + i] = -3 + 6 * static_cast<float>(rank) / static_cast<float>(n);
    }
  }
  return out;
}

}  // namespace

std::string_view Route::name() const {
  return "route";
}
std::string Route::attributes() const {
  return fmt::format("{} has_bias={}", to_text(routing), has_bias);
}

Result<std::vector<TensorType>> Route::infer(Types inputs) const {
  if (has_bias) {
    TRY(check_operands(*this, inputs, {{"logits", Accept::f32, 2}, {"bias", Accept::f32, 1}}));
    if (inputs[1].shape[0] != inputs[0].shape[1])
      return shape_error("route", "bias", "one value per expert",
                         inputs[0].to_string() + " and " + inputs[1].to_string());
  } else {
    TRY(check_operands(*this, inputs, {{"logits", Accept::f32, 2}}));
  }
  TRY(check_routing("route", routing, inputs[0].shape[1]));
  const Shape shape{inputs[0].shape[0], routing.n_chosen};
  return std::vector{TensorType{Dtype::f32, shape}, TensorType{Dtype::i32, shape}};
}

void Route::reference(Views inputs, Views outputs) const {
  const int64_t E = inputs[0].dim(1), k = routing.n_chosen;
  for (int64_t t = 0; t < inputs[0].dim(0); ++t) {
    const std::vector<double> scores = scores_of(inputs[0].f32() + t * E, E, routing.scoring);
    std::vector<double> choice = scores;
    if (routing.by_logits(has_bias)) choice.assign(inputs[0].f32() + t * E, inputs[0].f32() + (t + 1) * E);
    for (int64_t e = 0; e < E && has_bias; ++e) choice[static_cast<size_t>(e)] += inputs[1].f32()[e];
    leave_only_best_groups(choice, routing);
    const std::vector<int32_t> chosen = largest_indices(choice, routing.n_chosen);
    double sum = kRouteEpsilon;
    for (int32_t e : chosen) sum += scores[static_cast<size_t>(e)];
    for (int64_t j = 0; j < k; ++j) {
      const int32_t e = chosen[static_cast<size_t>(j)];
      const double score = scores[static_cast<size_t>(e)];
      outputs[0].f32()[t * k + j] = static_cast<float>(routing.scale * (routing.normalise ? score / sum : score));
      outputs[1].i32()[t * k + j] = e;
    }
  }
}

Result<std::vector<Value>> Route::gradient(GradientBuilder& g) const {
  std::vector<Value> grads(static_cast<size_t>(g.n_inputs()));
  if (g.grad(0) && g.needs(0))
    grads[0] = g.b.apply(std::make_shared<RouteBackward>(routing), {g.input(0), g.output(1), g.grad(0)});
  return grads;
}

ShardingRule Route::sharding(Types) const {
  ShardingRule rule{{{"position", ""}}, {{"position", ""}, {"position", ""}}, {"position"}};
  if (has_bias) rule.inputs.push_back({""});
  return rule;
}

Cost Route::cost(Types inputs, Types outputs) const {
  return streaming_cost((10.0 + routing.n_chosen) * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> Route::samples() {
  using GroupScore = Routing::GroupScore;
  auto op = [](Routing r, bool has_bias) { return std::make_shared<Route>(r, has_bias); };
  Tensor ties(TensorType{Dtype::f32, {2, 6}});
  for (int i : {1, 4, 5, 7}) ties.f32()[i] = 2;
  return sample_list(
      make_sample("softmax", op({Scoring::softmax, 2}, false), {0}, spread_logits({6, 8}, 1)),
      make_sample("softmax_normalised", op({Scoring::softmax, 3, true, 2.5f}, false), {0}, spread_logits({4, 67}, 2)),
      make_sample("sigmoid_bias", op({Scoring::sigmoid, 2, true, 1.5f}, true), {0}, random_tensor({6, 8}, 3, 3),
                  random_tensor({8}, 4)),
      make_sample("groups_sum_of_two", op({Scoring::sigmoid, 3, true, 1, 4, 2, GroupScore::sum_of_two}, true), {0},
                  random_tensor({6, 16}, 5, 3), random_tensor({16}, 6, 0.3f)),
      make_sample("groups_largest", op({Scoring::softmax, 3, false, 16, 4, 2, GroupScore::largest}, false), {0},
                  spread_logits({6, 16}, 7)),
      make_sample("all_chosen", op({Scoring::softmax, 4, true}, false), {0}, random_tensor({2, 4}, 8, 3)),
      make_sample("ties_take_the_lower_index", op({Scoring::softmax, 3}, false), {}, std::move(ties)),
      make_sample("extreme", op({Scoring::softmax, 2, true}, false), {}, random_tensor({4, 12}, 9, 200)));
}

std::string_view RouteBackward::name() const {
  return "route_backward";
}
std::string RouteBackward::attributes() const {
  return to_text(routing);
}

Result<std::vector<TensorType>> RouteBackward::infer(Types inputs) const {
  TRY(check_operands(*this, inputs,
                     {{"logits", Accept::f32, 2}, {"ids", Accept::i32, 2}, {"dweights", Accept::f32, 2}}));
  TRY(check_routing("route_backward", routing, inputs[0].shape[1]));
  TRY(check_same_shape("route_backward", inputs, 1, 2));
  if (!(inputs[1].shape == Shape{inputs[0].shape[0], routing.n_chosen}))
    return shape_error("route_backward", "ids", Shape{inputs[0].shape[0], routing.n_chosen}.to_string(),
                       inputs[1].to_string());
  return std::vector{inputs[0]};
}

void RouteBackward::reference(Views inputs, Views outputs) const {
  const int64_t E = inputs[0].dim(1), k = routing.n_chosen;
  for (int64_t t = 0; t < inputs[0].dim(0); ++t) {
    const std::vector<double> scores = scores_of(inputs[0].f32() + t * E, E, routing.scoring);
    const int32_t* ids = inputs[1].i32() + t * k;
    const float* dweights = inputs[2].f32() + t * k;
    double sum = kRouteEpsilon, along = 0;  // along: how the gradient moves all chosen weights together
    for (int64_t j = 0; j < k; ++j) {
      sum += scores[static_cast<size_t>(ids[j])];
      along += dweights[j] * scores[static_cast<size_t>(ids[j])];
    }
    std::vector<double> dscores(static_cast<size_t>(E));
    for (int64_t j = 0; j < k; ++j)
      dscores[static_cast<size_t>(ids[j])] =
          routing.scale * (routing.normalise ? (dweights[j] - along / sum) / sum : dweights[j]);
    double dot = 0;
    for (size_t e = 0; e < dscores.size(); ++e) dot += dscores[e] * scores[e];
    for (size_t e = 0; e < dscores.size(); ++e)
      outputs[0].f32()[t * E + static_cast<int64_t>(e)] =
          static_cast<float>(routing.scoring == Scoring::softmax ? scores[e] * (dscores[e] - dot)
                                                                 : dscores[e] * scores[e] * (1 - scores[e]));
  }
}

Result<std::vector<Value>> RouteBackward::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "it is a first-order gradient");
}
ShardingRule RouteBackward::sharding(Types) const {
  return {{{"position", ""}, {"position", ""}, {"position", ""}}, {{"position", ""}}, {"position"}, {}, {{2}}};
}

Cost RouteBackward::cost(Types inputs, Types outputs) const {
  return streaming_cost(14.0 * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

std::vector<Sample> RouteBackward::samples() {
  auto op = [](Routing r) { return std::make_shared<RouteBackward>(r); };
  auto ids = [] {
    Tensor out(TensorType{Dtype::i32, {2, 2}});
    const int32_t values[] = {3, 0, 8, 5};
    std::copy(values, values + 4, out.i32());
    return out;
  };
  Tensor many_ids(TensorType{Dtype::i32, {12, 2}});
  for (int i = 0; i < 24; ++i) many_ids.i32()[i] = i * 4 % 9;
  return sample_list(make_sample("cut", op({Scoring::softmax, 2, true}), {}, random_tensor({12, 9}, 7, 3),
                                 std::move(many_ids), random_tensor({12, 2}, 8)),
                     make_sample("softmax", op({Scoring::softmax, 2, false, 2}), {}, random_tensor({2, 9}, 1, 3), ids(),
                                 random_tensor({2, 2}, 2)),
                     make_sample("softmax_normalised", op({Scoring::softmax, 2, true}), {}, random_tensor({2, 9}, 3),
                                 ids(), random_tensor({2, 2}, 4)),
                     make_sample("sigmoid_normalised", op({Scoring::sigmoid, 2, true, 2.5f}), {},
                                 random_tensor({2, 9}, 5, 2), ids(), random_tensor({2, 2}, 6)));
}

}  // namespace hearth
