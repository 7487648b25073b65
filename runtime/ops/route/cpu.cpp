// route and its backward, CPU
// math:     weight[t,j] = score(logits[t])[id[t,j]], normalised and scaled; ids = the k largest of score + bias
// shapes:   logits [T,E] f32, bias [E] f32, weights [T,k] f32, ids [T,k] i32
// traffic:  T·E·4 B, ~(10 + k)·T·E operations: small beside the experts
// mapping:  tokens are split; a token is one thread's
// needs:    E <= kMaxExperts
// numerics: fp32; scores by expf, so that a choice between near ties does not depend on the instruction set
#include "runtime/kernels/isa.h"
#include "runtime/ops/route/route.h"
#include "runtime/tensor/scalar.h"

namespace hearth::HEARTH_ISA {
namespace {

void score(const float* logits, int64_t n, Routing::Scoring scoring, float* out) {
  if (scoring == Routing::Scoring::sigmoid) {
    for (int64_t e = 0; e < n; ++e) out[e] = sigmoid(logits[e]);
    return;
  }
  float largest = logits[0], sum = 0;
  for (int64_t e = 1; e < n; ++e) largest = logits[e] > largest ? logits[e] : largest;
  for (int64_t e = 0; e < n; ++e) sum += out[e] = expf(logits[e] - largest);
  for (int64_t e = 0; e < n; ++e) out[e] /= sum;
}

// The largest value that is not taken yet; of equal ones the first. Never -1 while one is left, whatever the values.
int64_t take_largest(const float* values, bool* taken, int64_t n) {
  int64_t best = -1;
  for (int64_t i = 0; i < n; ++i)
    if (!taken[i] && (best < 0 || values[i] > values[best])) best = i;
  taken[best] = true;
  return best;
}

float group_score(const float* choice, int64_t n, Routing::GroupScore kind) {
  float first = choice[0], second = -INFINITY;
  for (int64_t i = 1; i < n; ++i) {
    if (choice[i] > first) {
      second = first;
      first = choice[i];
    } else if (choice[i] > second) {
      second = choice[i];
    }
  }
  return kind == Routing::GroupScore::sum_of_two && n > 1 ? first + second : first;
}

void leave_only_best_groups(float* choice, int64_t E, const Routing& r) {
  float groups[kMaxExpertGroups];
  bool taken[kMaxExpertGroups] = {};
  const int64_t n = E / r.n_groups;
  for (int g = 0; g < r.n_groups; ++g) groups[g] = group_score(choice + g * n, n, r.group_score);
  for (int i = 0; i < r.n_chosen_groups; ++i) take_largest(groups, taken, r.n_groups);
  for (int64_t e = 0; e < E; ++e)
    if (!taken[e / n]) choice[e] = -INFINITY;
}

void route_token(const Routing& r, const float* logits, const float* bias, int64_t E, float* weights, int32_t* ids) {
  float scores[kMaxExperts], choice[kMaxExperts];
  bool taken[kMaxExperts] = {};
  score(logits, E, r.scoring, scores);
  const float* ranked = r.by_logits(bias != nullptr) ? logits : scores;
  for (int64_t e = 0; e < E; ++e) choice[e] = bias == nullptr ? ranked[e] : ranked[e] + bias[e];
  if (r.n_chosen_groups < r.n_groups) leave_only_best_groups(choice, E, r);
  float sum = kRouteEpsilon;
  for (int j = 0; j < r.n_chosen; ++j) {
    ids[j] = static_cast<int32_t>(take_largest(choice, taken, E));
    sum += scores[ids[j]];
  }
  for (int j = 0; j < r.n_chosen; ++j) weights[j] = r.scale * (r.normalise ? scores[ids[j]] / sum : scores[ids[j]]);
}

void run_forward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const Route&>(*args.op);
  const int64_t E = args.inputs[0].dim(1), k = op.routing.n_chosen;
  const float* bias = op.has_bias ? args.inputs[1].f32() : nullptr;
  const auto [begin, end] = me.share(args.inputs[0].dim(0));
  for (int64_t t = begin; t < end; ++t)
    route_token(op.routing, args.inputs[0].f32() + t * E, bias, E, args.outputs[0].f32() + t * k,
                args.outputs[1].i32() + t * k);
}

void route_token_backward(const Routing& r, const float* logits, const int32_t* ids, const float* dweights, int64_t E,
                          float* dlogits) {
  float scores[kMaxExperts];
  score(logits, E, r.scoring, scores);
  float sum = kRouteEpsilon, along = 0, dot = 0;
  for (int j = 0; j < r.n_chosen; ++j) {
    sum += scores[ids[j]];
    along += dweights[j] * scores[ids[j]];
  }
  auto dscore = [&](int j) { return r.scale * (r.normalise ? (dweights[j] - along / sum) / sum : dweights[j]); };
  for (int j = 0; j < r.n_chosen; ++j) dot += dscore(j) * scores[ids[j]];
  const bool softmax = r.scoring == Routing::Scoring::softmax;
  for (int64_t e = 0; e < E; ++e) dlogits[e] = softmax ? -dot * scores[e] : 0.0f;
  for (int j = 0; j < r.n_chosen; ++j) {
    const float s = scores[ids[j]];
    dlogits[ids[j]] += dscore(j) * (softmax ? s : s * (1 - s));
  }
}

void run_backward(const KernelArgs& args, const Worker& me) {
  const auto& op = static_cast<const RouteBackward&>(*args.op);
  const int64_t E = args.inputs[0].dim(1), k = op.routing.n_chosen;
  const auto [begin, end] = me.share(args.inputs[0].dim(0));
  for (int64_t t = begin; t < end; ++t)
    route_token_backward(op.routing, args.inputs[0].f32() + t * E, args.inputs[1].i32() + t * k,
                         args.inputs[2].f32() + t * k, E, args.outputs[0].f32() + t * E);
}

}  // namespace

template <>
Kernel kernel_for(const Route&, Types) {
  return {run_forward};
}
template <>
Kernel kernel_for(const RouteBackward&, Types) {
  return {run_backward};
}

}  // namespace hearth::HEARTH_ISA
