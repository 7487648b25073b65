// Verbs that belong to later work. They exist so that scripts fail with a clear word, not with "unknown command".
#include "appliance/cli/verbs.h"

namespace hearth::cli {
namespace {

struct Ignored {
  std::vector<std::string> rest;
  std::string quant;
};

// The action holds what the options write to, for as long as the command lives.
void refuse(Command& command, const std::shared_ptr<Ignored>& ignored, const char* message) {
  command.positional("ARGUMENTS", ignored->rest, "(not used yet)", false);
  command.on_run([message, ignored](const Cli&) -> Result<void> { return error(Code::unimplemented, "{}", message); });
}

}  // namespace

void declare_pull(Command& command) {
  refuse(command, std::make_shared<Ignored>(),
         "fetching models from a registry belongs to later work; import a folder with `hearth import PATH`, or install a pack with `hearth packs install --from DIR`");
}

void declare_prepare(Command& command) {
  auto ignored = std::make_shared<Ignored>();
  command.option("--quant", ignored->quant, "auto | bf16 | q8 | q4");
  refuse(command, ignored,
         "laying weights out for this box belongs to later work; models run as they are stored, and `hearth export N --format gguf --dtype q8_0` quantises one");
}

}  // namespace hearth::cli
