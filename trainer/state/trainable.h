// One trained tensor with its optimizer state.
#pragma once

#include <string>

#include "runtime/memory/placed_tensor.h"

namespace hearth::train {

// All f32 of one shape, in the memory of the device that trains.
struct Trainable {
  std::string name;           // its name in the graph; the means are "<name>.m" and "<name>.v" there
  bool decays = false;        // matrices and embeddings do, norms and biases do not
  PlacedTensor weight, m, v;  // m, v: running means of gradient and squared gradient
};

}  // namespace hearth::train
