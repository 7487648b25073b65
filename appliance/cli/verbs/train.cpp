// hearth train RECIPE.toml [--set key=value]...: a training run in this process. The last document has the final
// metrics.
#include "appliance/cli/interrupt.h"
#include "appliance/cli/verbs.h"
#include "trainer/data/training_data.h"
#include "trainer/find_model.h"
#include "trainer/run.h"

namespace hearth::cli {
namespace {

std::filesystem::path job_folder(const train::Recipe& recipe, const std::filesystem::path& recipe_file) {
  if (!recipe.output.folder.empty()) return recipe.output.folder;
  return recipe_file.parent_path() / recipe_file.stem();
}

std::string describe(const train::RunResult& r) {
  std::string out = fmt::format("{} steps, {} answer tokens, loss {:.4f}, {:.0f} tokens/s, {}\n", r.n_steps, r.n_tokens,
                                r.final_loss, r.tokens_per_s, human_seconds(r.seconds));
  out += held_out_text(r.eval_loss_before, r.eval_loss_after, r.eval_loss_last, r.kept_step);
  const double before = r.eval_loss_before.value_or(r.first_loss), after = r.eval_loss_after.value_or(r.final_loss);
  if (after > before)
    out += fmt::format(
        "it is worse than before ({:.4f}, was {:.4f}): lower optimizer.learning_rate, or train for fewer steps\n",
        after, before);
  if (!is_host_device(r.device)) out += fmt::format("computed on {}\n", r.device);
  if (!r.device_reason.empty()) out += fmt::format("no GPU was used: {}\n", r.device_reason);
  return out + fmt::format("trainer and server agree to {:.2g}\nresult    {}\n", r.parity_max_error, r.result);
}

}  // namespace

void declare_train(Command& command) {
  auto file = std::make_shared<std::string>();
  auto overrides = std::make_shared<std::vector<std::string>>();
  command.positional("RECIPE.toml", *file, "Recipe");
  command.option("--set", *overrides,
                 "key=value, for example optimizer.learning_rate=1e-4; may be given several times");
  auto device = std::make_shared<std::string>();
  command.device(*device, "the recipe's");
  command.on_run([=](const Cli& cli) -> Result<void> {
    std::filesystem::path recipe_file = std::filesystem::absolute(*file);
    std::vector<std::string> keys = *overrides;
    if (!device->empty()) keys.push_back("device=" + *device);
    train::Recipe recipe = TRY(train::load_recipe(recipe_file, keys));
    std::filesystem::path model = TRY(train::find_model(recipe, cli.state.root));
    train::RunPaths paths{job_folder(recipe, recipe_file), std::move(model)};
    take_interrupts();
    Interruptible under_way;
    train::RunResult result;
    {
      ProgressBar bar;
      train::RunCallbacks callbacks;
      callbacks.on_data = [](const DataFigures& data, const std::vector<UnusedKey>& unused) {
        if (ProgressBar::as_events) {
          Json event = {{"event", "data"}, {"data", to_json_value(data)}, {"unused_keys", to_json_value(unused)}};
          return fmt::print(stderr, "{}\n", dump_json(event));
        }
        fmt::print(stderr, "{}\n", train::in_words(data));
        if (!unused.empty()) fmt::print(stderr, "{}\n", train::unused_keys_in_words(unused));
      };
      callbacks.on_device = [](const Device& chosen) {
        if (!chosen.reason.empty()) fmt::print(stderr, "no GPU is used: {}\n", chosen.reason);
      };
      callbacks.on_status = [&](const train::RunStatus& s) {
        std::string left = s.seconds_left ? ", " + human_seconds(*s.seconds_left) + " left" : "";
        bar.show(s.progress, s.step + (s.loss ? fmt::format(", loss {:.4f}", *s.loss) : "") + left);
      };
      result = TRY(train::run_training(recipe, paths, callbacks, under_way.token()));
    }
    cli.print(to_json_value(result), [&] { return describe(result); });
    return {};
  });
}

}  // namespace hearth::cli
