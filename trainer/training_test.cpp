// The training step: it learns, packing and accumulation change nothing, and LoRA touches only its adapters.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "trainer/evaluate.h"
#include "trainer/stepper.h"
#include "trainer/test_model.h"

namespace hearth::train::training_test {
namespace {

Recipe recipe(const std::string& method) {
  Recipe r;
  r.method.type = method;
  r.method.rank = 4, r.method.alpha = 8;
  return r;
}

struct Rig {
  Rig(const std::string& method, bool with_weights, StepperOptions options) : base(with_weights), device(open_cpu(2)) {
    model = std::make_unique<ModelInTraining>(*make_model(recipe(method), base.model));
    auto created = Stepper::create(*model, options, *device);
    EXPECT_TRUE(created) << created.error().to_string();
    stepper.emplace(std::move(*created));
  }
  double step(const Batch& batch, int64_t n, double learning_rate) {
    return stepper->step({&batch, 1}, learning_rate, n)->loss;
  }
  double gradients(const Batch& batch) { return step(batch, 1, 0); }  // weights stay; returns the loss
  TinyBase base;
  std::unique_ptr<CpuBackend> device;
  std::unique_ptr<ModelInTraining> model;
  std::optional<Stepper> stepper;
};

std::vector<std::vector<float>> gradients_of(const Stepper& s) {
  std::vector<std::vector<float>> out;
  const std::vector<HostView> gradients = *s.gradients();
  for (const HostView& g : gradients) out.emplace_back(g.view.f32(), g.view.f32() + g.view.shape().n_elements());
  return out;
}

double relative_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double difference = 0, largest = 1e-12;
  for (size_t i = 0; i < a.size(); ++i) {
    difference = std::max(difference, std::abs(double(a[i]) - b[i]));
    largest = std::max(largest, std::abs(double(a[i])));
  }
  return difference / largest;
}

TEST(Training, LearnsToCount) {
  Rig s("full", false, {.n_tokens = 4 * 32});
  Loader data(counting_documents(200, 1), {.max_seq_len = 32}),
      held_out(counting_documents(20, 2), {.max_seq_len = 32, .shuffle = false});
  const double before = **held_out_loss(*s.stepper, held_out, 4, 100);
  EXPECT_NEAR(before, std::log(64.0), 0.5);
  Batch batch;
  for (int64_t n = 1; n <= 150; ++n) {
    data.next(4, batch);
    s.step(batch, n, 5e-3);
  }
  const double after = **held_out_loss(*s.stepper, held_out, 4, 100);
  EXPECT_LT(after, 0.5) << "before " << before;
}

TEST(Training, LoraTrainsAdaptersOnly) {
  Rig s("lora", true, {.n_tokens = 2 * 32});
  EXPECT_EQ(s.model->trainables.size(), 2u * 7u * 2u);
  for (const Trainable& t : s.model->trainables)
    EXPECT_TRUE(t.name.ends_with(".lora_a") || t.name.ends_with(".lora_b")) << t.name;
  const std::map<std::string, Tensor>& tensors = s.base.tensors;
  std::map<std::string, std::vector<float>> frozen;
  for (const auto& [role, t] : tensors) frozen[role].assign(t.f32(), t.f32() + t.type().shape.n_elements());
  Loader data(counting_documents(100, 1), {.max_seq_len = 32});
  Batch batch;
  data.next(2, batch);
  const double first = s.step(batch, 1, 1e-2);
  const auto grads = gradients_of(*s.stepper);
  for (size_t i = 0; i < grads.size(); ++i) {
    const bool zero = std::all_of(grads[i].begin(), grads[i].end(), [](float x) { return x == 0; });
    EXPECT_EQ(zero, s.model->trainables[i].name.ends_with(".lora_a"))
        << s.model->trainables[i].name;  // B is zero at first
  }
  double last = first;
  for (int64_t n = 2; n <= 60; ++n) last = s.step(batch, n, 1e-2);
  EXPECT_LT(last, 0.6 * first);
  for (const auto& [role, t] : tensors)
    EXPECT_TRUE(std::equal(frozen[role].begin(), frozen[role].end(), t.f32())) << role;
}

TEST(Training, LoraStartsAtTheBaseModel) {
  Rig lora("lora", true, {.n_tokens = 2 * 32}), full("full", true, {.n_tokens = 2 * 32});
  Loader data(counting_documents(100, 1), {.max_seq_len = 32});
  Batch batch;
  data.next(2, batch);
  const double weight = 1.0 / static_cast<double>(batch.n_learned);
  EXPECT_NEAR(*lora.stepper->forward(batch, weight), *full.stepper->forward(batch, weight), 1e-6);
}

TEST(Training, PackedLossEqualsUnpacked) {
  const auto documents = counting_documents(8, 3);
  Loader packed(documents, {.max_seq_len = 64, .shuffle = false}),
      apart(documents, {.max_seq_len = 64, .pack = false, .shuffle = false});
  ASSERT_LE(packed.n_rows(), 4);
  ASSERT_EQ(apart.n_rows(), 8);
  Rig s("full", false, {.n_tokens = 8 * 64});
  Batch a, b;
  packed.rows_at(0, 8, 8, a);
  apart.rows_at(0, 8, 8, b);
  ASSERT_EQ(a.n_learned, b.n_learned);
  const double loss_a = s.gradients(a);
  const auto grads_a = gradients_of(*s.stepper);
  const double loss_b = s.gradients(b);
  const auto grads_b = gradients_of(*s.stepper);
  EXPECT_NEAR(loss_a, loss_b, 1e-5);
  for (size_t i = 0; i < grads_a.size(); ++i)
    EXPECT_LT(relative_difference(grads_a[i], grads_b[i]), 1e-4) << s.model->trainables[i].name;
}

TEST(Training, AccumulatedGradientsEqualOneLargeBatch) {
  Loader data(counting_documents(40, 3), {.max_seq_len = 32, .shuffle = false});
  Batch whole;
  data.rows_at(0, 4, 4, whole);
  Rig large("full", false, {.n_tokens = 4 * 32}), small("full", false, {.n_tokens = 32, .accumulates = true});
  const double loss = large.gradients(whole);
  const auto expected = gradients_of(*large.stepper);
  std::vector<Batch> parts(4);
  for (int i = 0; i < 4; ++i) data.rows_at(i, i + 1, 1, parts[static_cast<size_t>(i)]);
  double sum = 0;
  for (int twice = 0; twice < 2; ++twice) sum = small.stepper->step(parts, 0, 1)->loss;  // starts from zero again
  EXPECT_NEAR(sum, loss, 1e-5);
  const auto grads = gradients_of(*small.stepper);
  for (size_t i = 0; i < grads.size(); ++i)
    EXPECT_LT(relative_difference(expected[i], grads[i]), 1e-4) << small.model->trainables[i].name;
}

TEST(Training, RecomputeGivesTheSameGradients) {
  Loader data(counting_documents(40, 3), {.max_seq_len = 64, .shuffle = false});
  Batch batch;
  data.rows_at(0, 8, 8, batch);
  Rig kept("full", false, {.n_tokens = 8 * 64}), again("full", false, {.n_tokens = 8 * 64, .recompute = true});
  EXPECT_EQ(kept.gradients(batch), again.gradients(batch));
  const auto expected = gradients_of(*kept.stepper), grads = gradients_of(*again.stepper);
  for (size_t i = 0; i < grads.size(); ++i)
    EXPECT_LT(relative_difference(expected[i], grads[i]), 1e-5) << kept.model->trainables[i].name;
  EXPECT_LT(again.stepper->memory_bytes(), kept.stepper->memory_bytes());
}

TEST(Training, NothingIsAsLargeAsTheLogits) {
  ModelConfig config = tiny_config();
  config.vocab_size = 40'000;
  constexpr int kTokens = 1024;
  const auto f32 = [](const ParameterSpec&) { return Dtype::f32; };
  const Trained trained[] = {{"layers.0.wq"}, {"final_norm"}};
  const auto device = open_cpu(1);
  for (const bool recomputes : {false, true}) {
    auto plan = plan_training(config, f32, {}, trained, {.n_tokens = kTokens, .recompute = recomputes}, *device);
    ASSERT_TRUE(plan) << plan.error().to_string();
    const int64_t logits_bytes = int64_t{kTokens} * config.vocab_size * 4;
    EXPECT_LT(plan->micro.arena_bytes, logits_bytes / 2);
    EXPECT_LT(make_plan(plan->forward, *device)->arena_bytes, logits_bytes / 2);
  }
}

TEST(Training, UnlearnedTokensHaveNoGradient) {
  Rig s("full", false, {.n_tokens = 32});
  Loader data(counting_documents(4, 3), {.max_seq_len = 32, .shuffle = false});
  Batch batch;
  data.rows_at(0, 1, 1, batch);
  batch.targets.assign(batch.targets.size(), -1);
  EXPECT_EQ(s.gradients(batch), 0);
  for (const auto& g : gradients_of(*s.stepper))
    for (float x : g) ASSERT_EQ(x, 0);
}

// Everything that a step writes.
std::vector<std::vector<float>> states_of(const ModelInTraining& model) {
  std::vector<std::vector<float>> out;
  for (const Trainable& t : model.trainables)
    for (const PlacedTensor* tensor : {&t.weight, &t.m, &t.v})
      out.emplace_back(tensor->f32(), tensor->f32() + tensor->type().shape.n_elements());
  return out;
}

bool same_bits(const std::vector<std::vector<float>>& a, const std::vector<std::vector<float>>& b) {
  return std::ranges::equal(a, b, [](const std::vector<float>& x, const std::vector<float>& y) {
    return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0;
  });
}

TEST(Training, NotANumberIsSeenBeforeItSpreads) {
  for (const bool accumulates : {false, true}) {
    Rig s("full", false, {.n_tokens = 32, .accumulates = accumulates});
    Loader data(counting_documents(40, 3), {.max_seq_len = 32});
    std::vector<Batch> batches(accumulates ? 3 : 1);
    for (Batch& batch : batches) data.next(1, batch);
    EXPECT_TRUE(s.stepper->step(batches, 1e-3, 1)->is_finite);
    float& weight = s.model->trainables[1].weight.f32()[0];
    const float good = weight;
    weight = NAN;
    const auto before = states_of(*s.model);
    EXPECT_FALSE(s.stepper->step(batches, 1e-3, 2)->is_finite);
    EXPECT_TRUE(same_bits(states_of(*s.model), before)) << "something was updated";
    weight = good;  // and what was no number is not kept in the sums
    EXPECT_TRUE(s.stepper->step(batches, 1e-3, 2)->is_finite);
    EXPECT_FALSE(same_bits(states_of(*s.model), before));
  }
}

TEST(Training, ClipsToTheNorm) {
  Batch batch;
  Loader data(counting_documents(40, 3), {.max_seq_len = 32});
  data.next(2, batch);
  Rig free("full", false, {.n_tokens = 64}), clipped("full", false, {.n_tokens = 64, .optimizer = {.max_norm = 1e-3}});
  const StepOutcome a = *free.stepper->step({&batch, 1}, 1e-3, 1), b = *clipped.stepper->step({&batch, 1}, 1e-3, 1);
  EXPECT_EQ(a.grad_norm, b.grad_norm) << "the norm is told before clipping";
  ASSERT_GT(a.grad_norm, 1e-3);
  const auto scale = static_cast<float>(1e-3 / a.grad_norm);
  for (size_t i = 0; i < free.model->trainables.size(); ++i)
    for (int64_t j = 0; j < free.model->trainables[i].m.type().shape.n_elements(); ++j) {
      const float m = free.model->trainables[i].m.f32()[j];
      ASSERT_NEAR(clipped.model->trainables[i].m.f32()[j], scale * m, 1e-6 * std::abs(scale * m) + 1e-12);
    }
}

TEST(Training, SeveralMicroBatchesNeedAStepperForThem) {
  Rig s("full", false, {.n_tokens = 32});
  std::vector<Batch> batches(2);
  Loader data(counting_documents(40, 3), {.max_seq_len = 32});
  for (Batch& batch : batches) data.next(1, batch);
  EXPECT_FALSE(s.stepper->step(batches, 1e-3, 1));
  EXPECT_FALSE(s.stepper->step({}, 1e-3, 1));
}

}  // namespace
}  // namespace hearth::train::training_test
