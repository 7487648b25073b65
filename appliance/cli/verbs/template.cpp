// hearth template N|FILE.jinja CASE.json: renders a chat template. {"text": ...} or {"error": ...} and exit 1.
#include "appliance/cli/typed_text.h"
#include "appliance/cli/verbs.h"
#include "base/files.h"
#include "model_store/formats/load.h"

namespace hearth::cli {

static Result<ChatTemplate> find_template(const Cli& cli, const std::string& n, bool with_tools) {
  if (n.ends_with(".jinja")) {
    std::string source = TRY(read_file(n, 1 << 20));
    return TRY_WITH(ChatTemplate::parse(source), "in {}", n);
  }
  LoadedModel model = TRY(load_text_side(TRY(cli.model_path(n))));
  return *TRY_WITH(chat_template_for(model, with_tools), "in {}", n);
}

void declare_template(Command& command) {
  auto n = std::make_shared<std::string>();
  auto file = std::make_shared<std::string>();
  command.positional("N", *n, "Model, or a .jinja file");
  command.positional("CASE.json", *file, "{messages, add_generation_prompt, tools, ..., bos_token, eos_token, now}");
  command.on_run([=](const Cli& cli) -> Result<void> {
    std::string context = TRY(text_of_file(*file));
    Json conversation = TRY_WITH(parse_json(context), "in {}", *file);
    if (!conversation.is_object())
      return error(Code::invalid_argument, "in {}: expected an object like {{\"messages\": [...]}}, got {}", *file,
                   conversation.type_name());
    const bool with_tools = conversation.contains("tools") && !conversation["tools"].is_null();
    std::string text = TRY(TRY(find_template(cli, *n, with_tools)).render(context));
    cli.print({{"text", text}}, [&] { return text; });
    return {};
  });
}

}  // namespace hearth::cli
