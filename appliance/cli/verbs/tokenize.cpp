// hearth tokenize N [TEXT | --file F]: {"ids": [...]}. A vocabulary-only .gguf is enough.
#include "appliance/cli/typed_text.h"
#include "appliance/cli/verbs.h"
#include "base/text_encoding.h"
#include "model_store/formats/load.h"

namespace hearth::cli {
namespace {

struct TokenizeArguments {
  std::string n, file;
  std::optional<std::string> text;
  bool no_special = false;
};

Result<std::string> text_of(const TokenizeArguments& a) {
  if (a.text && !a.file.empty())
    return error(Code::invalid_argument, "give either TEXT or --file {}, not both", a.file);
  if (a.text) return to_utf8(*a.text, "the text");
  return a.file.empty() ? text_of_stdin() : text_of_file(a.file);
}

}  // namespace

void declare_tokenize(Command& command) {
  auto a = std::make_shared<TokenizeArguments>();
  command.positional("N", a->n, "Model");
  command.positional("TEXT", a->text, "Text; default: --file, or stdin", false);
  command.option("--file", a->file, "File with the text");
  command.flag("--no-special", a->no_special, "Without the tokens that the model puts around a text");
  command.on_run([=](const Cli& cli) -> Result<void> {
    LoadedModel model = TRY(load_text_side(TRY(cli.model_path(a->n))));
    if (!model.tokenizer)
      return model.tokenizer_problem ? *model.tokenizer_problem
                                     : error(Code::failed_precondition, "{} has no tokenizer", a->n);
    std::vector<int32_t> ids = TRY(model.tokenizer->encode(TRY(text_of(*a)), {.add_special = !a->no_special}));
    cli.print({{"ids", ids}}, [&] { return fmt::format("{}", fmt::join(ids, " ")); });
    return {};
  });
}

}  // namespace hearth::cli
