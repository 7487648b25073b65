// See cpu_backend.h. Threads meet only before the calls that wait: the products for q, k and v need no barrier between
// them.
#include "runtime/backend/cpu/cpu_backend.h"

#include <algorithm>
#include <chrono>

namespace hearth {
namespace {

// One thread is faster when meeting costs more than sharing saves: about 1 µs a barrier and 20 µs to wake the team,
// against work at a modest 50 GFLOP/s and 10 GB/s. The result is the same.
bool is_worth_a_team(const std::vector<Call>& calls) {
  double alone = 0, together = 20e-6;
  for (const Call& call : calls) {
    alone += call.flops / 50e9 + call.bytes / 10e9;
    together += call.waits ? 1e-6 : 0;
  }
  return alone > 2 * together;
}

class CpuTape final : public Tape {
 public:
  CpuTape(std::vector<Call> calls, Team& team)
      : calls_(std::move(calls)),
        team_(team),
        alone_(!is_worth_a_team(calls_)),
        body_([this](const Worker& me) { walk(me); }) {}

  Result<void> play() override {
    if (alone_)
      walk(Worker{});
    else
      team_.run(body_);
    return {};
  }

  Result<std::vector<double>> play_timed() override {
    std::vector<double> seconds(calls_.size());
    team_.run([&](const Worker& me) { walk_timed(me, seconds); });
    return seconds;
  }

 private:
  void walk(const Worker& me) const {
    for (const Call& call : calls_) {
      if (call.waits) me.sync();
      call.run(call.args, me);
    }
  }

  void walk_timed(const Worker& me, std::vector<double>& seconds) const {
    using Clock = std::chrono::steady_clock;
    me.sync();
    auto begin = Clock::now();
    for (size_t c = 0; c < calls_.size(); ++c) {
      calls_[c].run(calls_[c].args, me);
      me.sync();
      const auto end = Clock::now();
      if (me.rank == 0) seconds[c] = std::chrono::duration<double>(end - begin).count();
      begin = end;
    }
  }

  const std::vector<Call> calls_;
  Team& team_;
  const bool alone_;  // on the caller's thread only
  const std::function<void(const Worker&)> body_;
};

}  // namespace

Result<std::unique_ptr<Tape>> CpuBackend::record(std::vector<Call> calls) {
  return std::unique_ptr<Tape>(std::make_unique<CpuTape>(std::move(calls), team_));
}

}  // namespace hearth
