// Samples of attention: every combination of attributes that model families use, in small for gradients and across
// blocks of 64.
#include "runtime/ops/attention/attention.h"
#include "runtime/ops/rules.h"

namespace hearth {
namespace {

Sample attention_sample(std::string name, const AttentionAttributes& a, int64_t n_tokens, Tensor segments,
                        bool with_gradients) {
  Sample sample =
      make_sample(std::move(name), std::make_shared<Attention>(a), {}, random_tensor(a.q_shape(n_tokens), 1, 2),
                  random_tensor(a.k_shape(n_tokens), 2, 2), random_tensor(a.v_shape(n_tokens), 3), std::move(segments));
  if (with_gradients) sample.check_gradient_of = {0, 1, 2};
  if (with_gradients && a.has_sinks) sample.check_gradient_of.push_back(4);
  if (a.has_sinks) sample.inputs.push_back(random_tensor({a.n_heads}, 4, 2));
  return sample;
}

// The attributes of families: name, small (with gradients), and over several blocks.
struct Variant {
  const char* name;
  AttentionAttributes small, large;
};

std::vector<Variant> variants() {
  const AttentionAttributes small{.n_heads = 4, .n_kv_heads = 2, .head_dim = 8, .softmax_scale = 0.35f};
  const AttentionAttributes large{.n_heads = 6, .n_kv_heads = 2, .head_dim = 32, .softmax_scale = 0.18f};
  std::vector<Variant> out;
  auto add = [&](const char* name, auto change) {
    out.push_back({name, small, large});
    change(out.back().small, 3);
    change(out.back().large, 70);
  };
  add("window", [](AttentionAttributes& a, int window) { a.window = window; });
  add("window_of_two", [](AttentionAttributes& a, int) { a.window = 2; });
  add("sinks", [](AttentionAttributes& a, int) { a.has_sinks = true; });
  add("sinks_window", [](AttentionAttributes& a, int window) { a.has_sinks = true, a.window = window; });
  add("softcap", [](AttentionAttributes& a, int) { a.softcap = 1.5f; });
  add("softcap_window", [](AttentionAttributes& a, int window) { a.softcap = 1.5f, a.window = window; });
  add("narrow_values", [](AttentionAttributes& a, int) { a.value_dim = a.head_dim / 2 + 1; });
  add("wide_values", [](AttentionAttributes& a, int) { a.value_dim = a.head_dim + 12; });
  add("bidirectional", [](AttentionAttributes& a, int) { a.causal = false; });
  add("bidirectional_window", [](AttentionAttributes& a, int window) { a.causal = false, a.window = window; });
  add("everything", [](AttentionAttributes& a, int window) {
    a.causal = false, a.window = window, a.softcap = 2, a.has_sinks = true, a.value_dim = a.head_dim - 3;
  });
  return out;
}

}  // namespace

std::vector<Sample> Attention::samples() {
  const AttentionAttributes grouped{.n_heads = 4, .n_kv_heads = 2, .head_dim = 8, .softmax_scale = 0.35f};
  const AttentionAttributes wide{.n_heads = 6, .n_kv_heads = 2, .head_dim = 32, .softmax_scale = 0.18f};
  const AttentionAttributes cut{.n_heads = 24, .n_kv_heads = 12, .head_dim = 4, .softmax_scale = 0.5f};
  const AttentionAttributes multi{.n_heads = 2, .n_kv_heads = 2, .head_dim = 64, .softmax_scale = 0.125f};
  std::vector<Sample> out = sample_list(attention_sample("small", grouped, 6, segments_of(6, {0}), true),
                                        attention_sample("packed", grouped, 9, segments_of(9, {0, 3, 4}), true),
                                        attention_sample("long", wide, 211, segments_of(211, {0, 70, 71, 140}), false),
                                        attention_sample("multi_head", multi, 97, segments_of(97, {0}), false),
                                        attention_sample("cut", cut, 9, segments_of(9, {0, 4}), false));
  AttentionAttributes latent{.n_heads = 3, .n_kv_heads = 1, .head_dim = 576, .value_dim = 512, .softmax_scale = 0.03f};
  out.push_back(attention_sample("latent_heads", latent, 37, segments_of(37, {0, 20}), false));
  AttentionAttributes wide_heads{.n_heads = 2, .n_kv_heads = 2, .head_dim = 512, .softmax_scale = 0.04f, .window = 9};
  out.push_back(attention_sample("heads_of_512", wide_heads, 21, segments_of(21, {0}), false));
  for (const Variant& v : variants()) {
    const std::string name = v.name;
    out.push_back(attention_sample(name, v.small, 9, segments_of(9, {0, 2}), true));
    out.push_back(attention_sample(name + "_long", v.large, 211, segments_of(211, {0, 20}), false));
    out.push_back(attention_sample(name + "_packed", v.large, 211, segments_of(211, {0, 70, 71, 140}), false));
  }
  return out;
}

// The saved operands must be consistent, so each sample runs the forward reference first.
std::vector<Sample> AttentionBackward::samples() {
  std::vector<Sample> out;
  for (Sample& forward : Attention::samples()) {
    const AttentionAttributes& a = static_cast<const Attention&>(*forward.op).heads;
    std::vector<TensorView> inputs;
    for (const Tensor& tensor : forward.inputs) inputs.push_back(tensor.view());
    const int64_t n_tokens = inputs[0].dim(0);
    Tensor result(TensorType{Dtype::f32, a.out_shape(n_tokens)}), lse(TensorType{Dtype::f32, {n_tokens, a.n_heads}});
    const TensorView outputs[] = {result.view(), lse.view()};
    forward.op->reference(inputs, outputs);
    Sample sample = make_sample(forward.name, std::make_shared<AttentionBackward>(a), {});
    for (size_t i = 0; i < 4; ++i) sample.inputs.push_back(std::move(forward.inputs[i]));
    sample.inputs.push_back(std::move(result));
    sample.inputs.push_back(std::move(lse));
    sample.inputs.push_back(random_tensor(a.out_shape(n_tokens), 5));
    if (a.has_sinks) sample.inputs.push_back(std::move(forward.inputs[4]));
    sample.tolerance = 2e-5;
    out.push_back(std::move(sample));
  }
  return out;
}

}  // namespace hearth
