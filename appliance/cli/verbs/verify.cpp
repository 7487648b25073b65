// hearth verify N: reads every file of a model again and compares hashes.
#include "appliance/cli/verbs.h"

namespace hearth::cli {

void declare_verify(Command& command) {
  auto n = std::make_shared<std::string>();
  command.positional("N", *n, "Model in the store");
  command.on_run([=](const Cli& cli) -> Result<void> {
    store::Store store = TRY(cli.open_store(store::Mode::read_only));
    {
      ProgressBar bar;
      TRY(store.verify(TRY(store.resolve(*n)), bar.control("reading")));
    }
    cli.print({{"model", *n}, {"ok", true}}, [&] { return *n + ": every file is as it was installed"; });
    return {};
  });
}

}  // namespace hearth::cli
