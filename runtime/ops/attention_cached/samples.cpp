// Samples of attention_cached: every dtype of cache, every way in which blocks, pages, chunks and sequences cross, and
// every combination of attributes that model families use.
#include "runtime/ops/attention_cached/attention_cached.h"
#include "runtime/ops/rules.h"

namespace hearth {
namespace {

// A cache of `n_pages` pages of `page_size` for two sequences, whose pages are interleaved; the content is random, so
// that a prefix is there already.
Sample cached_sample(std::string name, const AttentionAttributes& a, Dtype dtype, int64_t n_pages, int64_t page_size,
                     Tensor positions, Tensor seqs) {
  const int64_t n = positions.type().shape[0], per_seq = n_pages / 2;
  Tensor table(TensorType{Dtype::i32, {2, per_seq}});
  for (int64_t i = 0; i < n_pages; ++i) table.i32()[i] = static_cast<int32_t>((i * 7 + 4) % n_pages);
  Sample sample =
      make_sample(std::move(name), std::make_shared<AttentionCached>(a), {}, random_tensor(a.q_shape(n), 1, 2),
                  random_tensor(a.k_shape(n), 2, 2), random_tensor(a.v_shape(n), 3),
                  random_weights(dtype, {n_pages, a.n_kv_heads, page_size, a.head_dim}, 4),
                  random_weights(dtype, {n_pages, a.n_kv_heads, page_size, a.v_dim()}, 5), std::move(positions),
                  std::move(seqs), std::move(table));
  if (a.has_sinks) sample.inputs.push_back(random_tensor({a.n_heads}, 6, 2));
  sample.tolerance = 2e-5;
  return sample;
}

// A chunk of a long prompt beside a decoding sequence; blocks of positions and pages cross in every way.
Sample long_sample(std::string name, const AttentionAttributes& a, Dtype dtype) {
  constexpr int64_t kTokens = 45;
  Tensor positions(TensorType{Dtype::i32, {kTokens}}), seqs(TensorType{Dtype::i32, {kTokens}});
  for (int64_t t = 0; t < kTokens; ++t) positions.i32()[t] = static_cast<int32_t>(100 + t), seqs.i32()[t] = 0;
  positions.i32()[kTokens - 1] = 70, seqs.i32()[kTokens - 1] = 1;
  return cached_sample(std::move(name), a, dtype, 30, 12, std::move(positions), std::move(seqs));
}

// Sequences of thousands of positions, which threads share by chunks of positions.
Sample far_sample(std::string name, const AttentionAttributes& a, Tensor positions, Tensor seqs) {
  return cached_sample(std::move(name), a, Dtype::f16, 170, 64, std::move(positions), std::move(seqs));
}

// The sequence of a padding token may be anything.
constexpr int32_t kNoSeq = -1000000;

}  // namespace

std::vector<Sample> AttentionCached::samples() {
  std::vector<Sample> out;
  const AttentionAttributes plain{.n_heads = 4, .n_kv_heads = 2, .head_dim = 16, .softmax_scale = 0.25f};
  const AttentionAttributes wide{.n_heads = 6, .n_kv_heads = 2, .head_dim = 20, .softmax_scale = 0.2f};
  for (Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
    const std::string suffix = std::string("_") + dtype_info(dtype).name;
    auto add = [&](const char* name, Tensor positions, Tensor seqs) {
      out.push_back(cached_sample(name + suffix, plain, dtype, 6, 8, std::move(positions), std::move(seqs)));
    };
    add("decode", ids_tensor({17}), ids_tensor({1}));
    add("decode_two", ids_tensor({5, 23}), ids_tensor({1, 0}));
    add("padding", ids_tensor({-1, 5, 6, -3, 7, 23, -1}), ids_tensor({kNoSeq, 1, 1, kNoSeq, 1, 0, 0}));
    add("mixed", ids_tensor({7, 8, 9, 10, 0, 1, 2, 20}), ids_tensor({0, 0, 0, 0, 1, 1, 1, 1}));
    out.push_back(long_sample("long" + suffix, wide, dtype));
  }
  const AttentionAttributes cut{.n_heads = 24, .n_kv_heads = 12, .head_dim = 4, .softmax_scale = 0.5f};
  out.push_back(cached_sample("cut", cut, Dtype::f32, 6, 8, ids_tensor({5, 23}), ids_tensor({1, 0})));
  auto variant = [&](const std::string& name, auto change) {
    AttentionAttributes a = wide;
    change(a);
    out.push_back(long_sample(name, a, Dtype::f16));
    out.push_back(cached_sample(name + "_decode", a, Dtype::f32, 30, 12, ids_tensor({150, 3}), ids_tensor({1, 0})));
  };
  variant("window", [](AttentionAttributes& a) { a.window = 40; });
  variant("window_of_one", [](AttentionAttributes& a) { a.window = 1; });
  variant("sinks", [](AttentionAttributes& a) { a.has_sinks = true; });
  variant("sinks_window", [](AttentionAttributes& a) { a.has_sinks = true, a.window = 64; });
  variant("softcap_window", [](AttentionAttributes& a) { a.softcap = 1.5f, a.window = 5; });
  variant("narrow_values", [](AttentionAttributes& a) { a.value_dim = 12; });
  variant("wide_values", [](AttentionAttributes& a) { a.value_dim = 29, a.n_heads = 4, a.n_kv_heads = 1; });
  variant("padded_sinks", [](AttentionAttributes& a) { a.has_sinks = true; });
  Sample& padded = out.back();
  padded.inputs[5].i32()[0] = -1, padded.inputs[6].i32()[0] = kNoSeq;
  const AttentionAttributes latent{
      .n_heads = 20, .n_kv_heads = 1, .head_dim = 576, .value_dim = 512, .softmax_scale = 0.03f};
  for (Dtype dtype : {Dtype::f32, Dtype::bf16}) {
    const std::string name = std::string("latent_heads_") + dtype_info(dtype).name;
    out.push_back(cached_sample(name, latent, dtype, 4, 24, ids_tensor({40, 41, 7}), ids_tensor({1, 1, 0})));
    out.push_back(cached_sample(name + "_far", latent, dtype, 6, 128, ids_tensor({300}), ids_tensor({1})));
  }
  const AttentionAttributes wide_heads{
      .n_heads = 2, .n_kv_heads = 2, .head_dim = 512, .softmax_scale = 0.04f, .window = 9};
  out.push_back(cached_sample("heads_of_512", wide_heads, Dtype::f16, 6, 8, ids_tensor({7, 8, 9, 10, 0, 1, 2, 20}),
                              ids_tensor({0, 0, 0, 0, 1, 1, 1, 1})));
  auto far = [&](const std::string& name, auto change) {
    AttentionAttributes a{.n_heads = 3, .n_kv_heads = 1, .head_dim = 8, .softmax_scale = 0.4f};
    change(a);
    out.push_back(far_sample(name, a, ids_tensor({5400}), ids_tensor({1})));
    out.push_back(far_sample(name + "_two", a, ids_tensor({300, -1, 256, 4097}), ids_tensor({1, kNoSeq, 1, 0})));
    Tensor chunk(TensorType{Dtype::i32, {40}}), seqs(TensorType{Dtype::i32, {40}});
    for (int i = 0; i < 40; ++i) chunk.i32()[i] = 490 + i, seqs.i32()[i] = 0;
    out.push_back(far_sample(name + "_chunk", a, std::move(chunk), std::move(seqs)));
  };
  far("far", [](AttentionAttributes&) {});
  far("far_many_heads", [](AttentionAttributes& a) { a.n_heads = 70, a.value_dim = 5; });
  far("far_window", [](AttentionAttributes& a) { a.window = 300; });
  far("far_sinks", [](AttentionAttributes& a) { a.has_sinks = true, a.window = 20; });
  return out;
}

}  // namespace hearth
