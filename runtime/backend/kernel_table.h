// The kernels of one backend, by op: what a plan asks for its steps. An op's rules know nothing of it.
#pragma once

#include <functional>
#include <typeindex>
#include <unordered_map>

#include "runtime/backend/kernel.h"

namespace hearth {

class KernelTable {
 public:
  // choose: the kernel for operands that O's shape rule accepts; an empty one declines them.
  template <class O>
  void add(Kernel (*choose)(const O&, Types)) {
    choosers_[typeid(O)] = [choose](const Op& op, Types inputs) { return choose(static_cast<const O&>(op), inputs); };
  }

  // choose: the layout in which the kernel for these operands wants one of them.
  template <class O>
  void add_layout(Layout (*choose)(const O&, Types, int)) {
    layouts_[typeid(O)] = [choose](const Op& op, Types inputs, int operand) {
      return choose(static_cast<const O&>(op), inputs, operand);
    };
  }

  // An empty kernel where the backend has none for this op, or declines these operands.
  template <class AnyOp>
  Kernel find(const AnyOp& op, Types inputs) const {
    const auto chooser = choosers_.find(typeid(op));
    return chooser == choosers_.end() ? Kernel{} : chooser->second(op, inputs);
  }
  // How the weight inputs[operand] should lie for this op; row-major where nobody says otherwise. The kernel is found
  // by the operands as they lie.
  template <class AnyOp>
  Layout layout_for(const AnyOp& op, Types inputs, int operand) const {
    const auto chooser = layouts_.find(typeid(op));
    return chooser == layouts_.end() ? Layout::row_major : chooser->second(op, inputs, operand);
  }

 private:
  std::unordered_map<std::type_index, std::function<Kernel(const Op&, Types)>> choosers_;
  std::unordered_map<std::type_index, std::function<Layout(const Op&, Types, int)>> layouts_;
};

}  // namespace hearth
