// PlacedTensor: what it holds moves with it, and is read and written wherever it is.
#include "runtime/memory/placed_tensor.h"

#include <gtest/gtest.h>

#include "runtime/exec/devices.h"

namespace hearth::placed_tensor_test {
namespace {

Tensor three(float first) {
  Tensor out({Dtype::f32, {3}});
  for (int i = 0; i < 3; ++i) out.f32()[i] = first + static_cast<float>(i);
  return out;
}

void expect_holds(const PlacedTensor& tensor, float first) {
  const auto now = tensor.read();
  ASSERT_TRUE(now) << now.error().to_string();
  ASSERT_EQ(now->view.type, tensor.type());
  for (int i = 0; i < 3; ++i) EXPECT_EQ(now->view.f32()[i], first + static_cast<float>(i));
}

TEST(PlacedTensor, HoldsTheSameWhereverItIs) {
  for (const char* name : {"cpu", "emulated"}) {
    SCOPED_TRACE(name);
    const auto device = *open_device(name, 1);
    PlacedTensor tensor = three(5);
    const void* before = tensor.view().data;
    ASSERT_TRUE(tensor.move_to(*device));
    EXPECT_EQ(tensor.is_on_host(), device->is_host_memory());
    EXPECT_EQ(tensor.view().data == before, device->is_host_memory());
    expect_holds(tensor, 5);
    ASSERT_TRUE(tensor.write(three(9).view().data));
    expect_holds(tensor, 9);
    const auto other = *open_device(name, 1);
    ASSERT_TRUE(tensor.move_to(*other));  // from a device to another one
    expect_holds(tensor, 9);
  }
}

TEST(PlacedTensor, ReadsInPlaceOnTheHostAndCopiesElsewhere) {
  PlacedTensor here = three(1), there = three(1);
  const auto device = *open_device("emulated", 1);
  ASSERT_TRUE(there.move_to(*device));
  EXPECT_EQ(here.read()->view.data, here.view().data);
  EXPECT_NE(there.read()->view.data, there.view().data);
}

}  // namespace
}  // namespace hearth::placed_tensor_test
