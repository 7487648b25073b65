// Address space is reserved without memory behind it, aligned for huge pages, and given back once.
#include "runtime/memory/arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

namespace hearth {
namespace {

TEST(Arena, ReservesMoreThanItTouches) {
  auto arena = Arena::reserve(int64_t{64} << 30);  // far more than a test may use
  ASSERT_TRUE(arena) << arena.error().to_string();
  EXPECT_GE(arena->max_bytes(), int64_t{64} << 30);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(arena->data()) % (2 << 20), 0u);
  arena->data()[0] = std::byte{1};
  arena->data()[arena->max_bytes() - 1] = std::byte{2};
  EXPECT_EQ(arena->data()[0], std::byte{1});
  EXPECT_EQ(arena->data()[1], std::byte{0});
}

TEST(Arena, MovesItsMemory) {
  auto first = Arena::reserve(4096);
  auto second = Arena::reserve(4096);
  ASSERT_TRUE(first && second);
  first->data()[5] = std::byte{7};
  std::byte* data = first->data();
  Arena moved = std::move(*first);
  EXPECT_EQ(moved.data(), data);
  EXPECT_EQ(first->data(), nullptr);
  *second = std::move(moved);
  EXPECT_EQ(second->data()[5], std::byte{7});
}

TEST(Arena, RefusesWhatNoMachineHas) {
  auto arena = Arena::reserve(int64_t{1} << 62);
  ASSERT_FALSE(arena);
  EXPECT_EQ(arena.error().code, Code::resource_exhausted);
}

}  // namespace
}  // namespace hearth
