// hearth export N --to DIR|FILE.gguf --format safetensors|gguf|peft|gguf-adapter: a model in a format that other
// programs read.
#include "appliance/cli/verbs.h"
#include "base/files.h"
#include "model_store/formats/adapters/adapter.h"
#include "model_store/formats/inspect.h"
#include "model_store/formats/load.h"
#include "model_store/formats/save.h"

namespace hearth::cli {
namespace fs = std::filesystem;
namespace {

struct ExportArguments {
  std::string n, to, format, dtype;
  bool is_file = false;  // `to` names the file to write, not a folder
};

struct Source {
  fs::path path;
  std::string name, file_name;  // for people, and for a file's stem
};

// A model of the store goes by its own names; one outside by what its file says, or is called.
Result<Source> source_of(const Cli& cli, const std::string& n) {
  const fs::path path = TRY(cli.model_path(n));
  store::Store store = TRY(cli.open_store(store::Mode::read_only));
  if (auto record = Cli::record(store, n)) return Source{path, record->display_name, record->name};
  const fs::path whole = path.lexically_normal();
  const fs::path last = whole.has_filename() ? whole : whole.parent_path();
  const std::string stem = (path.extension() == ".gguf" ? last.stem() : last.filename()).string();
  auto facts = inspect_model(path);
  const bool says_its_name = facts && facts->format == "gguf" && !facts->name.empty();
  return Source{path, says_its_name ? facts->name : stem, stem};
}

// What --to means, and which format that asks for.
Result<void> read_target(ExportArguments& a) {
  if (a.to.empty()) return error(Code::invalid_argument, "say where to write: --to DIR, or --to FILE.gguf");
  const std::string ending = fs::path(a.to).extension().string();
  if (ending == ".safetensors")
    return error(Code::invalid_argument,
                 "a safetensors model is a folder (weights, config.json, tokenizer): give a folder; --to FILE.gguf "
                 "writes one file");
  a.is_file = ending == ".gguf";
  if (a.format.empty()) a.format = a.is_file ? "gguf" : "safetensors";
  if (a.is_file && a.format != "gguf")
    return error(Code::invalid_argument, "--format {} does not write one file; give a folder instead of {}", a.format,
                 a.to);
  return {};
}

// "keep": every weight in the dtype that it has.
Result<std::optional<Dtype>> dtype_of(const std::string& name) {
  if (name == "keep") return std::optional<Dtype>();
  return std::optional<Dtype>(TRY_WITH(dtype_from_name(name), "in --dtype (\"keep\" leaves weights as they are)"));
}

// The adapter's own files; the link to its base stays behind.
Result<void> copy_adapter(const fs::path& from, const fs::path& to) {
  TRY(make_folders(to));
  std::error_code failed;
  for (fs::directory_iterator it(from, failed), end; !failed && it != end; it.increment(failed)) {
    if (it->path().filename().string().starts_with('.') || !it->is_regular_file(failed)) continue;
    fs::copy_file(it->path(), to / it->path().filename(), failed);
    if (failed) break;
  }
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
  return fmt::format("{} {} {} {} {}\n", a.format, a.dtype, a.n, model.path.string(), model.size_bytes);
}

bool is_adapter_format(const ExportArguments& a) {
  return a.format == "peft" || a.format == "gguf-adapter";
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
  if (!is_adapter_format(a))
    return error(Code::invalid_argument, "--format must be safetensors, gguf, peft or gguf-adapter, got \"{}\"",
                 a.format);
  if (!a.dtype.empty())
    return error(Code::invalid_argument, "--dtype does not go with --format {}: an adapter is written as it is",
                 a.format);
  return std::optional<Dtype>();
}

ModelToSave to_save(const LoadedModel& model, const Source& source, ProgressBar& bar) {
  ModelToSave out{model.config, model.weights, model.generation, model.path};
  out.progress = bar.control("writing").progress;
  out.release_pages = out.keep_finished = true;
  out.name = source.name;
  return out;
}

Result<void> write_one_file(std::optional<Dtype> dtype, const Source& source, const fs::path& to) {
  std::error_code failed;
  if (fs::exists(to, failed)) return error(Code::already_exists, "{} exists; give another name", to.string());
  LoadedModel model = TRY(load_model(source.path));
  TRY(make_folders(to.parent_path()));
  ProgressBar bar;
  return save_gguf(to, to_save(model, source, bar), dtype);
}

Result<void> write_folder(const ExportArguments& a, std::optional<Dtype> dtype, const Source& source,
                          const fs::path& to) {
  LoadedModel model = TRY(load_model(source.path));
  TRY(prepare_folder(to, description_of(a, model)));
  ProgressBar bar;
  const ModelToSave saved = to_save(model, source, bar);
  auto written = a.format == "gguf" ? save_gguf(to / (source.file_name + ".gguf"), saved, dtype)
                                    : save_hf_folder(to, saved, dtype);
  std::error_code failed;
  const bool is_untouched = std::distance(fs::directory_iterator(to, failed), fs::directory_iterator()) == 1;
  if (written || is_untouched) fs::remove(to / kUnfinished, failed);
  return written;
}

Result<void> export_adapter(const ExportArguments& a, const Source& source, const fs::path& to) {
  if (!is_adapter_folder(source.path))
    return error(Code::failed_precondition, "{} is not an adapter; export it as safetensors or gguf", a.n);
  std::error_code failed;
  if (fs::exists(to, failed) && !fs::is_empty(to, failed))
    return error(Code::already_exists, "{} exists and is not empty; give a new folder", to.string());
  if (a.format == "peft") return copy_adapter(source.path, to);
  const ModelConfig base = TRY(load_config(source.path));
  const Adapter adapter = TRY(read_adapter(source.path, base));
  TRY(make_folders(to));
  return save_gguf_adapter(to / (source.file_name + ".gguf"), base, adapter);
}

Result<void> export_model(const ExportArguments& a, std::optional<Dtype> dtype, const Source& source) {
  const fs::path to = fs::absolute(a.to);
  if (a.is_file) return write_one_file(dtype, source, to);
  std::error_code failed;
  const bool was_there = fs::exists(to, failed);
  if (was_there && !fs::is_directory(to, failed))
    return error(Code::already_exists, "{} is a file; give a new folder", to.string());
  Result<void> written = is_adapter_format(a) ? export_adapter(a, source, to) : write_folder(a, dtype, source, to);
  if (!written && !was_there) fs::remove(to, failed);  // only an empty one goes
  return written;
}

}  // namespace

void declare_export(Command& command) {
  auto a = std::make_shared<ExportArguments>();
  command.positional("N", a->n, "Model");
  command.option("--to", a->to, "Folder to write, new or empty; or a file, FILE.gguf");
  command.option(
      "--format", a->format,
      "safetensors | gguf; of an adapter also peft | gguf-adapter (for llama.cpp's --lora); default safetensors, for "
      "FILE.gguf gguf");
  command.option("--dtype", a->dtype,
                 "keep | f32 | f16 | bf16, and for gguf any quantisation (q8_0, q6_k, q5_k, q4_k, ...); default bf16, "
                 "for gguf q8_0");
  command.on_run([=](const Cli& cli) -> Result<void> {
    TRY(read_target(*a));
    const std::optional<Dtype> dtype = TRY(wanted_dtype(*a));
    TRY(export_model(*a, dtype, TRY(source_of(cli, a->n))));
    cli.print({{"model", a->n}, {"path", fs::absolute(a->to).string()}, {"format", a->format}},
              [&] { return fmt::format("wrote {} to {}", a->n, a->to); });
    return {};
  });
}

}  // namespace hearth::cli
