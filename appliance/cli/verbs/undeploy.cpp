// hearth undeploy N: the service stops serving a model.
#include "appliance/cli/verbs.h"

namespace hearth::cli {

void declare_undeploy(Command& command) {
  auto n = std::make_shared<std::string>();
  command.positional("N", *n, "Deployed model");
  command.on_run([=](const Cli& cli) -> Result<void> {
    TRY(TRY(cli.service()).remove("/hearth/v1/deployments/" + http::percent_encode(*n)));
    cli.print({{"undeployed", *n}}, [&] { return *n + " is not served any more"; });
    return {};
  });
}

}  // namespace hearth::cli
