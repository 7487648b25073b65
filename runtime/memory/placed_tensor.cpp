// See placed_tensor.h.
#include "runtime/memory/placed_tensor.h"

#include <cstring>

namespace hearth {

Result<void> PlacedTensor::move_to(Backend& backend) {
  if (backend.is_host_memory()) return {};
  Buffer memory = TRY(backend.allocate(type_.bytes()));
  const HostView now = TRY(read());
  TRY(backend.write(memory.data(), now.view.data, type_.bytes()));
  device_ = std::move(memory);
  backend_ = &backend;
  host_ = Tensor();
  return {};
}

Result<HostView> PlacedTensor::read() const {
  if (is_on_host()) return HostView{view()};
  Tensor copy(type_);
  TRY(backend_->read(copy.view().data, device_.data(), type_.bytes()));
  const TensorView view = copy.view();
  return HostView{view, std::move(copy)};
}

Result<void> PlacedTensor::write(const void* host) {
  if (!is_on_host()) return backend_->write(device_.data(), host, type_.bytes());
  std::memcpy(view().data, host, static_cast<size_t>(type_.bytes()));
  return {};
}

}  // namespace hearth
