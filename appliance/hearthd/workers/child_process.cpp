// fork + exec with a death signal, an own process group, default signals and limits, and a place of its own in the
// kernel's choice of whom to kill; output through one pipe.
#include "appliance/hearthd/workers/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace hearth {
namespace fs = std::filesystem;
namespace {

constexpr size_t kLastLines = 20;
constexpr size_t kMaxLineBytes = 2000;
constexpr uint64_t kMaxLogBytes = uint64_t{8} << 20;
constexpr rlim_t kMaxOpenFiles = 65536;
// When memory ends, a worker goes before the service that tells why (which systemd protects with -100, and that would
// be inherited) and before other programs of its size.
constexpr int kOomScore = 100;

// Kills for lack of memory, in our cgroup where it tells, else on the whole machine.
uint64_t count_oom_kills() {
  auto field_of = [](const fs::path& file, std::string_view name) -> std::optional<uint64_t> {
    auto text = read_file(file);
    if (!text) return std::nullopt;
    size_t at = text->find(std::string(name) + " ");
    if (at == std::string::npos) return std::nullopt;
    return std::strtoull(text->c_str() + at + name.size() + 1, nullptr, 10);
  };
  if (auto self = read_file("/proc/self/cgroup"); self && self->starts_with("0::/")) {
    std::string group = self->substr(4, self->find('\n') - 4);
    if (auto n = field_of(fs::path("/sys/fs/cgroup") / group / "memory.events", "oom_kill")) return *n;
  }
  return field_of("/proc/vmstat", "oom_kill").value_or(0);
}

std::string oom_score_of_child() {
  auto own = read_file("/proc/self/oom_score_adj", 64);
  return std::to_string(std::max(own ? std::atoi(own->c_str()) : 0, kOomScore));
}

void set_oom_score(std::string_view score) {
  const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  (void)!::write(file, score.data(), score.size());  // raising it is allowed to everybody
  ::close(file);
}

// Runs in the child between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(char* const* argv, int output, pid_t parent, std::string_view oom_score) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // the parent died before the line above
  set_oom_score(oom_score);
  for (int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP, SIGCHLD}) ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);  // a core of an engine is as large as the model
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min(files.rlim_max, kMaxOpenFiles);
  ::setrlimit(RLIMIT_NOFILE, &files);
  int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, 0);
  ::dup2(output, 1);
  ::dup2(output, 2);
  ::execv(argv[0], argv);
  const char* why = std::strerror(errno);
  (void)!::write(2, "error: cannot start the program: ", 33);
  (void)!::write(2, why, std::strlen(why));
  (void)!::write(2, "\n", 1);
  ::_exit(127);
}

Result<Fd> open_log(const fs::path& path, uint64_t& size) {
  std::error_code failed;
  size = fs::file_size(path, failed);
  if (failed) size = 0;
  return open_file(path, O_WRONLY | O_CREAT | O_APPEND, 0640);
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const ChildCommand& command) {
  ChildProcess child;
  TRY(make_folders(command.log.parent_path()));
  child.log_path_ = command.log;
  child.log_ = TRY(open_log(command.log, child.log_bytes_));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("make a pipe for", command.argv[0], errno);
  child.output_ = Fd(ends[0]);
  Fd write_end(ends[1]);
  ::fcntl(child.output_.get(), F_SETFL, O_NONBLOCK);
  std::vector<char*> argv;
  for (const std::string& argument : command.argv) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  child.oom_kills_before_ = count_oom_kills();
  const std::string oom_score = oom_score_of_child();
  pid_t parent = ::getpid();
  child.pid_ = ::fork();
  if (child.pid_ < 0) return errno_error("start", command.argv[0], errno);
  if (child.pid_ == 0) become(argv.data(), write_end.get(), parent, oom_score);
  ::setpgid(child.pid_, child.pid_);  // here too, so that signal_group works at once
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept {
  *this = std::move(other);
}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(output_, other.output_);
  std::swap(log_, other.log_);
  std::swap(log_path_, other.log_path_);
  std::swap(log_bytes_, other.log_bytes_);
  std::swap(partial_line_, other.partial_line_);
  std::swap(last_lines_, other.last_lines_);
  std::swap(status_, other.status_);
  std::swap(oom_kills_before_, other.oom_kills_before_);
  std::swap(killed_by_us_, other.killed_by_us_);
  return *this;
}

ChildProcess::~ChildProcess() {
  if (pid_ > 0 && !status_) stop(std::chrono::milliseconds(0));
}

void ChildProcess::read_output() {
  char buffer[16 * 1024];
  while (output_.valid()) {
    ssize_t n = ::read(output_.get(), buffer, sizeof buffer);
    if (n > 0) {
      keep({buffer, static_cast<size_t>(n)});
    } else if (n == 0) {
      output_ = Fd();
    } else if (errno != EINTR) {
      return;
    }
  }
}

void ChildProcess::keep(std::string_view bytes) {
  if (log_bytes_ > kMaxLogBytes) {
    std::error_code ignored;
    fs::rename(log_path_, log_path_.string() + ".1", ignored);
    if (auto fresh = open_log(log_path_, log_bytes_)) log_ = std::move(*fresh);
  }
  (void)write_all(log_.get(), std::as_bytes(std::span(bytes)), log_path_);  // a full disk must not stop the worker
  log_bytes_ += bytes.size();
  while (!bytes.empty()) {
    size_t end = bytes.find('\n');
    partial_line_ += bytes.substr(0, std::min(end, kMaxLineBytes));
    if (end == std::string_view::npos) break;
    last_lines_.push_back(partial_line_.substr(0, kMaxLineBytes));
    if (last_lines_.size() > kLastLines) last_lines_.pop_front();
    partial_line_.clear();
    bytes.remove_prefix(end + 1);
  }
  if (partial_line_.size() > kMaxLineBytes) partial_line_.resize(kMaxLineBytes);
}

bool ChildProcess::poll_exit() {
  read_output();
  if (status_) return true;
  int status = 0;
  pid_t got = ::waitpid(pid_, &status, WNOHANG);
  if (got == 0 || (got < 0 && errno == EINTR)) return false;
  read_output();
  if (!partial_line_.empty()) last_lines_.push_back(std::exchange(partial_line_, {}));
  status_ = got == pid_ ? status : 0;
  ::kill(-pid_, SIGKILL);  // whatever it may have started
  return true;
}

bool ChildProcess::wait_exit(std::chrono::milliseconds at_most) {
  auto deadline = std::chrono::steady_clock::now() + at_most;
  while (!poll_exit()) {
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd on_output{output_.get(), POLLIN, 0};
    int wait_ms = static_cast<int>(std::min<int64_t>(left.count(), output_.valid() ? 100 : 5));
    ::poll(&on_output, output_.valid() ? 1 : 0, wait_ms);
  }
  return true;
}

void ChildProcess::signal_group(int signal) const {
  if (pid_ > 0 && !status_) ::kill(-pid_, signal);
}

void ChildProcess::stop(std::chrono::milliseconds grace) {
  killed_by_us_ = true;
  if (grace.count() > 0) {
    signal_group(SIGTERM);
    if (wait_exit(grace)) return;
  }
  signal_group(SIGKILL);
  wait_exit(std::chrono::seconds(10));
}

bool ChildProcess::succeeded() const {
  return status_ && WIFEXITED(*status_) && WEXITSTATUS(*status_) == 0;
}
std::optional<int> ChildProcess::exit_status() const {
  if (!status_ || !WIFEXITED(*status_)) return std::nullopt;
  return WEXITSTATUS(*status_);
}
bool ChildProcess::crashed() const {
  return status_ && WIFSIGNALED(*status_);
}

// What the program said last: its "error:" line where there is one.
static std::string last_words(const std::deque<std::string>& lines) {
  constexpr std::string_view kError = "error: ";
  for (auto line = lines.rbegin(); line != lines.rend(); ++line)
    if (size_t at = line->find(kError); at != std::string::npos) return line->substr(at + kError.size());
  for (auto line = lines.rbegin(); line != lines.rend(); ++line)
    if (!line->empty()) return *line;
  return "";
}

bool ChildProcess::killed_by_others() const {
  return status_ && WIFSIGNALED(*status_) && WTERMSIG(*status_) == SIGKILL && !killed_by_us_;
}

bool ChildProcess::killed_for_memory() const {
  return killed_by_others() && count_oom_kills() > oom_kills_before_;
}

Phrase ChildProcess::cause() const {
  if (!status_) return {};
  if (killed_for_memory()) return {"out_of_memory"};
  if (killed_by_others()) return {"worker_killed"};
  if (WIFSIGNALED(*status_)) return {"worker_crashed", {{"signal", ::strsignal(WTERMSIG(*status_))}}};
  const std::string words = last_words(last_lines_);
  return {"worker_failed", {{"words", words.empty() ? fmt::format("status {}", WEXITSTATUS(*status_)) : words}}};
}

std::string ChildProcess::death() const {
  if (!status_) return "";
  std::string words = last_words(last_lines_);
  if (WIFSIGNALED(*status_)) {
    int signal = WTERMSIG(*status_);
    std::string what = fmt::format("killed by signal {} ({})", signal, ::strsignal(signal));
    if (killed_by_others()) {
      return what + (killed_for_memory() ? ": the kernel ran out of memory; deploy a smaller model or a shorter context"
                                         : ": somebody or something outside of Hearth killed it");
    }
    return words.empty() ? what : what + "; it said last: " + words;
  }
  if (WEXITSTATUS(*status_) == 0) return "ended by itself";
  std::string what = fmt::format("exited with status {}", WEXITSTATUS(*status_));
  return words.empty() ? what : what + ": " + words;
}

uint64_t ChildProcess::resident_bytes() const {
  if (status_ || pid_ <= 0) return 0;
  auto text = read_file(fmt::format("/proc/{}/statm", pid_));
  if (!text) return 0;
  size_t space = text->find(' ');
  if (space == std::string::npos) return 0;
  return std::strtoull(text->c_str() + space, nullptr, 10) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace hearth
