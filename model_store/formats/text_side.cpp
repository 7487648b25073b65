// Tokenizer, chat template and sampling defaults of a model.
#include "model_store/formats/text_side.h"

#include <algorithm>

#include "base/json.h"

namespace hearth {
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kMaxTokenizerBytes = uint64_t{256} << 20;
constexpr uint64_t kMaxSmallFileBytes = uint64_t{16} << 20;

// The file's text, or empty when there is no such file.
Result<std::string> read_if_there(const fs::path& path, uint64_t max_bytes) {
  auto text = read_file(path, max_bytes);
  if (!text && text.error().code == Code::not_found) return std::string();
  return text;
}

// A template is a string, or a list of named ones of which "default" is meant for chat.
Result<std::string> pick_template(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array())
    for (const auto& item : json)
      if (item.is_object() && item.value("name", Json()) == "default") return json_get<std::string>(item, "template");
  return error(Code::not_found, "the model has no chat template");
}

void use_template(Result<std::string> source, LoadedModel& out) {
  if (!source) {
    if (source.error().code != Code::not_found) out.chat_template_problem = source.error();
    return;
  }
  auto parsed = ChatTemplate::parse(*source);
  if (parsed)
    out.chat_template = *std::move(parsed);
  else
    out.chat_template_problem = parsed.error();
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

Result<std::string> find_chat_template_hf(const fs::path& folder) {
  std::string source = TRY(read_if_there(folder / "chat_template.jinja", kMaxSmallFileBytes));
  if (!source.empty()) return source;
  for (const char* name : {"chat_template.json", "tokenizer_config.json"}) {
    std::string text = TRY(read_if_there(folder / name, kMaxSmallFileBytes));
    if (text.empty()) continue;
    Json json = TRY_WITH(parse_json(text), "in {}", name);
    if (json.is_object() && json.contains("chat_template")) return pick_template(json["chat_template"]);
  }
  return error(Code::not_found, "the model has no chat template");
}

Result<void> read_text_side_hf(const fs::path& folder, LoadedModel& out) {
  std::string tokenizer_json = TRY(read_if_there(folder / "tokenizer.json", kMaxTokenizerBytes));
  std::string tokenizer_config = TRY(read_if_there(folder / "tokenizer_config.json", kMaxSmallFileBytes));
  std::string tokenizer_model;
  if (tokenizer_json.empty()) tokenizer_model = TRY(read_if_there(folder / "tokenizer.model", kMaxTokenizerBytes));
  if (tokenizer_json.empty() && tokenizer_model.empty()) {
    out.tokenizer_problem = error(Code::not_found, "{} holds no tokenizer.json or tokenizer.model", folder.string());
  } else if (auto tokenizer = tokenizer_json.empty() ? Tokenizer::from_sentencepiece(tokenizer_model, tokenizer_config)
                                                     : Tokenizer::from_json(tokenizer_json, tokenizer_config)) {
    out.tokenizer = *std::move(tokenizer);
  } else {
    out.tokenizer_problem = tokenizer.error();
  }
  use_template(find_chat_template_hf(folder), out);
  std::string config = TRY(read_if_there(folder / "config.json", kMaxSmallFileBytes));
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
  if (auto tokenizer = Tokenizer::from_gguf(file))
    out.tokenizer = *std::move(tokenizer);
  else
    out.tokenizer_problem = tokenizer.error();
  if (file.has("tokenizer.chat_template")) {
    auto source = file.string("tokenizer.chat_template");
    use_template(source ? Result<std::string>(std::string(*source)) : Result<std::string>(source.error()), out);
  }
  out.generation = TRY(generation_from_gguf(file));
  TRY_WITH(add_generation_beside(out.path, out.generation), "while reading generation_config.json");
  if (!out.tokenizer) return {};
  for (const char* text : kTurnEnds)
    if (auto id = out.tokenizer->token_id(text); id && out.tokenizer->is_special(*id)) add_eos(id, out.generation);
  return {};
}

}  // namespace hearth
