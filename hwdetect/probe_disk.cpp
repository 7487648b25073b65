// Read speed of the disk that holds a folder: a temporary file, unlinked at once, read past the page cache (O_DIRECT)
// by several readers, in order and at random places.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/files.h"
#include "hwdetect/probe.h"
#include "hwdetect/team.h"

namespace hearth {
namespace {

constexpr uint64_t kBlockBytes = uint64_t{1} << 20;
constexpr uint64_t kSmallBytes = 4096;
constexpr int kReaders = 8;  // reads in flight; NVMe wants several, one disk arm does not mind
constexpr double kWriteSeconds = 0.6, kReadSeconds = 0.25;

struct FreeBlock {
  void operator()(char* block) const { std::free(block); }
};
using Block = std::unique_ptr<char[], FreeBlock>;

Block aligned_block(uint64_t n_bytes) {
  return Block(static_cast<char*>(std::aligned_alloc(4096, n_bytes)));
}

uint64_t next_random(uint64_t& state) {  // xorshift64
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

Result<Fd> open_unlinked(const std::filesystem::path& folder) {
  const auto path = folder / fmt::format(".hearth-probe-{}", ::getpid());
  auto file = open_file(path, O_RDWR | O_CREAT | O_EXCL | O_DIRECT, 0600);
  ::unlink(path.c_str());  // a filesystem without O_DIRECT leaves the name behind even though open failed
  return file;
}

// Writes whole blocks of noise until the size or the time is reached; returns the bytes written.
Result<uint64_t> fill(int fd, uint64_t n_bytes, const std::filesystem::path& folder) {
  Block block = aligned_block(kBlockBytes);
  if (!block) return error(Code::resource_exhausted, "no memory for the disk probe");
  uint64_t seed = 0x9e3779b97f4a7c15;
  for (uint64_t i = 0; i < kBlockBytes; i += 8) {
    const uint64_t word = next_random(seed);
    std::memcpy(block.get() + i, &word, sizeof word);
  }
  const auto start = detail::Clock::now();
  uint64_t done = 0;
  while (done + kBlockBytes <= n_bytes && detail::seconds_since(start) < kWriteSeconds) {
    const ssize_t n = ::pwrite(fd, block.get(), kBlockBytes, static_cast<off_t>(done));
    if (n != static_cast<ssize_t>(kBlockBytes))
      return errno_error("cannot write the disk probe's file in", folder, n < 0 ? errno : ENOSPC);
    done += kBlockBytes;
  }
  return done;
}

// Reads `n_bytes` pieces at the offsets that next(thread) gives; pieces per second, or the first error.
Reading<double> read_pieces(int fd, uint64_t n_bytes, const std::function<uint64_t(int)>& next) {
  std::vector<Block> blocks;
  blocks.reserve(kReaders);
  for (int i = 0; i < kReaders; ++i) blocks.push_back(aligned_block(n_bytes));
  std::atomic<int> failure{0};
  auto turn = [&](int thread) -> uint64_t {
    const ssize_t n = ::pread(fd, blocks[static_cast<size_t>(thread)].get(), n_bytes, static_cast<off_t>(next(thread)));
    if (n == static_cast<ssize_t>(n_bytes)) return 1;
    failure = n < 0 ? errno : EIO;
    return 0;
  };
  const auto result = detail::run_team(kReaders, kReadSeconds, turn);
  if (failure)
    return Reading<double>::missing(
        errno_error("O_DIRECT read failed in the disk probe's file", "", failure).to_string());
  return Reading<double>::of(result.per_second());
}

Reading<double> read_in_order(int fd, uint64_t file_bytes) {
  std::atomic<uint64_t> next_block{0};
  const uint64_t n_blocks = file_bytes / kBlockBytes;
  auto blocks = read_pieces(fd, kBlockBytes, [&](int) { return next_block++ % n_blocks * kBlockBytes; });
  if (blocks) *blocks.value *= static_cast<double>(kBlockBytes);
  return blocks;
}

Reading<double> read_at_random(int fd, uint64_t file_bytes) {
  std::vector<uint64_t> seeds;
  for (uint64_t i = 0; i < kReaders; ++i) seeds.push_back(0x2545f4914f6cdd1d * (i + 1));
  const uint64_t n_places = file_bytes / kSmallBytes;
  return read_pieces(fd, kSmallBytes, [&](int thread) {
    return next_random(seeds[static_cast<size_t>(thread)]) % n_places * kSmallBytes;
  });
}

DiskSpeed without_speed(DiskSpeed speed, const Error& why) {
  speed.sequential_bytes_per_s = speed.random_reads_per_s = Reading<double>::missing(why.to_string());
  return speed;
}

}  // namespace

DiskSpeed measure_disk(const ProbeOptions& options) {
  DiskSpeed speed;
  speed.folder = options.folder.string();
  speed.n_readers = kReaders;
  auto file = open_unlinked(options.folder);
  if (!file) return without_speed(speed, file.error());
  auto written = fill(file->get(), options.file_bytes, options.folder);
  if (!written) return without_speed(speed, written.error());
  if (*written == 0)
    return without_speed(speed, error(Code::invalid_argument, "the disk probe needs a file of at least 1 MiB"));
  speed.file_bytes = *written;
  speed.sequential_bytes_per_s = read_in_order(file->get(), *written);
  speed.random_reads_per_s = read_at_random(file->get(), *written);
  return speed;
}

}  // namespace hearth
