// hearth serve: hearthd in the foreground, user mode.
#include "appliance/cli/verbs.h"
#include "appliance/hearthd/command_line.h"

namespace hearth::cli {

void declare_serve(Command& command) {
  auto arguments = std::make_shared<ServiceArguments>();
  add_service_options(command.app(), *arguments, false);
  command.on_run([=](const Cli& cli) -> Result<void> {
    ServiceOptions options = service_options(*arguments);
    options.state = cli.state;
    options.log_to_state = true;
    return run_service(std::move(options));
  });
}

}  // namespace hearth::cli
