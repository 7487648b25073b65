// Worker processes: output kept, deaths told in words, nothing left behind.
#include "appliance/hearthd/workers/child_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hearth::child_process_test {
namespace {

using namespace std::chrono_literals;

struct Children : testing::Test {
  TempFolder folder = std::move(*TempFolder::create("child"));
  ChildProcess start(const std::string& script) {
    auto child = ChildProcess::start({.argv = {"/bin/sh", "-c", script}, .log = folder.path() / "log"});
    EXPECT_TRUE(child);
    return std::move(*child);
  }
};

TEST_F(Children, TellsTheExitStatusAndTheErrorLine) {
  ChildProcess child = start("echo 'error: no such model' >&2; echo bye; exit 3");
  ASSERT_TRUE(child.wait_exit(10s));
  EXPECT_EQ(child.death(), "exited with status 3: no such model");
  EXPECT_EQ(child.cause(), (Phrase{"worker_failed", {{"words", "no such model"}}}));
  EXPECT_FALSE(child.crashed());
  EXPECT_EQ(*read_file(folder.path() / "log"), "error: no such model\nbye\n");
}

TEST_F(Children, TellsSignals) {
  ChildProcess segv = start("echo loading; kill -SEGV $$");
  ASSERT_TRUE(segv.wait_exit(10s));
  EXPECT_EQ(segv.death(), "killed by signal 11 (Segmentation fault); it said last: loading");
  EXPECT_EQ(segv.cause(), (Phrase{"worker_crashed", {{"signal", "Segmentation fault"}}}));
  ChildProcess killed = start("kill -KILL $$");
  ASSERT_TRUE(killed.wait_exit(10s));
  EXPECT_EQ(killed.cause().code, "worker_killed");
  EXPECT_TRUE(killed.death().starts_with("killed by signal 9 (Killed): ")) << killed.death();
}

// Whatever score the service has been given, its own is not the workers'.
TEST_F(Children, AWorkerIsKilledForMemoryBeforeTheService) {
  ChildProcess child = start("cat /proc/self/oom_score_adj");
  ASSERT_TRUE(child.wait_exit(10s));
  EXPECT_EQ(std::stoi(*read_file(folder.path() / "log")),
            std::max(std::stoi(*read_file("/proc/self/oom_score_adj")), 100));
}

TEST_F(Children, ProgramThatIsNotThere) {
  auto child = ChildProcess::start({.argv = {"/nonexistent/engine"}, .log = folder.path() / "log"});
  ASSERT_TRUE(child);
  ASSERT_TRUE(child->wait_exit(10s));
  EXPECT_EQ(child->death(), "exited with status 127: cannot start the program: No such file or directory");
}

TEST_F(Children, StopIsPoliteThenFirm) {
  ChildProcess polite = start("trap 'exit 0' TERM; echo up; while :; do sleep 0.01; done");
  ChildProcess deaf = start("trap '' TERM; echo up; while :; do sleep 0.01; done");
  while (read_file(folder.path() / "log").value_or("").size() < 6) {  // both are up
    polite.poll_exit();
    deaf.poll_exit();
  }
  polite.stop(10s);
  EXPECT_TRUE(polite.succeeded());
  deaf.stop(50ms);
  EXPECT_TRUE(deaf.crashed());
}

TEST_F(Children, GrandchildrenDieToo) {
  ChildProcess child = start("sleep 1000 & echo $!; wait");
  std::string pid_text;
  while (pid_text.find('\n') == std::string::npos) {
    child.poll_exit();
    pid_text = read_file(folder.path() / "log").value_or("");
  }
  pid_t grandchild = std::stoi(pid_text);
  child.stop(0ms);
  for (int i = 0; i < 1000 && ::kill(grandchild, 0) == 0; ++i) ::usleep(1000);  // reaped by init
  auto state = read_file("/proc/" + std::to_string(grandchild) + "/stat");
  EXPECT_TRUE(!state || state->find(") Z") != std::string::npos);
}

TEST_F(Children, ChildDiesWithItsParent) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  pid_t parent = ::fork();
  if (parent == 0) {
    ChildProcess child = start("sleep 1000");
    pid_t pid = child.pid();
    (void)!::write(ends[1], &pid, sizeof pid);
    ::pause();
  }
  pid_t grandchild = 0;
  ASSERT_EQ(::read(ends[0], &grandchild, sizeof grandchild), static_cast<ssize_t>(sizeof grandchild));
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  bool gone = false;
  for (int i = 0; i < 5000 && !gone; ++i) {
    auto state = read_file("/proc/" + std::to_string(grandchild) + "/stat");
    gone = !state || state->find(") Z") != std::string::npos;
    if (!gone) ::usleep(1000);
  }
  EXPECT_TRUE(gone);
}

TEST_F(Children, LogsAreRotated) {
  ChildProcess child = start("head -c 9000000 /dev/zero | tr '\\0' 'x'; echo; echo end");
  ASSERT_TRUE(child.wait_exit(60s));
  EXPECT_TRUE(child.succeeded());
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "log.1"));
  EXPECT_LT(std::filesystem::file_size(folder.path() / "log"), 8u << 20);
}

}  // namespace
}  // namespace hearth::child_process_test
