// A persistent team of threads that runs one function at a time, SPMD. Threads spin briefly between jobs, then sleep.
#pragma once

#include <functional>
#include <memory>

#include "runtime/backend/worker.h"

namespace hearth {

// Within a job, its threads meet at one barrier (Worker::sync).
class Team {
 public:
  explicit Team(int n_threads);  // 1..256; the caller is rank 0
  ~Team();
  Team(const Team&) = delete;
  int size() const;
  // Runs body on every rank and returns when all are done. Not re-entrant; one caller at a time.
  void run(const std::function<void(const Worker&)>& body);

  static int default_threads();  // physical cores that this process may use

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hearth
