// hearth-trainer: one training job. Reads recipe.toml in the job folder, writes what the service watches, resumes after
// a crash. Exit 0 when the result is deployable; else as trainer/exit_codes.h says, with the reason as the last line on
// stderr. With --estimate it only writes estimate.json there: what the run would take.
#include <fmt/core.h>
#include <pthread.h>
#include <signal.h>

#include <CLI/CLI.hpp>
#include <thread>

#include "base/files.h"
#include "base/log.h"
#include "trainer/data/training_data.h"
#include "trainer/estimate.h"
#include "trainer/exit_codes.h"
#include "trainer/find_model.h"
#include "trainer/run.h"

namespace {

using namespace hearth;

struct Arguments {
  std::string job_dir, state_dir;
  std::optional<std::string> device;  // instead of the recipe's
  bool estimate = false;
};

Result<train::Recipe> recipe_of(const Arguments& arguments) {
  std::vector<std::string> overrides;
  if (arguments.device) overrides.push_back("device=" + *arguments.device);
  return train::load_recipe(std::filesystem::path(arguments.job_dir) / "recipe.toml", overrides);
}

// SIGTERM and SIGINT ask the run to write a checkpoint and stop. The signals are blocked in all threads and taken here.
std::stop_source stop_on_signals() {
  std::stop_source source;
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([set, source]() mutable {
    int signal = 0;
    sigwait(&set, &signal);
    source.request_stop();
    sigwait(&set, &signal);  // asked twice: go now
    std::_Exit(train::kExitStopped);
  }).detach();
  return source;
}

Result<train::RunResult> run(const Arguments& arguments, std::stop_token stop) {
  const std::filesystem::path job = arguments.job_dir;
  const train::Recipe recipe = TRY(recipe_of(arguments));
  const train::RunPaths paths{job, TRY(train::find_model(recipe, arguments.state_dir))};
  train::RunCallbacks callbacks;
  callbacks.on_device = [](const Device& device) {
    spdlog::info("{} computes", device.name);
    if (!device.reason.empty()) spdlog::warn("no GPU is used: {}", device.reason);
  };
  callbacks.on_data = [](const DataFigures& data, const std::vector<UnusedKey>& unused) {
    spdlog::info("data: {} {}", train::in_words(data), train::unused_keys_in_words(unused));
  };
  callbacks.on_metric = [](const MetricPoint& p) {
    spdlog::info("step {} loss {:.4f} lr {:.2e} norm {:.3f} {:.0f} tokens/s{}", p.step, p.loss, p.learning_rate,
                 p.grad_norm, p.tokens_per_s, p.eval_loss ? fmt::format(" held-out loss {:.4f}", *p.eval_loss) : "");
  };
  return train::run_training(recipe, paths, callbacks, std::move(stop));
}

Result<void> estimate(const Arguments& arguments) {
  const std::filesystem::path job = arguments.job_dir;
  const train::Recipe recipe = TRY(recipe_of(arguments));
  const train::Estimate found =
      TRY(train::estimate_training(recipe, TRY(train::find_model(recipe, arguments.state_dir))));
  return write_file(job / "estimate.json", dump_json(to_json_value(found), 2));
}

int report(const Error& failed) {
  spdlog::default_logger()->flush();
  fmt::print(stderr, "error: {}\n", failed.to_string());
  if (failed.code == Code::cancelled) return train::kExitStopped;
  return failed.code == Code::unavailable ? train::kExitBusy : 1;
}

}  // namespace

int main(int argc, char** argv) {
  init_logging("hearth-trainer");
  Arguments arguments;
  CLI::App app("hearth-trainer: runs one training job");
  app.add_option("--job-dir", arguments.job_dir, "job folder with recipe.toml")->required();
  app.add_option("--state-dir", arguments.state_dir, "state directory of the box")->required();
  app.add_option("--device", arguments.device, fmt::format("{}; default: the recipe's", kDeviceHelp));
  app.add_flag("--estimate", arguments.estimate,
               "only say what the run would take, in estimate.json in the job folder");
  CLI11_PARSE(app, argc, argv);
  if (arguments.estimate) {
    const auto estimated = estimate(arguments);
    return estimated ? 0 : report(estimated.error());
  }
  const auto result = run(arguments, stop_on_signals().get_token());
  return result ? 0 : report(result.error());
}
