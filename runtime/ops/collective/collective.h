// What the parts of a sharded graph say to each other: all_reduce, all_gather, reduce_scatter, all_to_all. The rewrite
// `shard` puts them into each part's graph; a family, an op's gradient and a person never do.
//
// A collective names its mesh axis (Op::mesh), and whoever runs the graph binds a communicator to that name
// (Executor::create). With one part they are copies.
#pragma once

#include "runtime/comm/communicator.h"
#include "runtime/ops/op.h"
#include "runtime/ops/sharding.h"

namespace hearth {

class Collective : public Op {
 public:
  Collective(std::string mesh, int index, int n) : mesh_name(std::move(mesh)), index(index), n(n) {}
  std::string_view mesh() const override { return n == 1 ? std::string_view() : mesh_name; }
  Result<std::vector<Value>> gradient(GradientBuilder& g) const override;
  Cost cost(Types inputs, Types outputs) const override;
  // What one part moves over the mesh.
  virtual double moved_bytes(Types inputs, Types outputs) const = 0;
  // On the host, by the first thread of a team. `scratch` has scratch_bytes().
  virtual Result<void> run(Communicator& comm, const TensorView& in, const TensorView& out,
                           std::byte* scratch) const = 0;
  virtual size_t scratch_bytes(Types inputs) const = 0;
  void reference(Views inputs, Views outputs) const override;  // of one part

  const std::string mesh_name;
  const int index, n;  // this part of n
};

#define HEARTH_COLLECTIVE_RULES                                                                         \
  std::string_view name() const override;                                                               \
  std::string attributes() const override;                                                              \
  Result<std::vector<TensorType>> infer(Types inputs) const override;                                   \
  ShardingRule sharding(Types inputs) const override;                                                   \
  double moved_bytes(Types inputs, Types outputs) const override;                                       \
  Result<void> run(Communicator& comm, const TensorView& in, const TensorView& out, std::byte* scratch) \
      const override;                                                                                   \
  size_t scratch_bytes(Types inputs) const override;                                                    \
  static std::vector<Sample> samples()

// x f32 → the same everywhere: the reduction of what the parts have.
class AllReduce final : public Collective {
 public:
  AllReduce(std::string mesh, int index, int n, Reduction how) : Collective(std::move(mesh), index, n), how(how) {}
  HEARTH_COLLECTIVE_RULES;
  const Reduction how;
};

// This part of x, cut on `axis` at `bounds`, any dtype → the whole of it.
class AllGather final : public Collective {
 public:
  AllGather(std::string mesh, int index, int n, int axis, Bounds bounds)
      : Collective(std::move(mesh), index, n), axis(axis), bounds(std::move(bounds)) {}
  HEARTH_COLLECTIVE_RULES;
  const int axis;
  const Bounds bounds;
};

// x f32 → this part, cut on `axis` at `bounds`, of the reduction.
class ReduceScatter final : public Collective {
 public:
  ReduceScatter(std::string mesh, int index, int n, Reduction how, int axis, Bounds bounds)
      : Collective(std::move(mesh), index, n), how(how), axis(axis), bounds(std::move(bounds)) {}
  HEARTH_COLLECTIVE_RULES;
  const Reduction how;
  const int axis;
  const Bounds bounds;
};

// This part of x, cut on one axis, any dtype → this part of it, cut on another, or elsewhere on the same.
class AllToAll final : public Collective {
 public:
  AllToAll(std::string mesh, int index, int n, int from_axis, Bounds from, int to_axis, Bounds to)
      : Collective(std::move(mesh), index, n),
        from_axis(from_axis),
        to_axis(to_axis),
        from(std::move(from)),
        to(std::move(to)) {}
  HEARTH_COLLECTIVE_RULES;
  const int from_axis, to_axis;
  const Bounds from, to;
};

}  // namespace hearth
