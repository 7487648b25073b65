// Ranks that are threads of this process: for tests, and for one box.
//
//   InProcessGroup group(2);
//   on thread r: group.communicator(r).all_reduce(...); and group.leave(error) where it cannot go on
#pragma once

#include <memory>
#include <vector>

#include "runtime/comm/communicator.h"

namespace hearth {

class InProcessGroup {
 public:
  explicit InProcessGroup(int n_ranks);  // 1 to 1024
  ~InProcessGroup();
  InProcessGroup(const InProcessGroup&) = delete;
  InProcessGroup& operator=(const InProcessGroup&) = delete;
  Communicator& communicator(int rank);
  // Whoever waits, or will wait, for others gets this error.
  void leave(Error why);

 private:
  class Meeting;
  class Rank;
  std::unique_ptr<Meeting> meeting_;
  std::vector<std::unique_ptr<Rank>> ranks_;
};

}  // namespace hearth
