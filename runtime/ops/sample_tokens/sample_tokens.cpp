// sample_tokens: rules.
#include "runtime/ops/sample_tokens/sample_tokens.h"

#include <algorithm>
#include <cmath>

#include "runtime/ops/rules.h"

namespace hearth {

std::string_view SampleTokens::name() const {
  return "sample_tokens";
}
std::string SampleTokens::attributes() const {
  return "";
}

namespace {

constexpr int64_t kMaxVocabulary = int64_t{1} << 24;  // more than any; keys of 32 bits and an id fit into 64

struct Candidate {
  float value;  // a logit, then a weight
  int32_t id;
};

bool likelier(const Candidate& a, const Candidate& b) {
  return a.value > b.value || (a.value == b.value && a.id < b.id);
}

double sum_of(const std::vector<Candidate>& candidates) {
  double sum = 0;
  for (const Candidate& c : candidates) sum += c.value;
  return sum;
}

void truncate(std::vector<Candidate>& candidates, double top_p, float min_p) {
  std::sort(candidates.begin(), candidates.end(), likelier);
  const double target = top_p * sum_of(candidates);
  double sum = 0;
  size_t kept = 0;
  while (kept < candidates.size() && (kept == 0 || sum < target)) sum += candidates[kept++].value;
  while (kept > 1 && candidates[kept - 1].value < candidates[0].value * min_p) --kept;
  candidates.resize(kept);
}

int32_t draw(const float* logits, int64_t V, const DrawChoice& c) {
  float largest = -INFINITY;
  for (int64_t i = 0; i < V; ++i) largest = std::isnan(logits[i]) ? largest : std::max(largest, logits[i]);
  if (!std::isfinite(largest)) return -1;
  if (c.temperature == 0) return static_cast<int32_t>(std::find(logits, logits + V, largest) - logits);
  std::vector<Candidate> candidates;
  for (int64_t i = 0; i < V; ++i)
    if (std::isfinite(logits[i])) candidates.push_back({logits[i], static_cast<int32_t>(i)});
  if (c.top_k > 0) {
    std::sort(candidates.begin(), candidates.end(), likelier);
    candidates.resize(std::min(candidates.size(), static_cast<size_t>(c.top_k)));
  }
  for (Candidate& one : candidates) one.value = std::exp((one.value - largest) / c.temperature);
  if (c.top_p < 1 || c.min_p > 0) truncate(candidates, c.top_p, c.min_p);
  double point = (double{c.uniform} + c.uniform_rest) * sum_of(candidates);
  for (const Candidate& one : candidates)
    if ((point -= one.value) < 0) return one.id;
  return candidates.back().id;
}

}  // namespace

Result<std::vector<TensorType>> SampleTokens::infer(Types inputs) const {
  TRY(check_operands(*this, inputs, {{"logits", Accept::f32, 2}, {"choices", Accept::f32, 2}}));
  const int64_t T = inputs[0].shape[0], V = inputs[0].shape[1];
  if (V < 1 || V > kMaxVocabulary)
    return shape_error(name(), "logits", fmt::format("of 1 to {} tokens", kMaxVocabulary), inputs[0].to_string());
  if (const Shape wanted{T, kDrawNumbers}; !(inputs[1].shape == wanted))
    return shape_error(name(), "choices", wanted.to_string(), inputs[1].to_string());
  return std::vector{TensorType{Dtype::i32, {T}}};
}

void SampleTokens::reference(Views inputs, Views outputs) const {
  const int64_t V = inputs[0].dim(1);
  for (int64_t t = 0; t < inputs[0].dim(0); ++t)
    outputs[0].i32()[t] = draw(inputs[0].f32() + t * V, V, inputs[1].as<DrawChoice>()[t]);
}

Result<std::vector<Value>> SampleTokens::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "a drawn token is no continuous function of its logits");
}

ShardingRule SampleTokens::sharding(Types) const {
  return {{{"position", ""}, {"position", ""}}, {{"position"}}, {"position"}};
}
Cost SampleTokens::cost(Types inputs, Types outputs) const {
  return streaming_cost(2.0 * static_cast<double>(inputs[0].shape.n_elements()), inputs, outputs);
}

namespace {

// 24 rows of a vocabulary, each with a uniform number of its own and the same choice.
Sample drawn(std::string name, int64_t V, DrawChoice choice) {
  constexpr int64_t T = 24;
  Tensor choices(TensorType{Dtype::f32, {T, kDrawNumbers}});
  for (int64_t t = 0; t < T; ++t) {
    choice.uniform = t == 0 ? 0.0f : t == 1 ? 0.99999994f : static_cast<float>((t * 389) % 997) / 997.0f;
    choice.uniform_rest = t < 2 ? 0.0f : 1e-9f;
    choices.view().as<DrawChoice>()[t] = choice;
  }
  return make_sample(std::move(name), std::make_shared<SampleTokens>(), {}, random_tensor({T, V}, 1, 3),
                     std::move(choices));
}

}  // namespace

std::vector<Sample> SampleTokens::samples() {
  std::vector<Sample> out =
      sample_list(drawn("greedy", 67, {0, 0, 1, 0}), drawn("all", 131, {0.8f, 0, 1, 0}),
                  drawn("top_k", 131, {1, 9, 1, 0}), drawn("top_p", 131, {1.5f, 0, 0.7f, 0}),
                  drawn("min_p", 131, {1, 0, 1, 0.1f}), drawn("top_p_zero", 67, {1, 0, 0, 0}),
                  drawn("every_cut", 131, {0.9f, 40, 0.8f, 0.05f}), drawn("top_k_of_more", 20, {1, 64, 1, 0}),
                  drawn("cold", 131, {0.01f, 0, 0.9f, 0}), drawn("one_token", 1, {1, 0, 1, 0}));
  Sample& odd = out.emplace_back(drawn("not_numbers", 9, {1, 3, 0.9f, 0}));
  for (int64_t i = 0; i < 9; ++i) odd.inputs[0].f32()[i] = NAN, odd.inputs[0].f32()[9 + i] = -INFINITY;
  odd.inputs[0].f32()[2 * 9 + 4] = INFINITY;
  odd.inputs[0].f32()[3 * 9 + 4] = NAN, odd.inputs[0].f32()[3 * 9 + 5] = -INFINITY;
  Sample& ties = out.emplace_back(drawn("ties", 40, {1, 7, 0.9f, 0}));
  for (int64_t i = 0; i < 24 * 40; ++i) ties.inputs[0].f32()[i] = static_cast<float>(i % 3);
  return out;
}

}  // namespace hearth
