// hearth plan N|RECIPE.toml: what it will need on this box, before anything runs.
#include "appliance/box/fit.h"
#include "appliance/cli/verbs.h"
#include "hwdetect/memory.h"
#include "hwdetect/probe.h"
#include "trainer/data/training_data.h"
#include "trainer/estimate.h"
#include "trainer/find_model.h"

namespace hearth::cli {
namespace {

struct PlanArguments {
  std::string what, hardware;
  bool explain = false;
  std::vector<std::string> overrides;
};

Result<void> plan_recipe(const Cli& cli, const PlanArguments& a) {
  train::Recipe recipe = TRY(train::load_recipe(std::filesystem::absolute(a.what), a.overrides));
  train::Estimate e = TRY(train::estimate_training(recipe, TRY(train::find_model(recipe, cli.state.root))));
  uint64_t available = available_memory_bytes();
  Json document = {{"n_steps", e.n_steps},
                   {"n_tokens", e.n_tokens},
                   {"seconds", e.seconds},
                   {"seconds_per_step", e.n_steps ? e.seconds / static_cast<double>(e.n_steps) : 0},
                   {"peak_bytes", {{"dram", e.peak_memory_bytes}}},
                   {"available_bytes", {{"dram", available}}},
                   {"fits", e.peak_memory_bytes <= available},
                   {"flops_per_step", e.flops_per_step},
                   {"flops_per_s", e.flops_per_s},
                   {"data", to_json_value(e.data)},
                   {"unused_keys", to_json_value(e.unused_keys)},
                   {"explanation", e.explanation}};
  cli.print(document, [&] {
    std::string data = train::in_words(e.data);
    if (!e.unused_keys.empty()) data += "\n" + train::unused_keys_in_words(e.unused_keys);
    return fmt::format("{} steps, about {}, peak memory {} of {} available\n{}\n{}", e.n_steps,
                       human_seconds(e.seconds), human_bytes(e.peak_memory_bytes), human_bytes(available), data,
                       a.explain ? e.explanation : "");
  });
  return {};
}

// A model outside the store is described by its own files.
Result<store::ModelRecord> record_of(const Cli& cli, const std::string& n, const std::filesystem::path& path) {
  store::Store store = TRY(cli.open_store(store::Mode::read_only));
  if (auto found = Cli::record(store, n)) return found;
  store::ModelRecord out{.name = n};
  std::error_code failed;
  if (std::filesystem::is_regular_file(path, failed)) out.size_bytes = std::filesystem::file_size(path, failed);
  for (std::filesystem::directory_iterator it(path, failed), end; !failed && it != end; it.increment(failed))
    if (it->path().extension() == ".safetensors") out.size_bytes += it->file_size(failed);
  return out;
}

Result<void> plan_model(const Cli& cli, const PlanArguments& a) {
  std::filesystem::path path = TRY(cli.model_path(a.what));
  store::ModelRecord record = TRY(record_of(cli, a.what, path));
  MeasuredLimits limits;
  limits.memory_read = measure_memory_read({});
  api::Fit fit = TRY(predict_fit(
      record, path,
      {.available_bytes = available_memory_bytes(), .memory_read_bytes_per_s = best_memory_read_bytes_per_s(limits)}));
  Json document = to_json_value(fit);
  document["peak_bytes"] = {{"dram", fit.total_bytes}};
  cli.print(document, [&] {
    std::string speed = fit.decode_tokens_per_s ? fmt::format(", about {:.1f} tokens/s", *fit.decode_tokens_per_s) : "";
    return fmt::format("{}: {} of {} available{}\n{}", fit.verdict, human_bytes(fit.total_bytes),
                       human_bytes(fit.available_bytes), speed, a.explain ? fit.explanation : "");
  });
  return {};
}

}  // namespace

void declare_plan(Command& command) {
  auto a = std::make_shared<PlanArguments>();
  command.positional("N", a->what, "Model, or a recipe (.toml)");
  command.option("--hardware", a->hardware, "Plan for another box's profile (later work)");
  command.option("--set", a->overrides, "Of a recipe: key=value");
  command.flag("--explain", a->explain, "Say why");
  command.on_run([=](const Cli& cli) -> Result<void> {
    if (!a->hardware.empty())
      return error(
          Code::unimplemented,
          "planning for another box's hardware belongs to later work; without --hardware the plan is for this box");
    if (!a->overrides.empty() && !a->what.ends_with(".toml"))
      return error(Code::invalid_argument, "--set changes keys of a recipe, and {} is a model; give a recipe (.toml)",
                   a->what);
    return a->what.ends_with(".toml") ? plan_recipe(cli, *a) : plan_model(cli, *a);
  });
}

}  // namespace hearth::cli
