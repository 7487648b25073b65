// hearth deploy N: the service serves a model. Waits until it answers, unless told not to.
#include <chrono>
#include <thread>

#include "appliance/cli/deployments.h"
#include "appliance/cli/verbs.h"

namespace hearth::cli {

void declare_deploy(Command& command) {
  auto request = std::make_shared<api::DeployRequest>();
  auto no_wait = std::make_shared<bool>(false);
  command.positional("N", request->model, "Model in the store");
  command.option("--max-seq-len", request->max_seq_len, "Context in tokens");
  command.option("--threads", request->n_threads, "CPU threads");
  command.device(request->device, "auto");
  command.flag("--exact", request->exact, "Keep activations in full precision beside quantised weights: slower");
  command.flag("--force", request->force, "Although it does not fit into the free memory");
  command.flag("--no-wait", *no_wait, "Do not wait until it answers");
  command.on_run([=](const Cli& cli) -> Result<void> {
    ApiClient service = TRY(cli.service());
    api::Deployment status = TRY(service.post_as<api::Deployment>("/hearth/v1/deployments", *request));
    if (!*no_wait) status = TRY(wait_until_ready(service, request->model));
    const auto model = service.get_as<api::Model>("/hearth/v1/models/" + http::percent_encode(request->model));
    cli.print(to_json_value(status), [&] {
      std::string text = fmt::format("{} is {}", status.model, status.state);
      if (status.max_seq_len == 0) return text;
      text += fmt::format(" on {}, with a context of {} tokens", status.device, status.max_seq_len);
      if (!status.device_reason.empty()) text += fmt::format("; no GPU is used: {}", status.device_reason);
      if (!status.device_note.empty()) text += "; " + status.device_note;
      if (!request->max_seq_len && model && status.max_seq_len < model->max_seq_len)
        text += fmt::format("; the model's own is {}, for which there is not enough memory", model->max_seq_len);
      return text;
    });
    return {};
  });
}

}  // namespace hearth::cli
