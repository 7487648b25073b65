// A worker process: started, its output kept, its death told in words. Knows nothing of engines or trainers.
//
// A child dies with the thread that started it (PR_SET_PDEATHSIG), so that no worker outlives a killed hearthd: start
// children only from threads that live as long as the service.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/phrase.h"

namespace hearth {

struct ChildCommand {
  std::vector<std::string> argv;  // argv[0] is the program's path
  std::filesystem::path log;      // stdout and stderr are appended here; rotated to .1 when large
};

class ChildProcess {
 public:
  static Result<ChildProcess> start(const ChildCommand& command);
  ChildProcess(ChildProcess&&) noexcept;
  ChildProcess& operator=(ChildProcess&&) noexcept;
  ~ChildProcess();  // kills the group when it still runs, and reaps it

  pid_t pid() const { return pid_; }
  int output_fd() const { return output_.get(); }  // readable when there is output, or at its end: call poll_exit()
  // Copies output to the log; true when the child has ended, and then death() tells how.
  bool poll_exit();
  bool wait_exit(std::chrono::milliseconds at_most);
  void signal_group(int signal) const;
  // Asks with SIGTERM, waits, then kills.
  void stop(std::chrono::milliseconds grace);

  bool ended() const { return status_.has_value(); }
  bool succeeded() const;                  // exit status 0
  bool crashed() const;                    // ended by a signal
  std::optional<int> exit_status() const;  // when it exited by itself
  // "exited with status 1: no such model", "killed by signal 9 (Killed): the kernel ran out of memory", ...
  std::string death() const;
  Phrase cause() const;  // the same for programs
  uint64_t resident_bytes() const;

 private:
  ChildProcess() = default;
  void read_output();
  void keep(std::string_view bytes);
  bool killed_by_others() const;
  bool killed_for_memory() const;

  pid_t pid_ = -1;
  Fd output_, log_;
  std::filesystem::path log_path_;
  uint64_t log_bytes_ = 0;
  std::string partial_line_;
  std::deque<std::string> last_lines_;
  std::optional<int> status_;  // as waitpid gave it
  uint64_t oom_kills_before_ = 0;
  bool killed_by_us_ = false;
};

}  // namespace hearth
