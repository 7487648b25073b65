// Collectives: rules, and what they do on the host.
#include "runtime/ops/collective/collective.h"

#include <fmt/ranges.h>

#include <cstring>

#include "base/check.h"
#include "runtime/ops/rules.h"
#include "runtime/tensor/box.h"

namespace hearth {
namespace {

using Offsets = std::vector<int64_t>;

Result<void> check_part(const Collective& op, Types inputs, bool only_f32) {
  if (inputs.size() != 1) return shape_error(op.name(), "operand count", "1", std::to_string(inputs.size()));
  if (only_f32 && inputs[0].dtype != Dtype::f32) return shape_error(op.name(), "x", "f32", inputs[0].to_string());
  if (op.n >= 1 && op.index >= 0 && op.index < op.n) return {};
  return shape_error(op.name(), "the part", "one of those there are", fmt::format("{} of {}", op.index, op.n));
}

int64_t begin_of(const Bounds& bounds, int part) {
  return bounds[static_cast<size_t>(part)];
}
int64_t size_of(const Bounds& bounds, int part) {
  return bounds[static_cast<size_t>(part) + 1] - bounds[static_cast<size_t>(part)];
}

// The size of `axis`, which must be `wanted`.
Result<void> check_axis(const Collective& op, const TensorType& x, int axis, const Bounds& bounds, int64_t wanted) {
  const bool is_sound = bounds.size() == static_cast<size_t>(op.n) + 1 && axis >= 0 && axis < x.shape.rank();
  if (is_sound && x.shape[axis] == wanted) return {};
  return shape_error(op.name(), "x", fmt::format("of {} on axis {}, cut at {}", wanted, axis, fmt::join(bounds, ", ")),
                     x.to_string());
}

TensorType with_size(TensorType type, int axis, int64_t size) {
  type.shape[axis] = size;
  return type;
}

std::span<const float> floats(const TensorView& view) {
  return {view.f32(), static_cast<size_t>(view.shape().n_elements())};
}
std::span<float> writable_floats(const TensorView& view) {
  return {view.f32(), static_cast<size_t>(view.shape().n_elements())};
}
std::span<std::byte> bytes_of(const TensorView& view) {
  return {view.as<std::byte>(), static_cast<size_t>(view.type.bytes())};
}

// Parts of a tensor one behind the other, as they travel: part i has its range of the axis.
class Packed {
 public:
  Packed(TensorType whole, int axis, const Bounds& bounds, std::byte* data)
      : whole_(whole), axis_(axis), bounds_(bounds), data_(data) {
    offsets_.push_back(0);
    for (size_t i = 0; i + 1 < bounds.size(); ++i)
      offsets_.push_back(offsets_.back() + part(static_cast<int>(i)).type.bytes());
  }
  TensorView part(int i) const {
    return {with_size(whole_, axis_, size_of(bounds_, i)), data_ + offsets_[static_cast<size_t>(i)]};
  }
  void pack(const TensorView& whole) const {
    for (int i = 0; i < n(); ++i) copy_box(whole, box(i), part(i), {});
  }
  void unpack(const TensorView& whole) const {
    for (int i = 0; i < n(); ++i) copy_box(part(i), Box::whole(part(i).shape()), whole, box(i).begin);
  }
  const Offsets& offsets() const { return offsets_; }
  Offsets offsets_in_floats() const {
    Offsets out = offsets_;
    for (int64_t& offset : out) offset /= 4;
    return out;
  }
  std::span<std::byte> bytes() const { return {data_, static_cast<size_t>(offsets_.back())}; }

 private:
  int n() const { return static_cast<int>(bounds_.size()) - 1; }
  Box box(int i) const { return Box::whole(whole_.shape).range(axis_, begin_of(bounds_, i), begin_of(bounds_, i + 1)); }
  TensorType whole_;
  int axis_;
  const Bounds& bounds_;
  std::byte* data_;
  Offsets offsets_;
};

// Every axis but those named.
ShardingRule all_but(Types inputs, std::initializer_list<int> axes) {
  ShardingRule rule = elementwise_sharding(inputs, 1);
  rule.cuts.clear();
  for (int i = 0; i < inputs[0].shape.rank(); ++i)
    if (std::find(axes.begin(), axes.end(), i) == axes.end())
      rule.cuts.push_back(rule.inputs[0][static_cast<size_t>(i)].name);
  return rule;
}

// What one part sends of n parts of `bytes`, where each has to be with every other.
double of_others(double bytes, int n) {
  return bytes * (n - 1) / n;
}

template <class C, class... Args>
Sample alone(const char* name, Args... args) {
  return make_sample(name, std::make_shared<C>("parts", 0, 1, args...), {}, random_tensor({12, 24, 5}, 1));
}

}  // namespace

Result<std::vector<Value>> Collective::gradient(GradientBuilder&) const {
  return not_differentiable(name(), "a graph is differentiated first, and sharded then");
}
Cost Collective::cost(Types inputs, Types outputs) const {
  return streaming_cost(0, inputs, outputs);
}
void Collective::reference(Views inputs, Views outputs) const {
  CHECK(n == 1);  // parts need a communicator
  std::memcpy(outputs[0].data, inputs[0].data, static_cast<size_t>(inputs[0].type.bytes()));
}

std::string_view AllReduce::name() const {
  return "all_reduce";
}
std::string AllReduce::attributes() const {
  return fmt::format("mesh={} part={}/{} how={}", mesh_name, index, n, static_cast<int>(how));
}
Result<std::vector<TensorType>> AllReduce::infer(Types inputs) const {
  TRY(check_part(*this, inputs, true));
  return std::vector{inputs[0]};
}
ShardingRule AllReduce::sharding(Types inputs) const {
  return all_but(inputs, {});
}
double AllReduce::moved_bytes(Types inputs, Types) const {
  return 2 * of_others(static_cast<double>(inputs[0].bytes()), n);
}
Result<void> AllReduce::run(Communicator& comm, const TensorView& in, const TensorView& out, std::byte*) const {
  return comm.all_reduce(how, floats(in), writable_floats(out));
}
size_t AllReduce::scratch_bytes(Types) const {
  return 0;
}
std::vector<Sample> AllReduce::samples() {
  return sample_list(alone<AllReduce>("alone", Reduction::sum));
}

std::string_view AllGather::name() const {
  return "all_gather";
}
std::string AllGather::attributes() const {
  return fmt::format("mesh={} part={}/{} axis={} bounds={}", mesh_name, index, n, axis, fmt::join(bounds, ","));
}
Result<std::vector<TensorType>> AllGather::infer(Types inputs) const {
  TRY(check_part(*this, inputs, false));
  TRY(check_axis(*this, inputs[0], axis, bounds, size_of(bounds, index)));
  return std::vector{with_size(inputs[0], axis, bounds.back())};
}
ShardingRule AllGather::sharding(Types inputs) const {
  return all_but(inputs, {axis});
}
double AllGather::moved_bytes(Types, Types outputs) const {
  return of_others(static_cast<double>(outputs[0].bytes()), n);
}
Result<void> AllGather::run(Communicator& comm, const TensorView& in, const TensorView& out, std::byte* scratch) const {
  const Packed parts(out.type, axis, bounds, scratch);
  TRY(comm.all_gather(bytes_of(in), parts.offsets(), parts.bytes()));
  parts.unpack(out);
  return {};
}
size_t AllGather::scratch_bytes(Types inputs) const {
  return static_cast<size_t>(with_size(inputs[0], axis, bounds.back()).bytes());
}
std::vector<Sample> AllGather::samples() {
  return sample_list(alone<AllGather>("alone", 1, Bounds{0, 24}));
}

std::string_view ReduceScatter::name() const {
  return "reduce_scatter";
}
std::string ReduceScatter::attributes() const {
  return fmt::format("mesh={} part={}/{} how={} axis={} bounds={}", mesh_name, index, n, static_cast<int>(how), axis,
                     fmt::join(bounds, ","));
}
Result<std::vector<TensorType>> ReduceScatter::infer(Types inputs) const {
  TRY(check_part(*this, inputs, true));
  TRY(check_axis(*this, inputs[0], axis, bounds, bounds.back()));
  return std::vector{with_size(inputs[0], axis, size_of(bounds, index))};
}
ShardingRule ReduceScatter::sharding(Types inputs) const {
  return all_but(inputs, {axis});
}
double ReduceScatter::moved_bytes(Types inputs, Types) const {
  return of_others(static_cast<double>(inputs[0].bytes()), n);
}
Result<void> ReduceScatter::run(Communicator& comm, const TensorView& in, const TensorView& out,
                                std::byte* scratch) const {
  const Packed parts(in.type, axis, bounds, scratch);
  parts.pack(in);
  const auto* all = reinterpret_cast<const float*>(scratch);
  return comm.reduce_scatter(how, {all, floats(in).size()}, parts.offsets_in_floats(), writable_floats(out));
}
size_t ReduceScatter::scratch_bytes(Types inputs) const {
  return static_cast<size_t>(inputs[0].bytes());
}
std::vector<Sample> ReduceScatter::samples() {
  return sample_list(alone<ReduceScatter>("alone", Reduction::sum, 1, Bounds{0, 24}));
}

std::string_view AllToAll::name() const {
  return "all_to_all";
}
std::string AllToAll::attributes() const {
  return fmt::format("mesh={} part={}/{} from axis={} bounds={} to axis={} bounds={}", mesh_name, index, n, from_axis,
                     fmt::join(from, ","), to_axis, fmt::join(to, ","));
}
Result<std::vector<TensorType>> AllToAll::infer(Types inputs) const {
  TRY(check_part(*this, inputs, false));
  TRY(check_axis(*this, inputs[0], from_axis, from, size_of(from, index)));
  const TensorType whole = with_size(inputs[0], from_axis, from.back());
  TRY(check_axis(*this, whole, to_axis, to, to.back()));
  return std::vector{with_size(whole, to_axis, size_of(to, index))};
}
ShardingRule AllToAll::sharding(Types inputs) const {
  return all_but(inputs, {from_axis, to_axis});
}
double AllToAll::moved_bytes(Types inputs, Types) const {
  return of_others(static_cast<double>(inputs[0].bytes()), n);
}

// Part s has `from`'s range s of one axis, part d wants `to`'s range d of the other: what goes from s to d is the box
// of both ranges, packed.
Result<void> AllToAll::run(Communicator& comm, const TensorView& in, const TensorView& out, std::byte* scratch) const {
  const Shape whole = with_size(in.type, from_axis, from.back()).shape;
  auto box = [&](int s, int d) {
    Box of_both = Box::whole(whole).range(from_axis, begin_of(from, s), begin_of(from, s + 1));
    int64_t begin = begin_of(to, d), end = begin_of(to, d + 1);
    if (from_axis == to_axis) begin = std::max(begin, begin_of(from, s)), end = std::min(end, begin_of(from, s + 1));
    return of_both.range(to_axis, begin, std::max(begin, end));
  };
  auto view = [&](const Box& b, std::byte* data) {
    TensorView packed{in.type, data};
    for (int i = 0; i < whole.rank(); ++i) packed.type.shape[i] = b.size[static_cast<size_t>(i)];
    return packed;
  };
  Offsets to_offsets{0}, from_offsets{0};
  for (int other = 0; other < n; ++other) {
    Box mine = box(index, other);
    const TensorView packed = view(mine, scratch + to_offsets.back());
    mine.begin[static_cast<size_t>(from_axis)] -= begin_of(from, index);
    copy_box(in, mine, packed, {});
    to_offsets.push_back(to_offsets.back() + packed.type.bytes());
  }
  std::byte* received = scratch + to_offsets.back();
  for (int other = 0; other < n; ++other)
    from_offsets.push_back(from_offsets.back() + view(box(other, index), nullptr).type.bytes());
  TRY(comm.all_to_all({scratch, static_cast<size_t>(to_offsets.back())}, to_offsets,
                      {received, static_cast<size_t>(from_offsets.back())}, from_offsets));
  for (int other = 0; other < n; ++other) {
    Box theirs = box(other, index);
    const TensorView packed = view(theirs, received + from_offsets[static_cast<size_t>(other)]);
    theirs.begin[static_cast<size_t>(to_axis)] -= begin_of(to, index);
    copy_box(packed, Box::whole(packed.shape()), out, theirs.begin);
  }
  return {};
}
size_t AllToAll::scratch_bytes(Types inputs) const {
  const TensorType whole = with_size(inputs[0], from_axis, from.back());
  return static_cast<size_t>(inputs[0].bytes() + with_size(whole, to_axis, size_of(to, index)).bytes());
}
std::vector<Sample> AllToAll::samples() {
  return sample_list(alone<AllToAll>("alone", 0, Bounds{0, 12}, 1, Bounds{0, 24}));
}

}  // namespace hearth
