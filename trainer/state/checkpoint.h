// Checkpoints: everything a run needs to go on as if it had never stopped. Atomic and durable; the last few are kept.
//
// checkpoints/step-00000120/
//   tensors.safetensors   "<name>", "<name>.m", "<name>.v" of every trained tensor, f32
//   state.json            step, place in the data, counters, and what recipe, model and data it belongs to
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "base/describe.h"
#include "trainer/data/loader.h"
#include "trainer/state/trainable.h"

namespace hearth::train {

struct CheckpointState {
  int64_t step = 0, epoch = 0, row = 0, n_learned = 0;
  double loss = 0, first_loss = 0, seconds = 0;
  std::optional<double> eval_loss_before, eval_loss_best, eval_loss_last;
  int64_t best_step = 0;    // where eval_loss_best was measured; its checkpoint stays
  std::string fingerprint;  // of recipe, model and data
  static constexpr auto kFields = std::tuple{
      field("step", &CheckpointState::step, "optimizer steps done").required(),
      field("epoch", &CheckpointState::epoch, "place in the data").required(),
      field("row", &CheckpointState::row, "place in the epoch").required(),
      field("n_learned", &CheckpointState::n_learned, "answer tokens trained on so far").required(),
      field("loss", &CheckpointState::loss, "training loss of the last step").required(),
      field("seconds", &CheckpointState::seconds, "training time so far").required(),
      field("eval_loss_before", &CheckpointState::eval_loss_before, "held-out loss before training"),
      field("first_loss", &CheckpointState::first_loss, "training loss of the first step"),
      field("eval_loss_best", &CheckpointState::eval_loss_best, "lowest held-out loss so far"),
      field("eval_loss_last", &CheckpointState::eval_loss_last, "held-out loss when it was last measured"),
      field("best_step", &CheckpointState::best_step, "the step with the lowest held-out loss; 0: none yet"),
      field("fingerprint", &CheckpointState::fingerprint, "of recipe, model and data").required(),
  };
};

// After this returns the checkpoint survives power loss; older ones beyond `keep` are gone, except that of best_step.
Result<void> save_checkpoint(const std::filesystem::path& folder, const CheckpointState& state,
                             std::span<const Trainable> trainables, int keep);

// The newest checkpoint that is whole, into the trainables; nothing when there is none. Sweeps what an interrupted
// writer left. failed_precondition when it belongs to another recipe, model or data.
Result<std::optional<CheckpointState>> load_checkpoint(const std::filesystem::path& folder,
                                                       const std::string& fingerprint, std::span<Trainable> trainables);

// The weights of one step's checkpoint, without the optimizer's state.
Result<void> load_weights(const std::filesystem::path& folder, int64_t step, std::span<Trainable> trainables);

}  // namespace hearth::train
