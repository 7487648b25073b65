// What an op's gradient rule sees: its own node and the gradients of its outputs, and a Builder to add ops with.
#pragma once

#include "runtime/graph/builder.h"

namespace hearth {

class GradientBuilder {
 public:
  GradientBuilder(Builder& builder, std::vector<Value> inputs, std::vector<Value> outputs,
                  std::vector<Value> output_grads, std::vector<bool> needed)
      : b(builder),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)),
        output_grads_(std::move(output_grads)),
        needed_(std::move(needed)),
        replaced_(outputs_.size()) {}
  Value input(int i) const { return inputs_[static_cast<size_t>(i)]; }
  Value output(int i) const { return outputs_[static_cast<size_t>(i)]; }
  Value grad(int i = 0) const {
    return output_grads_[static_cast<size_t>(i)];
  }                                                                    // null: nothing flows back through output i
  bool needs(int i) const { return needed_[static_cast<size_t>(i)]; }  // rules skip work for inputs that need none
  int n_inputs() const { return static_cast<int>(inputs_.size()); }
  // Backward computes output i too, bit for bit: where the graph only puts it out, it is taken from there, and the
  // forward node may fall away.
  void replace_output(int i, Value v) { replaced_[static_cast<size_t>(i)] = v; }
  Value replaced_output(int i) const { return replaced_[static_cast<size_t>(i)]; }
  std::shared_ptr<const Op> op;  // this node's op, to re-use with other attributes

  Builder& b;

 private:
  std::vector<Value> inputs_, outputs_, output_grads_;
  std::vector<bool> needed_;
  std::vector<Value> replaced_;
};

}  // namespace hearth
