// See order_steps.h. Found by place, so that re-used buffers count too.
//
// Lanes run their steps in order. So of the other lane it is enough to wait for the last step in conflict, and of what
// a lane has waited for once, nothing has to be waited for again.
#include "runtime/plan/order_steps.h"

#include <algorithm>

namespace hearth {
namespace {

// What a step reads and writes, as bytes.
class Footprint {
 public:
  Footprint(const Plan& plan, const PlanStep& step) : plan_(plan) {
    const Node& node = plan.graph.nodes()[static_cast<size_t>(step.node)];
    const std::vector<int> mutated = node.op->mutated_inputs();
    for (size_t i = 0; i < node.inputs.size(); ++i)
      add(node.inputs[i], std::find(mutated.begin(), mutated.end(), static_cast<int>(i)) != mutated.end());
    for (Value v : node.outputs) add(v, true);
    const auto scratch = static_cast<int64_t>(step.kernel.scratch_bytes);
    if (scratch > 0) ranges_.push_back({kArena, step.scratch_offset, step.scratch_offset + scratch, true});
  }
  bool conflicts_with(const Footprint& other) const {
    for (const Range& a : ranges_)
      for (const Range& b : other.ranges_)
        if (a.memory == b.memory && (a.is_written || b.is_written) && a.begin < b.end && b.begin < a.end) return true;
    return false;
  }

 private:
  static constexpr int kArena = -1;
  struct Range {
    int memory;  // kArena, or the root of what is bound
    int64_t begin, end;
    bool is_written;
  };
  void add(Value v, bool is_written) {
    const ValuePlace& place = plan_.places[static_cast<size_t>(v.id)];
    const int64_t bytes = plan_.graph.type(v).bytes();
    if (bytes > 0)
      ranges_.push_back({place.where == ValuePlace::Where::bound ? place.root : kArena, place.offset,
                         place.offset + bytes, is_written});
  }
  const Plan& plan_;
  std::vector<Range> ranges_;
};

class StepOrder {
 public:
  explicit StepOrder(Plan& plan) : plan_(plan) {
    for (const PlanStep& step : plan.steps) footprints_.emplace_back(plan, step);
  }
  void run() {
    for (int s = 0; s < static_cast<int>(plan_.steps.size()); ++s) {
      PlanStep& step = plan_.steps[static_cast<size_t>(s)];
      const auto mine = static_cast<size_t>(step.lane);
      step.waits = waits(s, since_[mine]);
      step.waits_for = last_in_conflict(s, running_[1 - mine]);
      running_[mine].push_back(s);
    }
  }

 private:
  bool conflict(int a, int b) const {
    return footprints_[static_cast<size_t>(a)].conflicts_with(footprints_[static_cast<size_t>(b)]);
  }
  bool waits(int step, std::vector<int>& since) const {
    const bool waits = std::any_of(since.begin(), since.end(), [&](int earlier) { return conflict(step, earlier); });
    if (waits) since.clear();
    since.push_back(step);
    return waits;
  }
  int last_in_conflict(int step, std::vector<int>& running) const {
    const auto found =
        std::find_if(running.rbegin(), running.rend(), [&](int earlier) { return conflict(step, earlier); });
    if (found == running.rend()) return -1;
    const int last = *found;
    running.erase(running.begin(), found.base());
    return last;
  }

  Plan& plan_;
  std::vector<Footprint> footprints_;
  std::vector<int> since_[kLanes];    // of a lane: its last step that waits, and those behind it
  std::vector<int> running_[kLanes];  // of a lane: the steps that the other one does not know to have ended
};

}  // namespace

void order_steps(Plan& plan) {
  StepOrder(plan).run();
}

}  // namespace hearth
