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
  command.flag("--no-wait", *no_wait, "Do not wait until it answers");
  command.on_run([=](const Cli& cli) -> Result<void> {
    ApiClient service = TRY(cli.service());
    api::Deployment status = TRY(service.post_as<api::Deployment>("/hearth/v1/deployments", *request));
    if (!*no_wait) status = TRY(wait_until_ready(service, request->model));
    cli.print(to_json_value(status), [&] { return fmt::format("{} is {}", status.model, status.state); });
    return {};
  });
}

}  // namespace hearth::cli
