// Tokenizer, chat template and sampling defaults of a model.
#include "model_store/formats/text_side.h"

#include <algorithm>

#include "base/json.h"
#include "base/python_json.h"

namespace hearth {
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kMaxTokenizerBytes = uint64_t{256} << 20;
constexpr uint64_t kMaxSmallFileBytes = uint64_t{16} << 20;
constexpr size_t kMaxTemplates = 64;

// A download that was cut leaves links whose targets are not there yet.
Result<void> refuse_link_to_nothing(const fs::path& path) {
  std::error_code ec;
  if (!fs::is_symlink(fs::symlink_status(path, ec)) || fs::exists(path, ec)) return {};
  return error(Code::failed_precondition,
               "{} is a link to {}, which is not there: the download is not complete; get the model again",
               path.string(), fs::read_symlink(path, ec).string());
}

// The file's text, or empty when there is no such file.
Result<std::string> read_if_there(const fs::path& path, uint64_t max_bytes) {
  auto text = read_file(path, max_bytes);
  if (text || text.error().code != Code::not_found) return text;
  TRY(refuse_link_to_nothing(path));
  return std::string();
}

// A template is a string, or several with names: a list of {"name", "template"} or an object.
Result<NamedTemplates> named_templates(const Json& json) {
  NamedTemplates out;
  if (json.is_string()) out["default"] = json.get<std::string>();
  for (const auto& item : json.is_array() ? json : Json::array())
    out[TRY(json_get<std::string>(item, "name"))] = TRY(json_get<std::string>(item, "template"));
  if (json.is_object())
    for (const auto& [name, source] : json.items()) out[name] = TRY(json_get<std::string>(json, name));
  return out;
}

void parse_one(const NamedTemplates& sources, const char* name, std::optional<ChatTemplate>& out,
               std::optional<Error>& problem) {
  auto source = sources.find(name);
  if (source == sources.end()) return;
  auto parsed = ChatTemplate::parse(source->second);
  if (parsed)
    out = *std::move(parsed);
  else
    problem = parsed.error();
}

void use_templates(Result<NamedTemplates> sources, LoadedModel& out) {
  if (!sources) {
    out.chat_template_problem = sources.error();
    return;
  }
  parse_one(*sources, "default", out.chat_template, out.chat_template_problem);
  parse_one(*sources, "tool_use", out.tool_template, out.tool_template_problem);
  if (sources->empty() || sources->contains("default")) return;
  std::string names;
  for (const auto& [name, source] : *sources) names += (names.empty() ? "" : ", ") + name;
  out.chat_template_problem =
      error(Code::failed_precondition, "the model has chat templates called {}, but none called default", names);
}

// chat_template.jinja, and further ones that are called as their files.
Result<NamedTemplates> template_files(const fs::path& folder) {
  NamedTemplates out;
  const std::string source = TRY(read_if_there(folder / "chat_template.jinja", kMaxSmallFileBytes));
  if (!source.empty()) out["default"] = source;
  std::error_code ec;
  for (fs::directory_iterator it(folder / kTemplateFolder, ec), end; !ec && it != end; it.increment(ec)) {
    if (it->path().extension() != ".jinja") continue;
    if (out.size() == kMaxTemplates)
      return error(Code::resource_exhausted, "more than {} chat templates", kMaxTemplates);
    out[it->path().stem().string()] = TRY(read_if_there(it->path(), kMaxSmallFileBytes));
  }
  return out;
}

void add_eos(std::optional<int32_t> id, GenerationDefaults& generation) {
  if (!id) return;
  generation.eos_ids.push_back(*id);
  std::sort(generation.eos_ids.begin(), generation.eos_ids.end());
  generation.eos_ids.erase(std::unique(generation.eos_ids.begin(), generation.eos_ids.end()), generation.eos_ids.end());
}

// GGUF names one end of text, but chat models end a turn with another token, which only its spelling tells.
constexpr const char* kTurnEnds[] = {"<|eot_id|>",    "<|im_end|>",      "<|end|>",      "<|eom_id|>",
                                     "<end_of_turn>", "<|end_of_text|>", "<|endoftext|>"};

}  // namespace

Result<NamedTemplates> find_chat_templates_hf(const fs::path& folder) {
  NamedTemplates files = TRY(template_files(folder));
  if (!files.empty()) return files;
  for (const char* name : {"chat_template.json", "tokenizer_config.json"}) {
    std::string text = TRY(read_if_there(folder / name, kMaxSmallFileBytes));
    if (text.empty()) continue;
    Json json = TRY_WITH(parse_python_json(text), "in {}", name);
    if (json.is_object() && json.contains("chat_template") && !json["chat_template"].is_null())
      return TRY_WITH(named_templates(json["chat_template"]), "in the chat_template of {}", name);
  }
  return NamedTemplates();
}

// "tokenizer.chat_template" and "tokenizer.chat_template.NAME".
Result<NamedTemplates> find_chat_templates_gguf(const GgufFile& file) {
  const std::string key = "tokenizer.chat_template";
  NamedTemplates out;
  for (const char* name : {"default", "tool_use"})
    if (file.has(key + "." + name)) out[name] = std::string(TRY(file.string(key + "." + name)));
  if (file.has(key)) out["default"] = std::string(TRY(file.string(key)));
  return out;
}

// What older programs wrote can be turned into what is read here.
static Error no_tokenizer(const fs::path& folder) {
  std::error_code ec;
  const bool has_parts = fs::exists(folder / "vocab.json", ec);
  return error(Code::not_found, "{} holds no tokenizer.json, tokenizer.model or vocab.txt{}", folder.string(),
               has_parts ? " (a vocab.json is not enough: save_pretrained() of transformers' AutoTokenizer makes a "
                           "tokenizer.json of it)"
                         : "");
}

static Result<Tokenizer> read_tokenizer_hf(const fs::path& folder, std::string_view config) {
  const std::string tokenizer_json = TRY(read_if_there(folder / "tokenizer.json", kMaxTokenizerBytes));
  std::string tokenizer_model, vocab_txt;
  if (tokenizer_json.empty()) tokenizer_model = TRY(read_if_there(folder / "tokenizer.model", kMaxTokenizerBytes));
  if (tokenizer_json.empty() && tokenizer_model.empty())
    vocab_txt = TRY(read_if_there(folder / "vocab.txt", kMaxTokenizerBytes));
  if (tokenizer_json.empty() && tokenizer_model.empty() && vocab_txt.empty()) return no_tokenizer(folder);
  const std::string tokenizer_config = TRY(read_if_there(folder / "tokenizer_config.json", kMaxSmallFileBytes));
  const std::string map = TRY(read_if_there(folder / "special_tokens_map.json", kMaxSmallFileBytes));
  const std::string added = TRY(read_if_there(folder / "added_tokens.json", kMaxSmallFileBytes));
  std::string model_type;
  if (auto json = parse_python_json(config); json && json->is_object())
    model_type = TRY(json_get_or<std::string>(*json, "model_type", ""));
  return Tokenizer::from_files({.tokenizer_json = tokenizer_json,
                                .tokenizer_model = tokenizer_model,
                                .vocab_txt = vocab_txt,
                                .tokenizer_config = tokenizer_config,
                                .special_tokens_map = map,
                                .added_tokens = added,
                                .model_type = model_type});
}

Result<void> read_text_side_hf(const fs::path& folder, LoadedModel& out) {
  std::string config = TRY(read_if_there(folder / "config.json", kMaxSmallFileBytes));
  std::error_code ec;
  out.brings_tokenizer = fs::exists(folder / "tokenizer.json", ec) || fs::exists(folder / "tokenizer.model", ec);
  if (auto tokenizer = read_tokenizer_hf(folder, config)) {
    out.tokenizer = *std::move(tokenizer);
    out.brings_tokenizer = true;
  } else {
    out.tokenizer_problem = tokenizer.error();
  }
  use_templates(find_chat_templates_hf(folder), out);
  std::string generation = TRY(read_if_there(folder / "generation_config.json", kMaxSmallFileBytes));
  if (config.empty()) config = "{}";
  out.generation = TRY_WITH(generation_from_hf(config, generation), "while reading {}", folder.string());
  if (out.tokenizer) add_eos(out.tokenizer->eos_id(), out.generation);
  return {};
}

// GGUF has no key for how its maker means it to be sampled; packs carry Hugging Face's file beside it.
Result<void> add_generation_beside(const fs::path& weights, GenerationDefaults& out) {
  const std::string text = TRY(read_if_there(weights.parent_path() / "generation_config.json", kMaxSmallFileBytes));
  if (text.empty()) return {};
  GenerationDefaults beside = TRY(generation_from_hf("{}", text));
  for (int32_t id : beside.eos_ids) add_eos(id, out);
  beside.eos_ids = std::move(out.eos_ids);
  out = std::move(beside);
  return {};
}

Result<void> read_text_side_gguf(const GgufFile& file, LoadedModel& out) {
  out.brings_tokenizer = file.has("tokenizer.ggml.model") || file.has("tokenizer.ggml.tokens");
  if (auto tokenizer = Tokenizer::from_gguf(file))
    out.tokenizer = *std::move(tokenizer);
  else
    out.tokenizer_problem = tokenizer.error();
  use_templates(find_chat_templates_gguf(file), out);
  out.generation = TRY(generation_from_gguf(file));
  TRY_WITH(add_generation_beside(out.path, out.generation), "while reading generation_config.json");
  if (!out.tokenizer) return {};
  for (const char* text : kTurnEnds)
    if (auto id = out.tokenizer->token_id(text); id && out.tokenizer->is_control(*id)) add_eos(id, out.generation);
  return {};
}

}  // namespace hearth
