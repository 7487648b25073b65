// hearth rm N: removes a model; by the service when it runs.
#include "appliance/cli/verbs.h"

namespace hearth::cli {

void declare_rm(Command& command) {
  auto n = std::make_shared<std::string>();
  command.positional("N", *n, "Model in the store");
  command.on_run([=](const Cli& cli) -> Result<void> {
    if (auto service = cli.service()) {
      TRY(service->remove("/hearth/v1/models/" + http::percent_encode(*n)));
    } else {
      store::Store store = TRY(cli.open_store(store::Mode::read_write));
      TRY(store.remove(TRY(store.resolve(*n))));
    }
    cli.print({{"removed", *n}}, [&] { return "removed " + *n; });
    return {};
  });
}

}  // namespace hearth::cli
