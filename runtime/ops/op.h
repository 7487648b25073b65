// An op is ONE object with all its rules. Each is pure virtual: an op that lacks one cannot be constructed.
//
// An object holds the op's attributes (eps, a scale, ...); it is immutable and shared between graphs. It knows no
// device: kernels are looked up by op in a backend's table (backend/kernel_table.h). A new op is one folder
// runtime/ops/<op>/ with <op>.h/.cpp (rules), cpu.cpp and cuda.cu (kernels), and one line in runtime/ops/all_ops.h.
// docs/how_to_add_an_op.md walks through one.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/tensor/tensor.h"

namespace hearth {

class GradientBuilder;
class Op;
struct ShardingRule;  // ops/sharding.h
struct Value;

struct Cost {
  double flops = 0;
  double bytes_read = 0;  // each operand once
  double bytes_written = 0;
};

// A small instance of the op that the test engine runs on every backend, against the reference, finite differences and
// shards.
struct Sample {
  std::string name;
  std::shared_ptr<const Op> op;
  std::vector<Tensor> inputs;
  std::vector<int> check_gradient_of;  // inputs whose gradient is compared with finite differences
  double tolerance = 1e-5;             // kernel against reference, relative to the largest output
};

class Op {
 public:
  virtual ~Op() = default;
  virtual std::string_view name() const = 0;
  virtual std::string attributes() const = 0;  // "eps=1e-05"; two ops are equal when name and attributes are
  // Shape rule: output types, or an error that names the operand, what was required and what came.
  virtual Result<std::vector<TensorType>> infer(Types inputs) const = 0;
  // Plain fp32 loops: the oracle for every kernel. Inputs may be of any dtype that infer() accepts, but activations and
  // outputs are f32: see run_reference().
  virtual void reference(Views inputs, Views outputs) const = 0;
  // Gradient as graph ops: one Value per input (a null Value where none flows). unimplemented: not differentiable; the
  // message says why.
  virtual Result<std::vector<Value>> gradient(GradientBuilder& g) const = 0;
  // How it can run on parts of its operands: alternatives.
  virtual ShardingRule sharding(Types inputs) const = 0;
  virtual Cost cost(Types inputs, Types outputs) const = 0;

  // The inputs that are activations: f32, or bf16 where a device computes with those, and all of one dtype. An output
  // that is one again has that dtype; everything else keeps the dtypes that the shape rule names. Empty: the op takes
  // f32 alone, and graph/precision.cpp puts casts around it.
  virtual std::vector<int> activations([[maybe_unused]] Types inputs) const { return {}; }
  // Inputs that the op writes to: explicit state (KV pages). Everything else is pure.
  virtual std::vector<int> mutated_inputs() const { return {}; }
  // The input that output i is the next version of: a state, whose bytes a plan gives the output, so that the op must
  // not read an element again after writing it. -1: none. To its kernels and tests such an op is as pure as any.
  virtual int version_of([[maybe_unused]] int output) const { return -1; }
  // The mesh axis whose communicator its kernel speaks through; empty: it speaks with nobody.
  virtual std::string_view mesh() const { return {}; }
};

// The declarations of all rules, for an op's class body.
#define HEARTH_OP_RULES                                                   \
  std::string_view name() const override;                                 \
  std::string attributes() const override;                                \
  Result<std::vector<TensorType>> infer(Types inputs) const override;     \
  void reference(Views inputs, Views outputs) const override;             \
  Result<std::vector<Value>> gradient(GradientBuilder& g) const override; \
  ShardingRule sharding(Types inputs) const override;                     \
  Cost cost(Types inputs, Types outputs) const override;                  \
  static std::vector<Sample> samples()

// Runs op.reference() on operands of which activations may be bf16: the one place that widens those, and rounds what is
// put out.
void run_reference(const Op& op, Views inputs, Views outputs);

// Bytes of all operands read and written once: the usual bytes part of a cost rule.
Cost streaming_cost(double flops, Types inputs, Types outputs);

}  // namespace hearth
