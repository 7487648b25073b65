// The team: workers wait for the job counter to change, run the job on their rank, and meet at the barrier.
#include "runtime/backend/cpu/team.h"

#include <thread>
#include <vector>

#include "base/check.h"
#include "hwdetect/cpu_features.h"
#include "runtime/backend/cpu/barrier.h"

namespace hearth {

void Worker::sync() const {
  if (barrier != nullptr) barrier->arrive_and_wait();
}

struct Team::State {
  explicit State(int n_threads) : n_threads(n_threads), barrier(n_threads) {}

  Worker worker(int rank) { return {rank, n_threads, n_threads > 1 ? &barrier : nullptr}; }

  void serve(int rank) {
    const Worker me = worker(rank);
    for (uint32_t seen = 0;; ++seen) {
      wait_while_equal(job_number, seen);
      if (stopping) return;
      (*job)(me);
      barrier.arrive_and_wait();
    }
  }

  void publish() {
    job_number.fetch_add(1, std::memory_order_release);
    job_number.notify_all();
  }

  const int n_threads;
  Barrier barrier;
  alignas(64) std::atomic<uint32_t> job_number{0};
  // Written before publish(), read after wait_while_equal().
  const std::function<void(const Worker&)>* job = nullptr;
  bool stopping = false;
  std::vector<std::jthread> threads;
};

Team::Team(int n_threads) {
  CHECK(n_threads >= 1 && n_threads <= 256);
  state_ = std::make_unique<State>(n_threads);
  for (int rank = 1; rank < n_threads; ++rank)
    state_->threads.emplace_back([state = state_.get(), rank] { state->serve(rank); });
}

Team::~Team() {
  state_->stopping = true;
  state_->publish();
}

int Team::size() const {
  return state_->n_threads;
}

void Team::run(const std::function<void(const Worker&)>& body) {
  State& s = *state_;
  const Worker me = s.worker(0);
  if (s.n_threads == 1) return body(me);
  s.job = &body;
  s.publish();
  body(me);
  s.barrier.arrive_and_wait();
}

int Team::default_threads() {
  return cpu_features().n_physical_cores;
}

}  // namespace hearth
