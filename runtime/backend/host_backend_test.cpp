// Address space is reserved without memory behind it, aligned for huge pages, and given back once.
#include "runtime/backend/host_backend.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

#include "runtime/exec/devices.h"

namespace hearth::host_backend_test {
namespace {

TEST(HostMemory, ReservesMoreThanItTouches) {
  auto buffer = open_cpu(1)->allocate(int64_t{64} << 30);  // far more than a test may use
  ASSERT_TRUE(buffer) << buffer.error().to_string();
  EXPECT_GE(buffer->bytes(), int64_t{64} << 30);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer->data()) % (2 << 20), 0u);
  buffer->data()[0] = std::byte{1};
  buffer->data()[buffer->bytes() - 1] = std::byte{2};
  EXPECT_EQ(buffer->data()[0], std::byte{1});
  EXPECT_EQ(buffer->data()[1], std::byte{0});
}

TEST(HostMemory, Moves) {
  auto first = open_cpu(1)->allocate(4096);
  auto second = open_cpu(1)->allocate(4096);
  ASSERT_TRUE(first && second);
  first->data()[5] = std::byte{7};
  std::byte* data = first->data();
  Buffer moved = std::move(*first);
  EXPECT_EQ(moved.data(), data);
  EXPECT_EQ(first->data(), nullptr);
  *second = std::move(moved);
  EXPECT_EQ(second->data()[5], std::byte{7});
}

TEST(HostMemory, RefusesWhatNoMachineHas) {
  auto buffer = open_cpu(1)->allocate(int64_t{1} << 62);
  ASSERT_FALSE(buffer);
  EXPECT_EQ(buffer.error().code, Code::resource_exhausted);
}

}  // namespace
}  // namespace hearth::host_backend_test
