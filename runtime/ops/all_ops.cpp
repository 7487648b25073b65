// See all_ops.h.
#include "runtime/ops/all_ops.h"

#include <iterator>

namespace hearth {
namespace {

template <class... Ops>
std::vector<Sample> samples_of(OpList<Ops...>) {
  std::vector<Sample> out;
  auto append = [&](std::vector<Sample> samples) {
    std::move(samples.begin(), samples.end(), std::back_inserter(out));
  };
  (append(Ops::samples()), ...);
  return out;
}

}  // namespace

std::vector<Sample> all_samples() {
  return samples_of(AllOps{});
}

}  // namespace hearth
