// Checkpoints: what was written is read back bit for bit; half of one is never read.
#include "trainer/state/checkpoint.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/files.h"
#include "trainer/random.h"

namespace hearth::train::checkpoint_test {
namespace {

std::vector<Trainable> make(uint64_t key) {
  std::vector<Trainable> out;
  for (const char* name : {"embed", "layers.0.wq"}) {
    Trainable t{name, true, Tensor({Dtype::f32, {5, 3}}), Tensor({Dtype::f32, {5, 3}}), Tensor({Dtype::f32, {5, 3}})};
    Random random(hash64(name, key));
    for (float* p : {t.weight.f32(), t.m.f32(), t.v.f32()})
      for (int i = 0; i < 15; ++i) p[i] = random.normal();
    out.push_back(std::move(t));
  }
  return out;
}

bool same(const std::vector<Trainable>& a, const std::vector<Trainable>& b) {
  for (size_t i = 0; i < a.size(); ++i)
    if (std::memcmp(a[i].weight.f32(), b[i].weight.f32(), 60) != 0 ||
        std::memcmp(a[i].m.f32(), b[i].m.f32(), 60) != 0 || std::memcmp(a[i].v.f32(), b[i].v.f32(), 60) != 0)
      return false;
  return true;
}

class CheckpointTest : public ::testing::Test {
 protected:
  CheckpointState state(int64_t step) {
    CheckpointState s;
    s.step = step, s.epoch = 3, s.row = 17, s.n_learned = 12345678901, s.loss = 0.1, s.fingerprint = "f";
    s.eval_loss_before = 2.5;
    return s;
  }
  TempFolder temp_ = *TempFolder::create("checkpoint");
  std::filesystem::path folder_ = temp_.path() / "checkpoints";
};

TEST_F(CheckpointTest, ReadsBackBitForBit) {
  auto written = make(1), read = make(2);
  ASSERT_TRUE(save_checkpoint(folder_, state(120), written, 2));
  const auto loaded = load_checkpoint(folder_, "f", read);
  ASSERT_TRUE(loaded) << loaded.error().to_string();
  EXPECT_EQ(to_json_value(**loaded), to_json_value(state(120)));
  EXPECT_TRUE(same(written, read));
}

TEST_F(CheckpointTest, NoneIsNotAnError) {
  auto t = make(1);
  EXPECT_FALSE(load_checkpoint(folder_, "f", t)->has_value());
}

TEST_F(CheckpointTest, KeepsTheLast) {
  auto t = make(1);
  for (int64_t step : {9, 10, 100, 2000}) ASSERT_TRUE(save_checkpoint(folder_, state(step), t, 2));
  ASSERT_TRUE(save_checkpoint(folder_, state(2000), t, 2));  // again, as after a resume
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"step-0000000100", "step-0000002000"}));
}

TEST_F(CheckpointTest, TheBestStays) {
  auto best = make(1), later = make(2), read = make(3);
  ASSERT_TRUE(save_checkpoint(folder_, state(10), best, 1));
  for (int64_t step : {20, 30}) {
    CheckpointState s = state(step);
    s.best_step = 10;
    ASSERT_TRUE(save_checkpoint(folder_, s, later, 1));
  }
  EXPECT_EQ((*load_checkpoint(folder_, "f", read))->step, 30);
  ASSERT_TRUE(load_weights(folder_, 10, read));
  EXPECT_EQ(std::memcmp(read[0].weight.f32(), best[0].weight.f32(), 60), 0);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "step-0000000020"));
  EXPECT_FALSE(load_weights(folder_, 20, read));
}

TEST_F(CheckpointTest, UnfinishedIsSweptAndDamagedFallsBack) {
  auto good = make(1), newer = make(2), read = make(3);
  ASSERT_TRUE(save_checkpoint(folder_, state(1), good, 5));
  ASSERT_TRUE(save_checkpoint(folder_, state(2), newer, 5));
  std::filesystem::create_directory(folder_ / ".incoming-step-0000000003");
  std::filesystem::resize_file(folder_ / "step-0000000002" / "tensors.safetensors", 100);
  const auto loaded = load_checkpoint(folder_, "f", read);
  ASSERT_TRUE(loaded) << loaded.error().to_string();
  EXPECT_EQ((*loaded)->step, 1);
  EXPECT_TRUE(same(good, read));
  EXPECT_FALSE(std::filesystem::exists(folder_ / ".incoming-step-0000000003"));
  std::filesystem::resize_file(folder_ / "step-0000000001" / "state.json", 3);
  EXPECT_FALSE(load_checkpoint(folder_, "f", read));
}

TEST_F(CheckpointTest, AnotherRecipeIsRefused) {
  auto t = make(1);
  ASSERT_TRUE(save_checkpoint(folder_, state(1), t, 2));
  EXPECT_EQ(load_checkpoint(folder_, "g", t).error().code, Code::failed_precondition);
}

}  // namespace
}  // namespace hearth::train::checkpoint_test
