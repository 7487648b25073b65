// As many parameters on the device as fit beside what the plan needs, and words for the rest.
#include "runtime/memory/residency.h"

#include <gtest/gtest.h>

#include "runtime/exec/devices.h"
#include "runtime/graph/builder.h"
#include "runtime/graph/rewrites.h"

namespace hearth::residency_test {
namespace {

constexpr int kProducts = 8;
constexpr int64_t kSize = 64, kMatrixBytes = kSize * kSize * 4, kAllBytes = kProducts * kMatrixBytes;

Graph products() {
  Builder b;
  Value x = b.input("x", {Dtype::f32, {2, kSize}});
  for (int i = 0; i < kProducts; ++i) {
    b.set_scope("layers." + std::to_string(i));
    x = b.linear(x, b.parameter("w" + std::to_string(i), {Dtype::f32, {kSize, kSize}}));
  }
  b.output(x);
  return *b.finish();
}

TEST(Residency, IsWholeWhereItFits) {
  const auto device = *open_device("emulated", 1);
  const Plan plan = *make_plan(products(), *device);
  const int64_t needed = plan.bytes[static_cast<size_t>(Tier::device)];
  EXPECT_EQ(needed, kAllBytes + plan.arena_bytes);
  EXPECT_TRUE(fit_residency(products(), *device, needed)->fetched.empty());
  EXPECT_EQ(fit_residency(products(), *device, needed)->words(), "");
  EXPECT_FALSE(fit_residency(products(), *device, needed - 1)->fetched.empty());
  EXPECT_TRUE(fit_residency(products(), *device, 0)->fetched.empty()) << "nobody knows what is free";
  EXPECT_TRUE(fit_residency(products(), *open_cpu(1), 1)->fetched.empty()) << "the host's memory is its own";
}

TEST(Residency, FillsWhatThereIs) {
  const auto device = *open_device("emulated", 1);
  for (int64_t available = 3 * kMatrixBytes; available < kAllBytes; available += kMatrixBytes / 2) {
    const auto fit = fit_residency(products(), *device, available);
    ASSERT_TRUE(fit) << fit.error().to_string();
    const Plan plan = *make_plan(*offload(products(), fit->fetched), *device);
    const int64_t taken = plan.bytes[static_cast<size_t>(Tier::device)];
    EXPECT_LE(taken, available);
    EXPECT_GT(taken, available - 2 * kMatrixBytes) << "room is left";
    EXPECT_EQ(fit->parameter_bytes, kAllBytes);
    EXPECT_EQ(fit->fetched_bytes, plan.bytes[static_cast<size_t>(Tier::host)]);
    EXPECT_NE(fit->words().find("of the weights stay in the host's memory"), std::string::npos) << fit->words();
  }
}

TEST(Residency, SaysWhatItWouldTake) {
  const auto fit = fit_residency(products(), **open_device("emulated", 1), kMatrixBytes);
  ASSERT_FALSE(fit);
  EXPECT_EQ(fit.error().code, Code::resource_exhausted);
  EXPECT_NE(fit.error().message.find("choose a shorter context"), std::string::npos) << fit.error().message;
}

}  // namespace
}  // namespace hearth::residency_test
