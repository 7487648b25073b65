// hearth import PATH: a model or a PEFT adapter into the store; by the service when it runs.
#include "appliance/cli/records.h"
#include "appliance/cli/verbs.h"

namespace hearth::cli {

void declare_import(Command& command) {
  auto request = std::make_shared<api::ImportRequest>();
  command.positional("PATH", request->path, "Hugging Face folder, .gguf, .safetensors, or a PEFT adapter's folder");
  command.option("--name", request->name, "Name in the store; default: from the path");
  command.option("--base", request->base, "Of an adapter: its base model in the store; default: the one that it names");
  command.option("--version", request->version, "Version to give it, for a pack that will be exported");
  command.option("--description", request->description, "One line for people");
  command.option("--license", request->license, "SPDX identifier; default: what its README says");
  command.on_run([=](const Cli& cli) -> Result<void> {
    request->path = std::filesystem::absolute(request->path).lexically_normal().string();
    std::string name;
    if (auto service = cli.service()) {
      api::Job job = TRY(service->post_as<api::Job>("/hearth/v1/models/import", *request));
      name = TRY(follow_job(*service, job.id)).result_model;
    } else {
      ProgressBar bar;
      store::Store store = TRY(cli.open_store(store::Mode::read_write));
      store::ImportOptions options{.name = request->name,
                                   .version = request->version,
                                   .license = request->license,
                                   .description = request->description};
      if (!request->base.empty()) options.parent = request->base;
      name = TRY(store.import_model(request->path, options, bar.control("importing"))).name;
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
