// Held-out loss: mean negative log-likelihood per learned token.
#pragma once

#include "trainer/stepper.h"

namespace hearth::train {

// Over at most max_rows rows, always the same ones. Nothing when nothing is held out.
Result<std::optional<double>> held_out_loss(Stepper& stepper, Loader& held_out, int rows_per_batch, int max_rows);

}  // namespace hearth::train
