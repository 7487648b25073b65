// hearth export N --to DIR --format safetensors|gguf|peft: a model in a format that other programs read.
#include "appliance/cli/verbs.h"
#include "base/files.h"
#include "model_store/formats/load.h"
#include "model_store/formats/save.h"

namespace hearth::cli {
namespace {

struct ExportArguments {
  std::string n, to, format = "safetensors", dtype;
};

Result<Dtype> dtype_of(const std::string& name, std::initializer_list<Dtype> allowed) {
  std::string names;
  for (Dtype dtype : allowed) {
    if (dtype_info(dtype).name == name) return dtype;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", dtype_info(dtype).name);
  }
  return error(Code::invalid_argument, "--dtype must be one of {}, got \"{}\"", names, name);
}

Result<void> copy_adapter(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code failed;
  if (!std::filesystem::exists(from / "adapter_config.json", failed))
    return error(Code::failed_precondition, "{} is not a PEFT adapter; export it as safetensors or gguf",
                 from.string());
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive, failed);
  if (failed) return error(Code::internal, "cannot copy the adapter to {}: {}", to.string(), failed.message());
  return {};
}

// What is written, before anything is.
Result<Dtype> wanted_dtype(const ExportArguments& a) {
  if (a.format == "safetensors")
    return dtype_of(a.dtype.empty() ? "bf16" : a.dtype, {Dtype::f32, Dtype::f16, Dtype::bf16});
  if (a.format == "gguf")
    return dtype_of(a.dtype.empty() ? "q8_0" : a.dtype,
                    {Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::q8_0, Dtype::q4_0});
  if (a.format != "peft")
    return error(Code::invalid_argument, "--format must be safetensors, gguf or peft, got \"{}\"", a.format);
  if (!a.dtype.empty())
    return error(Code::invalid_argument, "--dtype does not go with --format peft: an adapter is copied as it is");
  return Dtype::f32;
}

Result<void> write_model(const ExportArguments& a, Dtype dtype, const std::filesystem::path& from,
                         const std::filesystem::path& to) {
  if (a.format == "peft") return copy_adapter(from, to);
  LoadedModel model = TRY(load_model(from));
  TRY(make_folders(to));
  ModelToSave saved{model.config, model.weights, model.generation, model.path};
  if (a.format == "safetensors") return save_hf_folder(to, saved, dtype);
  return save_gguf(to / (from.stem().string() + ".gguf"), saved, dtype);
}

Result<void> export_model(const ExportArguments& a, Dtype dtype, const std::filesystem::path& from) {
  std::filesystem::path to = std::filesystem::absolute(a.to);
  std::error_code failed;
  bool was_there = std::filesystem::exists(to, failed);
  if (was_there && !std::filesystem::is_directory(to, failed))
    return error(Code::already_exists, "{} is a file; give a new folder", to.string());
  if (was_there && !std::filesystem::is_empty(to, failed))
    return error(Code::already_exists, "{} exists and is not empty; give a new folder", to.string());
  Result<void> written = write_model(a, dtype, from, to);
  if (!written && !was_there) std::filesystem::remove(to, failed);  // only an empty one goes
  return written;
}

}  // namespace

void declare_export(Command& command) {
  auto a = std::make_shared<ExportArguments>();
  command.positional("N", a->n, "Model");
  command.option("--to", a->to, "Folder to write, new or empty");
  command.option("--format", a->format, "safetensors | gguf | peft");
  command.option("--dtype", a->dtype, "f32 | f16 | bf16, and for gguf q8_0 | q4_0; default bf16, for gguf q8_0");
  command.on_run([=](const Cli& cli) -> Result<void> {
    if (a->to.empty()) return error(Code::invalid_argument, "say where to write: --to DIR");
    Dtype dtype = TRY(wanted_dtype(*a));
    std::filesystem::path from = TRY(cli.model_path(a->n));
    TRY(export_model(*a, dtype, from));
    cli.print({{"model", a->n}, {"path", std::filesystem::absolute(a->to).string()}, {"format", a->format}},
              [&] { return fmt::format("wrote {} to {}", a->n, a->to); });
    return {};
  });
}

}  // namespace hearth::cli
