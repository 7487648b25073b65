// Greedy by size: the largest buffer first, each at the lowest gap among those it shares a step with.
//
// Large tensors decide the peak; small ones then fit into the holes. On transformer graphs this is within a few per
// cent of the largest sum of live bytes (a bound that the tests print against). Cost: n log n, and log n for each pair
// that shares a step.
#include "runtime/plan/place_buffers.h"

#include <algorithm>
#include <numeric>

namespace hearth {
namespace {

struct Taken {
  int64_t begin, end;
};

// The lowest offset where `bytes` fit between the taken ranges.
int64_t lowest_gap(std::vector<Taken>& taken, int64_t bytes) {
  std::sort(taken.begin(), taken.end(), [](const Taken& a, const Taken& b) { return a.begin < b.begin; });
  int64_t offset = 0;
  for (const Taken& range : taken) {
    if (offset + bytes <= range.begin) break;
    offset = std::max(offset, range.end);
  }
  return offset;
}

int64_t round_up(int64_t bytes) {
  return (bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
}

// The buffers added so far, found by the steps in which they live: a tree over all of them by first step, each node
// with the latest last step below it.
class LivingAt {
 public:
  explicit LivingAt(const std::vector<BufferLifetime>& buffers) : buffers_(buffers), by_first_(buffers.size()) {
    std::iota(by_first_.begin(), by_first_.end(), size_t{0});
    std::sort(by_first_.begin(), by_first_.end(),
              [&](size_t a, size_t b) { return buffers[a].first < buffers[b].first; });
    leaf_of_.resize(buffers.size());
    for (size_t i = 0; i < by_first_.size(); ++i) leaf_of_[by_first_[i]] = i;
    while (n_leaves_ < buffers.size()) n_leaves_ *= 2;
    last_.assign(2 * n_leaves_, kNobody);
  }
  void add(size_t index) {
    for (size_t node = n_leaves_ + leaf_of_[index]; node > 0; node /= 2)
      last_[node] = std::max(last_[node], buffers_[index].last);
  }
  // use(index) for every added buffer that shares a step with this one.
  template <class Use>
  void for_each_beside(const BufferLifetime& buffer, Use use) const {
    const auto end = std::upper_bound(by_first_.begin(), by_first_.end(), buffer.last,
                                      [&](int step, size_t other) { return step < buffers_[other].first; });
    visit(1, 0, n_leaves_, static_cast<size_t>(end - by_first_.begin()), buffer.first, use);
  }

 private:
  static constexpr int kNobody = -1;
  // The node is over the leaves [begin, begin + size); those before n_begun begin early enough.
  template <class Use>
  void visit(size_t node, size_t begin, size_t size, size_t n_begun, int first, Use& use) const {
    if (begin >= n_begun || last_[node] < std::max(first, 0)) return;
    if (size == 1) return use(by_first_[begin]);
    visit(2 * node, begin, size / 2, n_begun, first, use);
    visit(2 * node + 1, begin + size / 2, size / 2, n_begun, first, use);
  }

  const std::vector<BufferLifetime>& buffers_;
  std::vector<size_t> by_first_, leaf_of_;
  size_t n_leaves_ = 1;
  std::vector<int> last_;
};

}  // namespace

BufferLayout place_buffers(const std::vector<BufferLifetime>& buffers) {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return buffers[a].bytes > buffers[b].bytes; });

  BufferLayout layout;
  layout.offsets.resize(buffers.size());
  LivingAt placed(buffers);
  std::vector<Taken> taken;
  for (size_t index : order) {
    taken.clear();
    placed.for_each_beside(buffers[index], [&](size_t other) {
      taken.push_back({layout.offsets[other], layout.offsets[other] + round_up(buffers[other].bytes)});
    });
    const int64_t bytes = round_up(buffers[index].bytes);
    layout.offsets[index] = lowest_gap(taken, bytes);
    layout.arena_bytes = std::max(layout.arena_bytes, layout.offsets[index] + bytes);
    placed.add(index);
  }
  return layout;
}

}  // namespace hearth
