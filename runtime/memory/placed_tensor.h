// A tensor that is the host's until it is moved into a backend's memory. From then on the host reads and writes it by
// copies.
//
//   PlacedTensor weight = Tensor(type);
//   TRY(weight.move_to(*gpu));
//   HostView now = TRY(weight.read());  // now.view is on the host
#pragma once

#include "runtime/backend/backend.h"
#include "runtime/tensor/tensor.h"

namespace hearth {

// What a tensor holds, where the host can read it: the tensor itself, or a copy.
struct HostView {
  TensorView view;
  Tensor copy = {};  // empty: `view` is the tensor itself
};

class PlacedTensor {
 public:
  PlacedTensor() = default;
  PlacedTensor(Tensor host) : type_(host.type()), host_(std::move(host)) {}  // NOLINT: a tensor is one, as it stands

  const TensorType& type() const { return type_; }
  TensorView view() const { return {type_, backend_ != nullptr ? device_.data() : host_.view().data}; }
  float* f32() const { return view().f32(); }
  bool is_on_host() const { return backend_ == nullptr; }

  // Nothing happens where the backend's memory is the host's; else the host's memory is given back. The backend must
  // outlive the tensor. resource_exhausted: then the tensor stays where it was.
  Result<void> move_to(Backend& backend);
  Result<HostView> read() const;
  Result<void> write(const void* host);  // all of it

 private:
  TensorType type_;
  Tensor host_;
  Buffer device_;
  Backend* backend_ = nullptr;  // null: the host
};

}  // namespace hearth
