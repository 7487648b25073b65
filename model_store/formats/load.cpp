// load_model: configuration, then weights by the family's parameter table, then the text side.
#include "model_store/formats/load.h"

#include <algorithm>
#include <set>

#include "base/json.h"
#include "base/python_json.h"
#include "hwdetect/memory.h"
#include "model_store/formats/adapters/adapter.h"
#include "model_store/formats/config_json.h"
#include "model_store/formats/gguf.h"
#include "model_store/formats/gguf_split.h"
#include "model_store/formats/library_form.h"
#include "model_store/formats/quantised/checkpoint.h"
#include "model_store/formats/storage_read.h"
#include "model_store/formats/text_side.h"

namespace hearth {
namespace fs = std::filesystem;
namespace {

// Tensors that other programs write and that hold nothing of the model's own.
bool may_be_ignored(std::string_view name) {
  return name.ends_with("rotary_emb.inv_freq") || name.ends_with("position_ids") || name.starts_with("pooler.dense.") ||
         name == "lm_head.weight" || name.ends_with(".attn_rot_embd") || name == "rope_freqs.weight" ||
         name.starts_with("rope_factors_");
}

// With a root of its own, the text model is a part of a larger one, whose other parts are left out.
Result<void> refuse_unused(const TensorFile& file, const std::set<std::string_view>& used, const std::string& root,
                           const ModelConfig& config) {
  const Architecture* architecture = TRY(find_architecture(config.family));
  for (const auto& tensor : file.tensors())
    if (!used.contains(tensor.name) && !may_be_ignored(tensor.name) && !architecture->may_skip(tensor.name, config) &&
        (root == "model." || tensor.name.starts_with(root)))
      return error(Code::unimplemented,
                   "the file holds a tensor \"{}\" that this family has no place for; running without it would give "
                   "wrong answers",
                   tensor.name);
  return {};
}

// Models that take pictures too have the text model's weights under a name of their own. What our "model." is there.
std::string root_of(const TensorFile& file, const std::vector<ParameterSpec>& specs) {
  for (const char* root : {"model.", "model.language_model.", "language_model.model."})
    for (const ParameterSpec& spec : specs)
      if (spec.hf.name.starts_with("model.") && spec.hf.n_parts == 0 && file.find(root + spec.hf.name.substr(6)))
        return root;
  return "model.";
}

Storage under_root(const Storage& storage, const std::string& root, const TensorFile& file) {
  Storage out = storage;
  if (root == "model.") return out;
  if (out.name.starts_with("model."))
    out.name = root + out.name.substr(6);
  else if (!file.find(out.name))
    out.name = "language_model." + out.name;
  return out;
}

// The one of the forms of a parameter that this file has it in.
Storage form_in(const TensorFile& file, const ParameterSpec& spec, const std::string& root) {
  if (const auto other = library_form(spec))
    if (Storage storage = under_root(*other, root, file); file.find(storage.part_name(0))) return storage;
  return under_root(spec.hf, root, file);
}

// What is asked of a load: everything, or only whether it would succeed, for which no weights are read; of all, or of
// the weights alone.
enum class Depth { check_weights, check, whole };
struct Request {
  Depth depth;
  uint64_t available_bytes = 0;  // of memory; 0: unknown
};

// Where weights go that memory cannot hold.
std::vector<fs::path> disk_folders(const fs::path& model) {
  std::error_code ec;
  return {fs::is_directory(model, ec) ? model : fs::absolute(model, ec).parent_path(), "/var/tmp"};
}

struct ModelKeeper {
  WeightKeeper files;
  std::shared_ptr<CopiedWeights> copies = std::make_shared<CopiedWeights>();
};

// As read_parameter() has just left it.
void bind_weight(const std::string& role, const TensorView& view, ModelKeeper& keeper, LoadedModel& out) {
  out.weights.emplace(role, view);
  std::vector<Tensor>& copies = keeper.files.copies;
  if (copies.empty())
    out.mapped.insert(role);
  else
    keeper.copies->emplace(role, std::move(copies.back()));
  copies.clear();
}

Result<void> bind_weights(const TensorFile& file, bool is_gguf, const Request& request, LoadedModel& out) {
  auto keeper = std::make_shared<ModelKeeper>();
  WeightKeeper& files = keeper->files;
  files.mappings = file.keeper();
  const bool is_too_large = request.available_bytes > 0 && file.size_bytes() > request.available_bytes;
  if (is_too_large) files.disk_folders = disk_folders(out.path);
  const std::string root = is_gguf ? "model." : root_of(file, out.parameters);
  for (const auto& spec : out.parameters) {
    const Storage storage = is_gguf ? spec.gguf : form_in(file, spec, root);
    if (request.depth == Depth::whole)
      bind_weight(spec.role, TRY(read_parameter(file, spec, storage, files)), *keeper, out);
    else
      out.weights.emplace(spec.role,
                          TensorView{loaded_type(spec, TRY(find_parameter(file, spec, storage, files.used))), nullptr});
  }
  TRY(refuse_unused(file, files.used, root, out.config));
  out.size_bytes = file.size_bytes();
  out.copied_bytes = files.copied_bytes;
  out.disk_bytes = files.disk_bytes;
  out.copies = keeper->copies;
  out.keeper = std::move(keeper);
  return {};
}

Result<void> use_config(ModelConfig config, LoadedModel& out) {
  const Architecture* architecture = TRY(find_architecture(config.family));
  out.parameters = architecture->parameters(config);
  out.config = std::move(config);
  return {};
}

// A configuration may tie the output matrix to the embedding, and the file hold both all the same: where they differ,
// the library takes each as it is, and so do we.
Result<void> untie_own_head(const TensorFile& file, LoadedModel& out) {
  if (!out.config.tied_embeddings) return {};
  const std::string root = root_of(file, out.parameters), head_root = root == "model." ? "" : "language_model.";
  const StoredTensor* embed = file.find(root + "embed_tokens.weight");
  const StoredTensor* head = file.find("lm_head.weight");
  if (!head) head = file.find(head_root + "lm_head.weight");
  if (!embed || !head || std::ranges::equal(embed->bytes, head->bytes)) return {};
  ModelConfig config = out.config;
  config.tied_embeddings = false;
  return use_config(std::move(config), out);
}

// How an embedder's rows become one vector is said beside the model, as the sentence-transformers library writes it.
Result<void> read_pooling(const fs::path& folder, ModelConfig& config) {
  auto text = read_file(folder / "1_Pooling" / "config.json", kMaxConfigBytes);
  if (!text && text.error().code == Code::not_found) return {};
  const Json json = TRY(parse_python_json(TRY(std::move(text))));
  const bool first = TRY(json_get_or<bool>(json, "pooling_mode_cls_token", false));
  const bool mean = TRY(json_get_or<bool>(json, "pooling_mode_mean_tokens", false));
  if (first == mean)
    return error(Code::unimplemented,
                 "1_Pooling/config.json asks for another pooling than the first token or the mean");
  config.encoder.pooling = first ? Pooling::first : Pooling::mean;
  return {};
}

Result<void> load_hf(const fs::path& folder, const Request& request, LoadedModel& out) {
  std::string config = TRY(read_file(folder / "config.json", kMaxConfigBytes));
  TRY(use_config(TRY_WITH(config_from_hf(config), "while reading {}", (folder / "config.json").string()), out));
  TRY(read_pooling(folder, out.config));
  const Json json = TRY(parse_python_json(config, 32));
  const TensorFile weights = TRY(open_hf_weights(folder, json));
  TRY(untie_own_head(weights, out));
  TRY(bind_weights(weights, /*is_gguf=*/false, request, out));
  return request.depth == Depth::check_weights ? Result<void>() : read_text_side_hf(folder, out);
}

Result<void> load_gguf(const fs::path& path, const Request& request, LoadedModel& out) {
  GgufFile file = TRY(GgufFile::open(path));
  TRY(use_config(TRY(config_from_gguf(file)), out));
  TRY(bind_weights(file.tensors(), /*is_gguf=*/true, request, out));
  return request.depth == Depth::check_weights ? Result<void>() : read_text_side_gguf(file, out);
}

Result<bool> is_folder(const fs::path& path) {
  std::error_code ec;
  auto status = fs::status(path, ec);
  if (!fs::exists(status)) return error(Code::not_found, "{} does not exist", path.string());
  return fs::is_directory(status);
}

// A folder with a single .gguf in it stands for that file.
Result<fs::path> find_model(const fs::path& path) {
  std::error_code ec;
  if (!TRY(is_folder(path)) || fs::exists(path / "config.json", ec)) return path;
  const std::vector<fs::path> files = gguf_models_in(path);
  return files.size() == 1 ? files[0] : path;
}

// Well-formed JSON of one kind, so that it can stand inside another document as it is (keeping the order of its keys).
Result<std::string_view> checked_json(std::string_view text, char first, std::string_view what) {
  Json json = TRY_WITH(parse_json(text, 60), "in {}", what);
  if (first == '[' ? !json.is_array() : !json.is_object())
    return error(Code::invalid_argument, "{} must be {}, got {}", what, first == '[' ? "a list" : "an object",
                 json.type_name());
  return text;
}

Result<LoadedModel> load(const fs::path& given, const Request& request) {
  fs::path path = TRY(find_model(given));
  LoadedModel out;
  out.path = path;
  if (TRY(is_folder(path)))
    TRY_WITH(load_hf(path, request, out), "while loading {}", path.string());
  else if (path.extension() == ".gguf")
    TRY_WITH(load_gguf(path, request, out), "while loading {}", path.string());
  else
    return error(Code::invalid_argument, "{} is not a model: expected a Hugging Face folder or a .gguf file",
                 path.string());
  return out;
}

}  // namespace

// The merged model: the base's files with the adapter's changes.
static Result<LoadedModel> load_adapter(const fs::path& folder, const Request& request) {
  LoadedModel out = TRY_WITH(load(TRY(base_of_adapter(folder)), request), "while loading the base of the adapter {}",
                             folder.string());
  TRY(apply_adapter(TRY(read_adapter(folder, out.config)), out));
  return out;
}

Result<LoadedModel> load_model(const fs::path& path) {
  return load_model(path, available_memory_bytes());
}

Result<LoadedModel> load_model(const fs::path& path, uint64_t available_bytes) {
  const Request request{Depth::whole, available_bytes};
  return is_adapter_folder(path) ? load_adapter(path, request) : load(path, request);
}

Result<LoadedModel> check_model(const fs::path& path) {
  LoadedModel out = TRY(load(path, {Depth::check}));
  if (out.tokenizer_problem && out.brings_tokenizer)
    return hearth::detail::with_context(*out.tokenizer_problem, "while reading its tokenizer");
  return out;
}

Result<LoadedModel> check_weights(const fs::path& path) {
  if (!is_adapter_folder(path)) return load(path, {Depth::check_weights});
  LoadedModel out = TRY_WITH(load(TRY(base_of_adapter(path)), {Depth::check_weights}),
                             "while looking at the base of the adapter {}", path.string());
  TRY(apply_adapter_types(TRY(read_adapter(path, out.config)), out));
  return out;
}

void LoadedModel::let_go(std::string_view role) {
  if (!copies || !copies->contains(role)) return;
  weights.find(role)->second.data = nullptr;
  copies->erase(copies->find(role));
}

uint64_t weight_bytes(const LoadedModel& model) {
  uint64_t out = 0;
  for (const auto& [role, view] : model.weights) out += static_cast<uint64_t>(view.type.bytes());
  return out;
}

Result<ModelConfig> load_config(const fs::path& given) {
  if (is_adapter_folder(given)) return load_config(TRY(base_of_adapter(given)));
  const fs::path path = TRY(find_model(given));
  if (path.extension() == ".gguf") return config_from_gguf(TRY(GgufFile::open(path)));
  return config_from_hf(TRY(read_file(path / "config.json", kMaxConfigBytes)));
}

Result<LoadedModel> load_text_side(const fs::path& given) {
  fs::path path = TRY(find_model(is_adapter_folder(given) ? TRY(base_of_adapter(given)) : given));
  LoadedModel out;
  out.path = path;
  if (TRY(is_folder(path)))
    TRY_WITH(read_text_side_hf(path, out), "while loading {}", path.string());
  else if (path.extension() == ".gguf")
    TRY_WITH(read_text_side_gguf(TRY(GgufFile::open(path)), out), "while loading {}", path.string());
  else
    return error(Code::invalid_argument, "{} is not a model: expected a Hugging Face folder or a .gguf file",
                 path.string());
  return out;
}

Result<const ChatTemplate*> chat_template_for(const LoadedModel& model, bool with_tools) {
  if (with_tools && model.tool_template) return &*model.tool_template;
  if (with_tools && model.tool_template_problem) return *model.tool_template_problem;
  if (model.chat_template) return &*model.chat_template;
  if (model.chat_template_problem) return *model.chat_template_problem;
  return error(Code::failed_precondition,
               "this model has no chat template; it completes text (/v1/completions) but does not chat");
}

Result<ChatTemplate::Rendered> render_chat(const LoadedModel& model, const ChatPrompt& prompt) {
  const ChatTemplate* chat_template = TRY(chat_template_for(model, !prompt.tools_json.empty()));
  std::string context = "{";
  if (!prompt.extra_json.empty()) {
    std::string_view extra = TRY(checked_json(prompt.extra_json, '{', "the template's variables"));
    extra.remove_prefix(extra.find('{') + 1);
    extra = extra.substr(0, extra.rfind('}'));
    context.append(extra);
    if (extra.find_first_not_of(" \t\r\n") != std::string_view::npos) context += ",";
  }
  // What follows wins over variables of the same names.
  context.append("\"messages\":").append(TRY(checked_json(prompt.messages_json, '[', "messages")));
  if (!prompt.tools_json.empty())
    context.append(",\"tools\":").append(TRY(checked_json(prompt.tools_json, '[', "tools")));
  context.append(prompt.add_generation_prompt ? ",\"add_generation_prompt\":true" : ",\"add_generation_prompt\":false");
  context.append(",\"bos_token\":").append(dump_json(model.tokenizer ? model.tokenizer->bos_token() : ""));
  context.append(",\"eos_token\":").append(dump_json(model.tokenizer ? model.tokenizer->eos_token() : ""));
  context += "}";
  return chat_template->render_marked(context);
}

}  // namespace hearth
