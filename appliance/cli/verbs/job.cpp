// hearth job ID [--follow] [--cancel] [--remove]: one job.
#include "appliance/cli/verbs.h"

namespace hearth::cli {

static std::string describe(const api::Job& job) {
  std::string out =
      fmt::format("{}\nstate     {} ({:.0f} %)\nnow       {}\n", job.title, job.state, job.progress * 100, job.step);
  if (!job.reason.empty()) out += fmt::format("reason    {}\n", job.reason);
  if (!job.device.empty()) out += fmt::format("device    {}\n", job.device);
  if (!job.device_reason.empty()) out += fmt::format("no GPU    {}\n", job.device_reason);
  if (job.loss) out += fmt::format("loss      {:.4f}\n", *job.loss);
  out += held_out_text(job.eval_loss_before, job.eval_loss_after, job.eval_loss_last, job.kept_step);
  if (!job.result_model.empty()) out += fmt::format("model     {}\n", job.result_model);
  return out;
}

void declare_job(Command& command) {
  auto id = std::make_shared<std::string>();
  auto follow = std::make_shared<bool>(false);
  auto cancel = std::make_shared<bool>(false);
  auto remove = std::make_shared<bool>(false);
  command.positional("ID", *id, "Job");
  command.flag("--follow", *follow, "Stay until it is over");
  command.flag("--cancel", *cancel, "Stop it");
  command.flag("--remove", *remove, "Remove it and its files, when it is over; a model it made stays");
  command.on_run([=](const Cli& cli) -> Result<void> {
    ApiClient service = TRY(cli.service());
    std::string path = "/hearth/v1/jobs/" + http::percent_encode(*id);
    if (*cancel) TRY(service.post(path + "/cancel", Json::object()));
    api::Job job = *follow ? TRY(follow_job(service, *id)) : TRY(service.get_as<api::Job>(path));
    if (*remove) TRY(service.remove(path));
    cli.print(to_json_value(job), [&] { return describe(job); });
    return {};
  });
}

}  // namespace hearth::cli
