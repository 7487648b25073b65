// hearth export N --to DIR --format safetensors|gguf|peft: a model in a format that other programs read.
#include "appliance/cli/verbs.h"
#include "base/files.h"
#include "model_store/formats/load.h"
#include "model_store/formats/save.h"

namespace hearth::cli {
namespace fs = std::filesystem;
namespace {

struct ExportArguments {
  std::string n, to, format = "safetensors", dtype;
};

// "keep": every weight in the dtype that it has.
Result<std::optional<Dtype>> dtype_of(const std::string& name) {
  if (name == "keep") return std::optional<Dtype>();
  return std::optional<Dtype>(TRY_WITH(dtype_from_name(name), "in --dtype (\"keep\" leaves weights as they are)"));
}

Result<void> copy_adapter(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  if (!fs::exists(from / "adapter_config.json", failed))
    return error(Code::failed_precondition, "{} is not a PEFT adapter; export it as safetensors or gguf",
                 from.string());
  fs::copy(from, to, fs::copy_options::recursive, failed);
  if (failed) return error(Code::internal, "cannot copy the adapter to {}: {}", to.string(), failed.message());
  return {};
}

constexpr const char* kUnfinished = ".hearth-export";

// The folder to write: new, empty, or what an interrupted export of the same model left, which is gone on with.
Result<void> prepare_folder(const fs::path& to, const std::string& description) {
  std::error_code failed;
  if (!fs::exists(to, failed) || fs::is_empty(to, failed)) {
    TRY(make_folders(to));
    return write_file(to / kUnfinished, description);
  }
  auto begun = read_file(to / kUnfinished, 1 << 16);
  if (!begun || *begun != description)
    return error(Code::already_exists, "{} exists and is not empty; give a new folder", to.string());
  for (fs::directory_iterator it(to, failed), end; !failed && it != end; it.increment(failed))
    if (it->path().filename().string().find(".tmp.") != std::string::npos) fs::remove(it->path(), failed);
  return {};
}

// What the bytes depend on: an interrupted export goes on only with the same.
std::string description_of(const ExportArguments& a, const LoadedModel& model) {
  return fmt::format("{} {} {} {}\n", a.format, a.dtype, model.path.string(), model.size_bytes);
}

// What is written, before anything is.
Result<std::optional<Dtype>> wanted_dtype(const ExportArguments& a) {
  if (a.format == "safetensors") {
    auto dtype = TRY(dtype_of(a.dtype.empty() ? "bf16" : a.dtype));
    if (dtype && !dtype_info(*dtype).safetensors)
      return error(Code::invalid_argument, "--dtype must be one of keep, f32, f16, bf16 for safetensors, got \"{}\"",
                   a.dtype);
    return dtype;
  }
  if (a.format == "gguf") return dtype_of(a.dtype.empty() ? "q8_0" : a.dtype);
  if (a.format != "peft")
    return error(Code::invalid_argument, "--format must be safetensors, gguf or peft, got \"{}\"", a.format);
  if (!a.dtype.empty())
    return error(Code::invalid_argument, "--dtype does not go with --format peft: an adapter is copied as it is");
  return std::optional<Dtype>();
}

Result<void> write_weights(const ExportArguments& a, std::optional<Dtype> dtype, const fs::path& from,
                           const fs::path& to) {
  LoadedModel model = TRY(load_model(from));
  TRY(prepare_folder(to, description_of(a, model)));
  ModelToSave saved{model.config, model.weights, model.generation, model.path};
  ProgressBar bar;
  saved.progress = bar.control("writing").progress;
  saved.release_pages = saved.keep_finished = true;
  auto written = a.format == "gguf" ? save_gguf(to / (from.stem().string() + ".gguf"), saved, dtype)
                                    : save_hf_folder(to, saved, dtype);
  std::error_code failed;
  const bool is_untouched = std::distance(fs::directory_iterator(to, failed), fs::directory_iterator()) == 1;
  if (written || is_untouched) fs::remove(to / kUnfinished, failed);
  return written;
}

Result<void> export_adapter(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  if (fs::exists(to, failed) && !fs::is_empty(to, failed))
    return error(Code::already_exists, "{} exists and is not empty; give a new folder", to.string());
  return copy_adapter(from, to);
}

Result<void> export_model(const ExportArguments& a, std::optional<Dtype> dtype, const fs::path& from) {
  const fs::path to = fs::absolute(a.to);
  std::error_code failed;
  const bool was_there = fs::exists(to, failed);
  if (was_there && !fs::is_directory(to, failed))
    return error(Code::already_exists, "{} is a file; give a new folder", to.string());
  Result<void> written = a.format == "peft" ? export_adapter(from, to) : write_weights(a, dtype, from, to);
  if (!written && !was_there) fs::remove(to, failed);  // only an empty one goes
  return written;
}

}  // namespace

void declare_export(Command& command) {
  auto a = std::make_shared<ExportArguments>();
  command.positional("N", a->n, "Model");
  command.option("--to", a->to, "Folder to write, new or empty");
  command.option("--format", a->format, "safetensors | gguf | peft");
  command.option("--dtype", a->dtype,
                 "keep | f32 | f16 | bf16, and for gguf any quantisation (q8_0, q6_k, q5_k, q4_k, ...); default bf16, "
                 "for gguf q8_0");
  command.on_run([=](const Cli& cli) -> Result<void> {
    if (a->to.empty()) return error(Code::invalid_argument, "say where to write: --to DIR");
    const std::optional<Dtype> dtype = TRY(wanted_dtype(*a));
    TRY(export_model(*a, dtype, TRY(cli.model_path(a->n))));
    cli.print({{"model", a->n}, {"path", fs::absolute(a->to).string()}, {"format", a->format}},
              [&] { return fmt::format("wrote {} to {}", a->n, a->to); });
    return {};
  });
}

}  // namespace hearth::cli
