// The progress bar, and following a job with it.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "appliance/cli/cli.h"

namespace hearth::cli {

constexpr int kBarWidth = 24;
constexpr size_t kLineWidth = 100;
constexpr std::chrono::milliseconds kJobPoll{250}, kEventEvery{500};

ProgressBar::ProgressBar() : is_terminal_(::isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (shown_) fmt::print(stderr, "\r\033[K");
}

void ProgressBar::show(double progress, const std::string& text) {
  if (as_events) return print_event(progress, text);
  if (!is_terminal_) return;
  int done = std::clamp(static_cast<int>(progress * kBarWidth), 0, kBarWidth);
  std::string line = fmt::format("[{}{}] {:3.0f} % {}", std::string(static_cast<size_t>(done), '#'),
                                 std::string(static_cast<size_t>(kBarWidth - done), '.'), progress * 100, text);
  fmt::print(stderr, "\r\033[K{}", line.substr(0, kLineWidth));
  std::fflush(stderr);
  shown_ = true;
}

void ProgressBar::print_event(double progress, const std::string& text) {
  const auto now = std::chrono::steady_clock::now();
  if (progress < 1 && now - last_event_ < kEventEvery) return;
  last_event_ = now;
  fmt::print(stderr, "{}\n", dump_json({{"event", "progress"}, {"progress", progress}, {"text", text}}));
}

store::Control ProgressBar::control(std::string_view doing) {
  return {.progress =
              [this, text = std::string(doing)](uint64_t done, uint64_t total) {
                show(total ? static_cast<double>(done) / static_cast<double>(total) : 0,
                     fmt::format("{} {}", text, human_bytes(total)));
              },
          .stop = {}};
}

Result<api::Job> follow_job(const ApiClient& service, const std::string& id) {
  ProgressBar bar;
  while (true) {
    api::Job job = TRY(service.get_as<api::Job>("/hearth/v1/jobs/" + http::percent_encode(id)));
    if (job.state == "done") return job;
    if (job.state == "failed") return error(Code::internal, "job {} failed: {}", id, job.reason);
    if (job.state == "cancelled") return error(Code::cancelled, "job {} was cancelled", id);
    std::string left = job.seconds_left ? ", " + human_seconds(*job.seconds_left) + " left" : "";
    bar.show(job.progress, job.step + left);
    std::this_thread::sleep_for(kJobPoll);
  }
}

}  // namespace hearth::cli
