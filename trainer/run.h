// A whole training run, from a recipe to a result that may be deployed. Called by hearth-trainer and by `hearth train`.
//
//   RunPaths paths{.job = "jobs/7", .model = "/var/lib/hearth/prepared/views/..."};
//   RunResult result = TRY(run_training(recipe, paths, callbacks, stop_token));
//
// Files in the job folder: metrics.jsonl (a MetricPoint a line), status.json, samples.jsonl (a BeforeAfter a line),
// checkpoints/step-*/, result/ (see result.h). Called again with the same recipe it
// resumes from the last checkpoint, bit-exactly; with a finished result it returns at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/phrase.h"
#include "base/training_records.h"
#include "runtime/exec/devices.h"
#include "trainer/recipe.h"

namespace hearth::train {

struct RunStatus {
  std::string step;  // what is happening now, in words
  Phrase phrase;     // the same for programs
  double progress = 0;
  std::optional<double> seconds_left, loss, eval_loss_before, eval_loss_after, eval_loss_last;
  int kept_step = 0;
  Phrase cause;
  std::string device, device_reason;
  static constexpr auto kFields = std::tuple{
      field("step", &RunStatus::step, "what is happening now, in words"),
      field("phrase", &RunStatus::phrase, "the same for programs"),
      field("progress", &RunStatus::progress, "0 to 1"),
      field("seconds_left", &RunStatus::seconds_left, "null when unknown"),
      field("loss", &RunStatus::loss, "last training loss"),
      field("eval_loss_before", &RunStatus::eval_loss_before, "held-out loss before training"),
      field("eval_loss_after", &RunStatus::eval_loss_after, "held-out loss of the model that is kept: the best one"),
      field("eval_loss_last", &RunStatus::eval_loss_last, "held-out loss when it was last measured"),
      field("kept_step", &RunStatus::kept_step, "the step with the lowest held-out loss so far"),
      field("cause", &RunStatus::cause, "why it failed, where it is one of the usual reasons"),
      field("device", &RunStatus::device, "what computes: cpu, cuda:0; empty until it is chosen"),
      field("device_reason", &RunStatus::device_reason, "why it is no GPU, where this box has one; else empty"),
  };
};

struct RunPaths {
  std::filesystem::path job;    // made when missing; one run at a time holds its lock
  std::filesystem::path model;  // recipe.model.init resolved to a folder or .gguf; empty with from_scratch
};

struct RunCallbacks {  // all optional; called on the training thread
  std::function<void(const RunStatus&)> on_status;
  std::function<void(const MetricPoint&)> on_metric;
  std::function<void(const Device&)> on_device;  // once, before anything is computed
  // Once, before the first step: what the data are, and keys in them that are not used.
  std::function<void(const DataFigures&, const std::vector<UnusedKey>&)> on_data;
};

struct RunResult {
  int n_steps = 0, kept_step = 0;
  int64_t n_tokens = 0;  // positions with loss, all steps
  double first_loss = 0, final_loss = 0, seconds = 0, tokens_per_s = 0;
  std::optional<double> eval_loss_before, eval_loss_after, eval_loss_last;
  DataFigures data;
  double parity_max_error = 0;  // trainer logits against serving logits, largest difference
  std::string result;           // what may be deployed: a folder, or a .gguf
  std::string adapter;          // of LoRA: its folder; the same as `result` without output.merge
  std::string device, device_reason;
  static constexpr auto kFields = std::tuple{
      field("n_steps", &RunResult::n_steps, "optimizer steps"),
      field("n_tokens", &RunResult::n_tokens, "answer tokens trained on"),
      field("kept_step", &RunResult::kept_step, "the step whose weights are the result: the best by held-out loss"),
      field("first_loss", &RunResult::first_loss, "training loss of the first step"),
      field("final_loss", &RunResult::final_loss, "training loss of the last step"),
      field("seconds", &RunResult::seconds, "wall time of this process"),
      field("tokens_per_s", &RunResult::tokens_per_s, "median throughput"),
      field("eval_loss_before", &RunResult::eval_loss_before, "held-out loss before"),
      field("eval_loss_after", &RunResult::eval_loss_after, "held-out loss of the result"),
      field("eval_loss_last", &RunResult::eval_loss_last, "held-out loss after the last step"),
      field("data", &RunResult::data, "what was trained on and held out"),
      field("parity_max_error", &RunResult::parity_max_error, "largest difference between trainer and server logits"),
      field("result", &RunResult::result, "what may be deployed: a model's folder or .gguf, or an adapter's folder"),
      field("adapter", &RunResult::adapter, "folder of the adapter; empty without one"),
      field("device", &RunResult::device, "what computed: cpu, cuda:0"),
      field("device_reason", &RunResult::device_reason, "why it was no GPU, where this box has one; else empty"),
  };
};

// Errors: everything that can be wrong with recipe, data or model, named; cancelled on stop (a checkpoint is written
// first); failed_precondition when training diverged; internal when the parity check fails: then there is no result.
Result<RunResult> run_training(const Recipe& recipe, const RunPaths& paths, const RunCallbacks& callbacks,
                               std::stop_token stop);

}  // namespace hearth::train
