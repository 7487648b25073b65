// A thread waits for the signals, so that what they start need not be safe in a signal handler.
#include "appliance/cli/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <mutex>
#include <thread>

namespace hearth::cli {
namespace {

constexpr int kExitInterrupted = 130;
std::mutex g_mutex;
std::stop_source* g_current = nullptr;

}  // namespace

void take_interrupts() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([set] {
    for (int signal = 0; sigwait(&set, &signal) == 0;) {
      std::lock_guard lock(g_mutex);
      if (!g_current || g_current->stop_requested()) ::_exit(kExitInterrupted);  // asked twice: at once
      g_current->request_stop();
    }
  }).detach();
}

Interruptible::Interruptible() {
  std::lock_guard lock(g_mutex);
  g_current = &source_;
}

Interruptible::~Interruptible() {
  std::lock_guard lock(g_mutex);
  g_current = nullptr;
}

}  // namespace hearth::cli
