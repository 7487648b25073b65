// hearthd's main loop: signals, readiness, the watchdog.
#include <signal.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <systemd/sd-daemon.h>

#include "appliance/hearthd/service.h"
#include "base/log.h"

namespace hearth {
namespace {

constexpr double kStuckAfterSeconds = 60;  // a supervisor that has not looked for so long is stuck
constexpr size_t kLogBytes = 8 << 20, kLogFiles = 2;

// Blocked in every thread that is made from here on; workers get them unblocked.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return set;
}

void log_to_file(const StateDir& state) {
  try {
    auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>((state.logs() / "hearthd.log").string(), kLogBytes, kLogFiles);
    sink->set_pattern("%Y-%m-%d %H:%M:%S.%e %n %l %v");
    spdlog::default_logger()->sinks().push_back(std::move(sink));
    spdlog::default_logger()->flush_on(spdlog::level::info);
  } catch (const spdlog::spdlog_ex& e) {
    spdlog::warn("no log file: {}", e.what());
  }
}

void wait_for_end(const Service& service, const sigset_t& signals) {
  uint64_t watchdog_us = 0;
  bool has_watchdog = ::sd_watchdog_enabled(0, &watchdog_us) > 0;
  timespec wait{.tv_sec = 1};
  if (has_watchdog && watchdog_us < 3'000'000) wait = {.tv_sec = 0, .tv_nsec = static_cast<long>(watchdog_us / 3 * 1000)};
  while (true) {
    int signal = ::sigtimedwait(&signals, nullptr, &wait);
    if (signal == SIGTERM || signal == SIGINT) return;
    if (has_watchdog && service.seconds_since_tick() < kStuckAfterSeconds) ::sd_notify(0, "WATCHDOG=1");
  }
}

}  // namespace

Result<void> run_service(ServiceOptions options) {
  sigset_t signals = block_signals();
  TRY(options.state.make_folders());
  if (options.log_to_state) log_to_file(options.state);
  std::unique_ptr<Service> service = TRY(Service::start(std::move(options)));
  ::sd_notifyf(0, "READY=1\nSTATUS=Listening on %s", service->listen.c_str());
  wait_for_end(*service, signals);
  ::sd_notify(0, "STOPPING=1");
  spdlog::info("stopping");
  service->stop();
  return {};
}

}  // namespace hearth
