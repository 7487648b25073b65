// See host_backend.h.
#include "runtime/backend/host_backend.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/check.h"

namespace hearth {
namespace {

constexpr size_t kHugePageBytes = size_t{2} << 20;

size_t round_up(size_t n, size_t unit) {
  return (n + unit - 1) / unit * unit;
}

Result<Buffer> map_memory(int64_t wanted) {
  CHECK(wanted >= 0);
  const size_t bytes = round_up(std::max<size_t>(static_cast<size_t>(wanted), 1), kHugePageBytes);
  const size_t reserved = bytes + kHugePageBytes;
  void* mapped = mmap(nullptr, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED)
    return error(Code::resource_exhausted, "cannot reserve {} MiB of address space: {}", reserved >> 20,
                 std::strerror(errno));
  // Give back what lies outside the aligned part.
  const auto start = reinterpret_cast<uintptr_t>(mapped);
  const uintptr_t aligned = round_up(start, kHugePageBytes);
  if (aligned > start) munmap(mapped, aligned - start);
  if (const size_t tail = start + reserved - (aligned + bytes)) munmap(reinterpret_cast<void*>(aligned + bytes), tail);
  auto* data = reinterpret_cast<std::byte*>(aligned);
  madvise(data, bytes, MADV_HUGEPAGE);  // a hint: without it the memory is slower, not wrong
  return Buffer(data, static_cast<int64_t>(bytes), [bytes](std::byte* memory) { munmap(memory, bytes); });
}

}  // namespace

Result<Buffer> Backend::allocate_on_host(int64_t bytes) {
  return map_memory(bytes);
}

Result<std::vector<double>> run_timed(const std::vector<Call>& calls,
                                      const std::function<Result<void>(const Call&)>& run) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds;
  for (const Call& call : calls) {
    const auto begin = Clock::now();
    TRY(run(call));
    seconds.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return seconds;
}

Result<Buffer> HostBackend::allocate(int64_t bytes) {
  return map_memory(bytes);
}

Result<void> HostBackend::write(std::byte* to, const void* host, int64_t bytes) {
  if (bytes > 0) std::memcpy(to, host, static_cast<size_t>(bytes));
  return {};
}

Result<void> HostBackend::read(void* host, const std::byte* from, int64_t bytes) {
  if (bytes > 0) std::memcpy(host, from, static_cast<size_t>(bytes));
  return {};
}

}  // namespace hearth
