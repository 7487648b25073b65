// SIGKILL at every kill point of a work load, at every kill point of the recovery after it, and at random moments.
// Afterwards the store opens, holds exactly what was done before or after the interrupted step, every file of every
// model verifies, and nothing half-done is left on disk.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

#include "model_store/kill_point.h"
#include "model_store/store_test_support.h"

namespace hearth::store::crash_test {
namespace {
namespace fs = std::filesystem;
using namespace test;

int kill_at = 0, n_passed = 0;
void die_at_the_chosen_point(const char*) {
  if (++n_passed == kill_at) ::raise(SIGKILL);
}

struct Work {
  Bench bench;
  std::string pack_one, pack_two;
  fs::path media_two = bench.folder.path() / "media-two";

  explicit Work(size_t bytes) {
    pack_one = bench.make_pack("m", 1, bytes, 2);
    make_model_folder(bench.folder.path() / "import", 5, bytes, 2);
    fs::remove_all(bench.folder.path() / "maker");
    fs::path media_one = bench.folder.path() / "media-one";
    fs::rename(bench.stick, media_one);
    pack_two = bench.make_pack("m", 2, bytes, 2);
    fs::rename(bench.stick, media_two);
    fs::rename(media_one, bench.stick);
  }

  static constexpr int kSteps = 6;
  // What the store holds after n steps, as "name:files".
  static std::vector<std::string> expected(int n) {
    switch (n) {
      case 0:
        return {};
      case 1:
        return {"i 6"};
      case 2:
      case 3:
        return {"i 6", "m 6"};
      case 4:
        return {"i 6", "m 6 updated"};
      case 5:
        return {"m 6 updated"};
      default:
        return {};
    }
  }
  Result<void> step(Store& store, int n) const {
    switch (n) {
      case 0:
        TRY(store.import_model(bench.folder.path() / "import", {.name = "i"}));
        break;
      case 1:
        TRY(store.install(bench.stick, pack_one));
        break;
      case 2:
        TRY(store.folder("m"));
        break;
      case 3:
        TRY(store.install(media_two, pack_two, {.replace = true}));
        break;
      case 4:
        TRY(store.remove("i"));
        break;
      case 5:
        TRY(store.remove("m"));
        break;
      default:
        break;
    }
    return {};
  }
  std::vector<std::string> holds(Store& store) const {
    std::vector<std::string> out;
    for (const ModelRecord& model : must(store.list()))
      out.push_back(model.name + " " + std::to_string(model.files.size()) +
                    (model.digest == pack_two ? " updated" : ""));
    return out;
  }
};

// Runs `body` in a child that dies at its n-th kill point (0: never). True when it came to its end.
template <class Body>
bool run_and_die(int n, Body&& body) {
  pid_t child = ::fork();
  if (child == 0) {
    kill_at = n;
    kill_point_hook = die_at_the_chosen_point;
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE((WIFEXITED(status) && WEXITSTATUS(status) == 0) || (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
      << "status " << status;
  return WIFEXITED(status);
}

// Each finished step is one byte in a pipe: written after the store said that it is done.
int count_bytes(int fd) {
  char bytes[64];
  ssize_t n = ::read(fd, bytes, sizeof bytes);
  return n < 0 ? 0 : static_cast<int>(n);
}

void expect_sound(Store& store, const fs::path& state) {
  for (const ModelRecord& model : must(store.list())) {
    ASSERT_OK(store.verify(model.name));
    fs::path view = must(store.folder(model.name));
    for (const ModelFile& file : model.files) EXPECT_EQ(fs::file_size(view / file.name), file.size_bytes);
  }
  EXPECT_EQ(must(store.disk_use()).reclaimable_bytes, 0u);
  EXPECT_TRUE(fs::is_empty(state / "blobs" / "incoming"));
  std::error_code none;
  for (fs::directory_iterator it(state / "blobs" / "signatures", none), end; !none && it != end; it.increment(none))
    EXPECT_TRUE(fs::exists(state / "blobs" / "sha256" / it->path().filename()))
        << "the signature of a model that is gone";
}

TEST(Crash, EveryKillPointAndEveryKillPointOfTheRecovery) {
  Work work(8 << 10);
  int n_deaths = 0;
  for (int n = 1;; ++n) {
    fs::path state = work.bench.folder.path() / "run";
    fs::remove_all(state);
    fs::copy(work.bench.state, state, fs::copy_options::recursive);
    int pipe_fds[2];
    ASSERT_EQ(::pipe2(pipe_fds, O_CLOEXEC), 0);
    bool finished = run_and_die(n, [&] {
      Store store = must(Store::open(state, Mode::read_write));
      for (int i = 0; i < Work::kSteps; ++i) {
        must(work.step(store, i));
        if (::write(pipe_fds[1], "x", 1) != 1) ::_exit(3);
      }
    });
    ::close(pipe_fds[1]);
    int done = count_bytes(pipe_fds[0]);
    ::close(pipe_fds[0]);
    for (int m = 1; !run_and_die(m, [&] { must(Store::open(state, Mode::read_write)); }); ++m) ++n_deaths;

    Store store = must(Store::open(state, Mode::read_write));
    SCOPED_TRACE("killed at point " + std::to_string(n) + " after " + std::to_string(done) + " steps");
    auto holds = work.holds(store);
    EXPECT_TRUE(holds == Work::expected(done) || holds == Work::expected(done + 1)) << ::testing::PrintToString(holds);
    expect_sound(store, state);
    if (finished) {
      EXPECT_EQ(done, Work::kSteps);
      break;
    }
    ++n_deaths;
  }
  RecordProperty("deaths", n_deaths);
  std::printf("survived %d deaths\n", n_deaths);
  EXPECT_GT(n_deaths, 100);  // the kill points are really there
}

TEST(Crash, RandomMoments) {
  const char* wanted = std::getenv("HEARTH_CRASH_ROUNDS");
  int n_rounds = wanted ? std::atoi(wanted) : 50;
  Work work(512 << 10);
  std::mt19937 random(12345);
  for (int round = 0; round < n_rounds; ++round) {
    pid_t child = ::fork();
    if (child == 0) {
      Store store = must(Store::open(work.bench.state, Mode::read_write));
      for (;;) {
        for (int i = 0; i < Work::kSteps; ++i)
          (void)work.step(store, i);  // on what is left of the last round: may be refused
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 60'000));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    SCOPED_TRACE("round " + std::to_string(round));
    Store store = must(Store::open(work.bench.state, Mode::read_write));
    for (const std::string& held : work.holds(store)) EXPECT_NE(held.find(" 6"), std::string::npos) << held;
    expect_sound(store, work.bench.state);
    if (HasFailure()) break;
  }
}

// The source's 4th file is copied when the writer dies: what was copied before is not copied again.
void die_at_the_fourth_file(const char* name) {
  if (std::string_view(name) == "blob.written" && ++n_passed == 4) ::raise(SIGKILL);
}

uint64_t inode_of(const fs::path& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 ? st.st_ino : 0;
}

TEST(Crash, LargeImportGoesOnWhereItWasKilled) {
  auto folder = TempFolder::create("crash_test");
  const fs::path state = folder->path() / "state", source = folder->path() / "large",
                 incoming = state / "blobs/incoming";
  make_model_folder(source, 7, 24 << 20, 3);
  pid_t child = ::fork();
  if (child == 0) {
    n_passed = 0;
    kill_point_hook = die_at_the_fourth_file;
    Store store = must(Store::open(state, Mode::read_write));
    (void)store.import_model(source);
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));

  Store store = must(Store::open(state, Mode::read_write));
  ASSERT_FALSE(fs::is_empty(incoming)) << "worth keeping";
  const fs::path staging = fs::directory_iterator(incoming)->path();
  const uint64_t part = inode_of(staging / "part-3");
  ASSERT_NE(part, 0u);
  const std::string first = must(read_file(staging / "done-2")).substr(7);
  const uint64_t finished = inode_of(staging / first);
  // A flaw in what was written is found and mended.
  Fd fd = must(open_file(staging / "part-3", O_WRONLY));
  ASSERT_EQ(::pwrite(fd.get(), "wrong", 5, 9 << 20), 5);

  uint64_t last_done = 0, total = 0;
  const ModelRecord model = must(store.import_model(
      source, {}, {.progress = [&](uint64_t done, uint64_t all) { last_done = done, total = all; }}));
  EXPECT_EQ(last_done, total);
  EXPECT_EQ(inode_of(state / "blobs/sha256" / first), finished) << "not copied a second time";
  EXPECT_EQ(inode_of(store.folder(model.name).value() / "model-00002-of-00003.safetensors"), part) << "gone on with";
  expect_sound(store, state);
}

}  // namespace
}  // namespace hearth::store::crash_test
