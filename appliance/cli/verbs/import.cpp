// hearth import PATH: a model or a PEFT adapter into the store; by the service when it runs.
#include "appliance/cli/records.h"
#include "appliance/cli/verbs.h"

namespace hearth::cli {

void declare_import(Command& command) {
  auto request = std::make_shared<api::ImportRequest>();
  auto facts = std::make_shared<store::ImportOptions>();
  command.positional("PATH", request->path, "Hugging Face folder, .gguf, .safetensors, or a PEFT adapter's folder");
  command.option("--name", request->name, "Name in the store; default: from the path");
  command.option("--base", request->base, "Of an adapter: its base model in the store; default: the one that it names");
  command.option("--version", facts->version, "Version to give it, for a pack that will be exported");
  command.option("--description", facts->description, "One line for people");
  command.option("--license", facts->license, "SPDX identifier; default: what its README says");
  command.on_run([=](const Cli& cli) -> Result<void> {
    request->path = std::filesystem::absolute(request->path).lexically_normal().string();
    facts->name = request->name;
    std::string name;
    const bool has_facts = !facts->version.empty() || !facts->description.empty() || !facts->license.empty();
    if (auto service = cli.service()) {
      if (has_facts)
        return error(Code::failed_precondition,
                     "--version, --description and --license are for a store of your own: stop the service, or give "
                     "--state-dir");
      api::Job job = TRY(service->post_as<api::Job>("/hearth/v1/models/import", *request));
      name = TRY(follow_job(*service, job.id)).result_model;
    } else {
      ProgressBar bar;
      store::Store store = TRY(cli.open_store(store::Mode::read_write));
      if (!request->base.empty()) facts->parent = request->base;
      name = TRY(store.import_model(request->path, *facts, bar.control("importing"))).name;
    }
    store::ModelRecord model = TRY(TRY(cli.open_store(store::Mode::read_only)).find(name));
    cli.print(record_json(model), [&] {
      const std::string of = model.kind == "adapter" ? ", an adapter of " + model.parent.value_or("?") : "";
      return fmt::format("imported {} ({}{})", model.name, human_bytes(model.size_bytes), of);
    });
    return {};
  });
}

}  // namespace hearth::cli
