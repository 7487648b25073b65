// The training step: it learns, packing and accumulation change nothing, and LoRA touches only its adapters.
#include <gtest/gtest.h>

#include <cmath>

#include "trainer/evaluate.h"
#include "trainer/test_model.h"
#include "trainer/train_step.h"

namespace hearth::train {
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
    const double loss = *stepper->forward_backward(batch, 1.0 / static_cast<double>(batch.n_learned), true);
    adamw_step(device->team(), model->trainables, stepper->gradients(), 1, n, {.learning_rate = learning_rate});
    return loss;
  }
  TinyBase base;
  std::unique_ptr<CpuBackend> device;
  std::unique_ptr<ModelInTraining> model;
  std::optional<Stepper> stepper;
};

std::vector<std::vector<float>> gradients_of(const Stepper& s) {
  std::vector<std::vector<float>> out;
  for (std::span<const float> g : s.gradients()) out.emplace_back(g.begin(), g.end());
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
  const double weight = 1.0 / static_cast<double>(a.n_learned);
  const double loss_a = *s.stepper->forward_backward(a, weight, true);
  const auto grads_a = gradients_of(*s.stepper);
  const double loss_b = *s.stepper->forward_backward(b, weight, true);
  const auto grads_b = gradients_of(*s.stepper);
  EXPECT_NEAR(loss_a, loss_b, 1e-5);
  for (size_t i = 0; i < grads_a.size(); ++i)
    EXPECT_LT(relative_difference(grads_a[i], grads_b[i]), 1e-4) << s.model->trainables[i].name;
}

TEST(Training, AccumulatedGradientsEqualOneLargeBatch) {
  Loader data(counting_documents(40, 3), {.max_seq_len = 32, .shuffle = false});
  Batch whole, part;
  data.rows_at(0, 4, 4, whole);
  const double weight = 1.0 / static_cast<double>(whole.n_learned);
  Rig large("full", false, {.n_tokens = 4 * 32}), small("full", false, {.n_tokens = 32, .accumulates = true});
  const double loss = *large.stepper->forward_backward(whole, weight, true);
  const auto expected = gradients_of(*large.stepper);
  double sum = 0;
  for (int twice = 0; twice < 2; ++twice) {  // the second time starts from zero again
    sum = 0;
    for (int i = 0; i < 4; ++i) {
      data.rows_at(i, i + 1, 1, part);
      sum += *small.stepper->forward_backward(part, weight, i == 0);
    }
  }
  EXPECT_NEAR(sum, loss, 1e-5);
  const auto grads = gradients_of(*small.stepper);
  for (size_t i = 0; i < grads.size(); ++i)
    EXPECT_LT(relative_difference(expected[i], grads[i]), 1e-4) << small.model->trainables[i].name;
}

TEST(Training, RecomputeGivesTheSameGradients) {
  Loader data(counting_documents(40, 3), {.max_seq_len = 64, .shuffle = false});
  Batch batch;
  data.rows_at(0, 8, 8, batch);
  const double weight = 1.0 / static_cast<double>(batch.n_learned);
  Rig kept("full", false, {.n_tokens = 8 * 64}), again("full", false, {.n_tokens = 8 * 64, .recompute = true});
  EXPECT_EQ(*kept.stepper->forward_backward(batch, weight, true),
            *again.stepper->forward_backward(batch, weight, true));
  const auto expected = gradients_of(*kept.stepper), grads = gradients_of(*again.stepper);
  for (size_t i = 0; i < grads.size(); ++i)
    EXPECT_LT(relative_difference(expected[i], grads[i]), 1e-5) << kept.model->trainables[i].name;
  EXPECT_LT(again.stepper->memory_bytes(), kept.stepper->memory_bytes());
}

TEST(Training, UnlearnedTokensHaveNoGradient) {
  Rig s("full", false, {.n_tokens = 32});
  Loader data(counting_documents(4, 3), {.max_seq_len = 32, .shuffle = false});
  Batch batch;
  data.rows_at(0, 1, 1, batch);
  batch.targets.assign(batch.targets.size(), -1);
  EXPECT_EQ(*s.stepper->forward_backward(batch, 1, true), 0);
  for (const auto& g : gradients_of(*s.stepper))
    for (float x : g) ASSERT_EQ(x, 0);
}

TEST(Training, NotANumberIsSeenBeforeItSpreads) {
  Rig s("full", false, {.n_tokens = 32});
  Loader data(counting_documents(40, 3), {.max_seq_len = 32});
  std::vector<Batch> batch(1);
  data.next(1, batch[0]);
  EXPECT_TRUE(train_step(batch, *s.model, *s.stepper, s.device->team(), {}, 1e-3, 1)->is_finite);
  s.model->trainables[1].weight.f32()[0] = NAN;
  const float other = s.model->trainables[0].weight.f32()[0];
  EXPECT_FALSE(train_step(batch, *s.model, *s.stepper, s.device->team(), {}, 1e-3, 2)->is_finite);
  EXPECT_EQ(s.model->trainables[0].weight.f32()[0], other);  // nothing was updated
}

}  // namespace
}  // namespace hearth::train
