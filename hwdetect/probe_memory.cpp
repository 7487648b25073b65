// Memory read bandwidth: every thread streams through its own slice of a buffer that no cache can hold.
// Pages of 4 KiB and huge pages are measured apart, because weights are read from either.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "hwdetect/cpu_features.h"
#include "hwdetect/probe.h"
#include "hwdetect/sysfs.h"
#include "hwdetect/team.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace hearth {
namespace {

constexpr uint64_t kMinBytes = uint64_t{128} << 20, kMaxBytes = uint64_t{1} << 30;
constexpr uint64_t kChunkBytes = uint64_t{256} << 10;  // one turn: about 10 µs, so the clock costs nothing
constexpr uint64_t kEnoughBytes = uint64_t{64} << 20;
constexpr double kTouchSeconds = 0.3;
constexpr uint64_t kHugePageBytes = uint64_t{2} << 20;

// An anonymous mapping with the wanted page size, touched so that every page exists.
class Buffer {
 public:
  static Result<Buffer> create(uint64_t n_bytes, bool huge) {
    void* at = ::mmap(nullptr, n_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
      return error(Code::resource_exhausted, "cannot map {} bytes: {}", n_bytes, std::strerror(errno));
    Buffer buffer(static_cast<char*>(at), n_bytes);
    if (::madvise(at, n_bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) != 0 && huge)
      return error(Code::unavailable, "this kernel gives no huge pages: {}", std::strerror(errno));
    buffer.touch();
    if (huge && buffer.huge_bytes() < buffer.n_touched_ / 2)
      return error(Code::unavailable, "the kernel gave huge pages for {} of {} bytes", buffer.huge_bytes(),
                   buffer.n_touched_);
    return buffer;
  }
  Buffer(Buffer&& other) noexcept
      : at_(std::exchange(other.at_, nullptr)), n_bytes_(other.n_bytes_), n_touched_(other.n_touched_) {}
  Buffer& operator=(Buffer&&) = delete;
  ~Buffer() {
    if (at_) ::munmap(at_, n_bytes_);
  }
  const char* data() const { return at_; }
  uint64_t size() const { return n_touched_; }

 private:
  Buffer(char* at, uint64_t n_bytes) : at_(at), n_bytes_(n_bytes) {}

  // Fresh memory can be slow to come (a virtual machine's host has to find it first), so this stops at a time limit
  // once there is enough to measure with.
  void touch() {
    const auto start = detail::Clock::now();
    while (n_touched_ < n_bytes_ && (n_touched_ < kEnoughBytes || detail::seconds_since(start) < kTouchSeconds)) {
      for (uint64_t i = 0; i < kHugePageBytes; i += 4096) at_[n_touched_ + i] = static_cast<char>(i >> 12);
      n_touched_ += kHugePageBytes;
    }
  }

  // What /proc/self/smaps says of the mapping that starts at or before at_.
  uint64_t huge_bytes() const {
    std::ifstream maps("/proc/self/smaps");
    bool inside = false;
    const auto address = reinterpret_cast<uint64_t>(at_);
    for (std::string line; std::getline(maps, line);) {
      unsigned long long from = 0, to = 0, kib = 0;
      if (std::sscanf(line.c_str(), "%llx-%llx ", &from, &to) == 2)
        inside = from <= address && address < to;
      else if (inside && std::sscanf(line.c_str(), "AnonHugePages: %llu kB", &kib) == 1)
        return uint64_t{kib} * 1024;
    }
    return 0;
  }

  char* at_;
  uint64_t n_bytes_;
  uint64_t n_touched_ = 0;
};

#if defined(__x86_64__)
__attribute__((target("avx2"))) uint64_t read_chunk_avx2(const char* from) {
  __m256i sums[4] = {};
  for (uint64_t i = 0; i < kChunkBytes; i += 128)
    for (int j = 0; j < 4; ++j)
      sums[j] = _mm256_xor_si256(sums[j], _mm256_load_si256(reinterpret_cast<const __m256i*>(from + i + 32 * j)));
  const __m256i all = _mm256_xor_si256(_mm256_xor_si256(sums[0], sums[1]), _mm256_xor_si256(sums[2], sums[3]));
  return static_cast<uint64_t>(_mm256_extract_epi64(all, 0) ^ _mm256_extract_epi64(all, 1) ^
                               _mm256_extract_epi64(all, 2) ^ _mm256_extract_epi64(all, 3));
}
#endif

uint64_t read_chunk_portable(const char* from) {
  uint64_t sums[8] = {};
  for (uint64_t i = 0; i < kChunkBytes; i += 64) {
    uint64_t words[8];
    std::memcpy(words, from + i, sizeof words);
    for (int j = 0; j < 8; ++j) sums[j] ^= words[j];
  }
  uint64_t all = 0;
  for (uint64_t sum : sums) all ^= sum;
  return all;
}

using ReadChunk = uint64_t (*)(const char*);

ReadChunk choose_reader() {
#if defined(__x86_64__)
  if (cpu_features().avx2) return read_chunk_avx2;
#endif
  return read_chunk_portable;
}

// Four times the last-level cache, so that little of a pass is found there; never more than an eighth of memory.
uint64_t choose_buffer_bytes(const ProbeOptions& options) {
  const auto cache = static_cast<uint64_t>(std::max(0L, ::sysconf(_SC_LEVEL3_CACHE_SIZE)));
  const auto memory = static_cast<uint64_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  uint64_t bytes = options.buffer_bytes ? options.buffer_bytes : std::clamp(4 * cache, kMinBytes, kMaxBytes);
  bytes = std::min(bytes, memory / 8);
  return std::max(bytes, 2 * kHugePageBytes) / kHugePageBytes * kHugePageBytes;
}

double measure_point(const Buffer& buffer, int n_threads, double seconds) {
  static std::atomic<uint64_t> sink;  // what was read has to go somewhere, or it is not read
  const ReadChunk read_chunk = choose_reader();
  const uint64_t n_chunks = std::max<uint64_t>(1, buffer.size() / kChunkBytes / static_cast<uint64_t>(n_threads));
  struct alignas(64) Place {
    uint64_t chunk = 0;
  };
  std::vector<Place> places(static_cast<size_t>(n_threads));
  auto turn = [&](int thread) {
    uint64_t& at = places[static_cast<size_t>(thread)].chunk;
    const uint64_t chunk = static_cast<uint64_t>(thread) * n_chunks + at;
    sink.store(read_chunk(buffer.data() + chunk * kChunkBytes), std::memory_order_relaxed);
    at = (at + 1) % n_chunks;
    return kChunkBytes;
  };
  return detail::best_of_three(n_threads, seconds, turn);
}

// 1, all, and up to two between them.
std::vector<int> choose_thread_counts() {
  const int all = cpu_features().n_physical_cores;
  std::vector<int> counts = {1, all / 4, all / 2, all};
  counts.erase(std::remove_if(counts.begin(), counts.end(), [](int n) { return n < 1; }), counts.end());
  std::sort(counts.begin(), counts.end());
  counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
  return counts;
}

}  // namespace

std::vector<BandwidthPoint> measure_memory_read(const ProbeOptions& options) {
  const uint64_t n_bytes = choose_buffer_bytes(options);
  std::vector<BandwidthPoint> points;
  for (int n : choose_thread_counts()) points.push_back({n, {}, {}});
  for (bool huge : {false, true}) {
    auto buffer = Buffer::create(n_bytes, huge);
    for (BandwidthPoint& point : points) {
      auto& reading = huge ? point.huge_pages_bytes_per_s : point.small_pages_bytes_per_s;
      reading = buffer ? Reading<double>::of(measure_point(*buffer, point.n_threads, options.seconds_per_point))
                       : Reading<double>::missing(buffer.error().to_string());
    }
  }
  return points;
}

}  // namespace hearth
