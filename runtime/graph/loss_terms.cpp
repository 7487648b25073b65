// See loss_terms.h.
#include "runtime/graph/loss_terms.h"

#include <cmath>

#include "runtime/ops/clamp/clamp.h"
#include "runtime/ops/exp_minus_one/exp_minus_one.h"
#include "runtime/ops/log_sigmoid/log_sigmoid.h"
#include "runtime/ops/sigmoid/sigmoid.h"
#include "runtime/ops/token_logprobs/token_logprobs.h"

namespace hearth {
namespace {

constexpr int kMaxSums = 1 << 16;

Value column(Builder& b, Value v) {
  return b.split(v, 0, 1);
}

// Σ_i a[i] · v[i], f32[1].
Value dot(Builder& b, Value a, Value v) {
  if (b.failed()) return {};
  return b.merge(b.matmul(column(b, a), column(b, v), true, false), 0);
}

Value minus(Builder& b, Value a, Value c) {
  return b.add(a, b.scale(c, -1));
}

Value by_token(Builder& b, const char* name, const Logits& logits) {
  return b.input(name, {Dtype::f32, {b.type(logits.value).shape[0]}});
}

// z of n sums over tokens, from the inputs "<what>_sums" and "<what>_margins".
Value sums(Builder& b, const Logits& logits, const std::string& what, int n) {
  if (n < 1 || n > kMaxSums) {
    b.fail(error(Code::invalid_argument, "a loss has 1 to {} {}s, got {}", kMaxSums, what, n));
    return {};
  }
  const Value logprobs = token_logprobs(b, logits);
  if (b.failed()) return {};
  const Value weights = b.input(what + "_sums", {Dtype::f32, {n, b.type(logprobs).shape[0]}});
  const Value sum = b.merge(b.matmul(weights, column(b, logprobs), false, false), 0);
  return minus(b, sum, b.input(what + "_margins", {Dtype::f32, {n}}));
}

Value weights_of(Builder& b, const std::string& what, int n) {
  return b.input(what + "_weights", {Dtype::f32, {n}});
}

}  // namespace

Value token_logprobs(Builder& b, const Logits& logits) {
  if (!logits.x) {
    b.fail(error(Code::unimplemented,
                 "log-probabilities of tokens need logits that are a product with the vocabulary, scaled or capped; "
                 "this model's are more than that"));
    return {};
  }
  const Value targets = b.input("targets", {Dtype::i32, {b.type(logits.value).shape[0]}});
  const std::vector<Value> inputs{logits.x, logits.w, targets};
  for (const Node& node : b.graph().nodes())
    if (dynamic_cast<const TokenLogprobs*>(node.op.get()) != nullptr && node.inputs == inputs) return node.outputs[0];
  return b.apply(std::make_shared<TokenLogprobs>(logits.form), inputs);
}

LossTerm preference(int n_pairs) {
  return {[n_pairs](Builder& b, const Logits& logits) {
    const Value z = sums(b, logits, "pair", n_pairs);
    if (b.failed()) return Value();
    return b.scale(dot(b, weights_of(b, "pair", n_pairs), b.apply(std::make_shared<LogSigmoid>(), {z})), -1);
  }};
}

LossTerm desirability(int n_answers) {
  return {[n_answers](Builder& b, const Logits& logits) {
    const Value z = sums(b, logits, "answer", n_answers);
    if (b.failed()) return Value();
    return dot(b, weights_of(b, "answer", n_answers), b.apply(std::make_shared<Sigmoid>(), {b.scale(z, -1)}));
  }};
}

LossTerm kl_to_reference() {
  return {[](Builder& b, const Logits& logits) {
    const Value logprobs = token_logprobs(b, logits);
    if (b.failed()) return Value();
    const Value d = minus(b, by_token(b, "reference_logprobs", logits), logprobs);
    const Value divergence = minus(b, b.apply(std::make_shared<ExpMinusOne>(), {d}), d);
    return dot(b, by_token(b, "kl_weights", logits), divergence);
  }};
}

namespace {

// e^(logprob - old logprob) - 1 by token, of a difference that is at least `low` and at most `high`.
Value change(Builder& b, const Logits& logits, float low, float high) {
  const Value since = minus(b, token_logprobs(b, logits), by_token(b, "old_logprobs", logits));
  const bool is_bounded = low > -INFINITY || high < INFINITY;
  return b.apply(std::make_shared<ExpMinusOne>(),
                 {is_bounded ? b.apply(std::make_shared<Clamp>(low, high), {since}) : since});
}

}  // namespace

LossTerm policy_gradient() {
  return {[](Builder& b, const Logits& logits) {
    if (!token_logprobs(b, logits)) return Value();
    const Value advantages = by_token(b, "advantages", logits);
    return b.scale(dot(b, advantages, change(b, logits, -INFINITY, INFINITY)), -1);
  }};
}

// What is good gains no more from being likelier, and what is bad none from being less likely: the two apart.
LossTerm clipped_policy_gradient(float clip) {
  return {[clip](Builder& b, const Logits& logits) {
    if (!(clip > 0 && clip < 1)) b.fail(error(Code::invalid_argument, "clip must be between 0 and 1, got {}", clip));
    if (!token_logprobs(b, logits) || b.failed()) return Value();
    const Value advantages = by_token(b, "advantages", logits);
    const Value good = b.apply(std::make_shared<Clamp>(0.0f, INFINITY), {advantages}),
                bad = b.apply(std::make_shared<Clamp>(-INFINITY, 0.0f), {advantages});
    const Value gain = dot(b, good, change(b, logits, -INFINITY, std::log1p(clip))),
                loss = dot(b, bad, change(b, logits, std::log1p(-clip), INFINITY));
    return b.scale(b.add(gain, loss), -1);
  }};
}

}  // namespace hearth
