// What a training would take, asked of a short-lived hearth-trainer: it loads the model and runs steps, which this
// process never does.
#include "appliance/hearthd/jobs/train_request.h"
#include "appliance/hearthd/workers/child_process.h"
#include "base/log.h"
#include "hwdetect/memory.h"
#include "runtime/exec/devices.h"
#include "trainer/estimate.h"

namespace hearth {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kLook{100};
constexpr uint64_t kMaxEstimateBytes = 1 << 20;

Result<void> run_to_its_end(ChildProcess& trainer, std::chrono::milliseconds limit, const std::stop_token& stop) {
  auto deadline = Clock::now() + limit;
  while (!trainer.wait_exit(kLook)) {
    bool is_late = Clock::now() >= deadline;
    if (!is_late && !stop.stop_requested()) continue;
    trainer.stop(std::chrono::milliseconds(0));
    if (stop.stop_requested()) return error(Code::cancelled, "stopped");
    return error(Code::deadline_exceeded, "no estimate within {} s; training can be started without one",
                 limit.count() / 1000);
  }
  if (trainer.succeeded()) return {};
  return error(trainer.crashed() ? Code::internal : Code::failed_precondition, "no estimate: the trainer {}",
               trainer.death());
}

api::TrainEstimate to_api(const train::Estimate& estimate) {
  api::TrainEstimate out{.n_steps = static_cast<int>(std::min<int64_t>(estimate.n_steps, INT32_MAX)),
                         .n_tokens = static_cast<int>(std::min<int64_t>(estimate.n_tokens, INT32_MAX)),
                         .seconds = estimate.seconds,
                         .peak_memory_bytes = estimate.peak_memory_bytes,
                         .available_bytes = available_memory_bytes(),
                         .data = estimate.data,
                         .unused_keys = estimate.unused_keys,
                         .device = estimate.device,
                         .device_reason = estimate.device_reason,
                         .explanation = estimate.explanation};
  const bool is_elsewhere = !out.device.empty() && !is_host_device(out.device);  // then it was tried whether it fits
  out.fits = is_elsewhere || out.peak_memory_bytes <= out.available_bytes;
  return out;
}

}  // namespace

Result<api::TrainEstimate> estimate_training_request(const PlannedTraining& plan, const StateDir& state,
                                                     const EstimateOptions& options, const std::stop_token& stop) {
  TempFolder folder = TRY(TempFolder::create("estimate", state.run()));
  TRY(write_file(folder.path() / "recipe.toml", train::recipe_to_toml(plan.recipe)));
  ChildProcess trainer = TRY(ChildProcess::start({.argv = {options.trainer.string(), "--estimate", "--job-dir",
                                                           folder.path().string(), "--state-dir", state.root.string()},
                                                  .log = state.logs() / "estimate.log"}));
  TRY(run_to_its_end(trainer, options.limit, stop));
  std::string text =
      TRY_WITH(read_file(folder.path() / "estimate.json", kMaxEstimateBytes), "while reading the trainer's estimate");
  Json json = TRY_WITH(parse_json(text), "in the trainer's estimate");
  return to_api(TRY_WITH(from_json<train::Estimate>(json), "in the trainer's estimate"));
}

}  // namespace hearth
