// Verbs that belong to later work. They exist so that scripts fail with a clear word, not with "unknown command".
#include "appliance/cli/verbs.h"

namespace hearth::cli {

static void refuse(Command& command, const char* message) {
  auto rest = std::make_shared<std::vector<std::string>>();
  command.positional("ARGUMENTS", *rest, "(not used yet)", false);
  command.on_run([=](const Cli&) -> Result<void> { return error(Code::unimplemented, "{}", message); });
}

void declare_pull(Command& command) {
  refuse(command, "fetching models from a registry belongs to later work; import a folder with `hearth import PATH`, or install a pack with `hearth packs install --from DIR`");
}

void declare_prepare(Command& command) {
  auto quant = std::make_shared<std::string>();
  command.option("--quant", *quant, "auto | bf16 | q8 | q4");
  refuse(command, "laying weights out for this box belongs to later work; models run as they are stored, and `hearth export N --format gguf --dtype q8_0` quantises one");
}

}  // namespace hearth::cli
