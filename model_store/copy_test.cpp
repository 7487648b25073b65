// A copy goes on from whatever an earlier one left.
#include "model_store/copy.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace hearth::store::copy_test {
namespace {

constexpr size_t kPiece = size_t{4} << 20;  // copies are read and written in such pieces

std::string some_bytes(size_t n) {
  std::string out(n, 0);
  uint32_t state = 1;
  for (char& c : out) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return out;
}

TEST(Copy, GoesOnFromWhateverIsThere) {
  auto folder = *TempFolder::create("copy_test");
  const std::string bytes = some_bytes(2 * kPiece + 12345);
  const auto source = folder.path() / "source", target = folder.path() / "target";
  ASSERT_TRUE(write_file(source, bytes));
  auto expect_copied = [&](const std::string& there) {
    SCOPED_TRACE(there.size());
    ASSERT_TRUE(write_file(target, there));
    const Fd in = *open_regular(AT_FDCWD, source, false), out = *open_file(target, O_RDWR);
    const Control control;
    Meter meter(control, bytes.size());
    auto digest = copy_and_hash(in, source, out, target, bytes.size(), meter);
    ASSERT_TRUE(digest) << digest.error().to_string();
    EXPECT_EQ(*digest, Digest::of(bytes));
    EXPECT_TRUE(*read_file(target) == bytes);
  };
  for (const size_t n : {size_t{0}, size_t{1}, kPiece - 1, kPiece, kPiece + 1, 2 * kPiece, bytes.size()})
    expect_copied(bytes.substr(0, n));
  expect_copied(bytes + "left over");
  for (const size_t flaw : {size_t{0}, kPiece - 1, kPiece, bytes.size() - 1}) {
    std::string there = bytes;
    there[flaw] ^= 1;
    expect_copied(there);
  }
}

}  // namespace
}  // namespace hearth::store::copy_test
