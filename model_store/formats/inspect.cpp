// inspect_model: facts from headers.
#include "model_store/formats/inspect.h"

#include <algorithm>
#include <map>

#include "base/json.h"
#include "base/python_json.h"
#include "model_store/formats/adapters/adapter.h"
#include "model_store/formats/adapters/peft_config.h"
#include "model_store/formats/config_json.h"
#include "model_store/formats/gguf.h"
#include "model_store/formats/load.h"
#include "model_store/formats/quantised/checkpoint.h"
#include "model_store/formats/safetensors.h"
#include "model_store/formats/text_side.h"

namespace hearth {
namespace fs = std::filesystem;
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

void count_weights(const TensorFile& file, ModelFacts& facts) {
  std::map<std::string, uint64_t> by_dtype;
  for (const auto& tensor : file.tensors()) {
    facts.n_params += tensor.n_elements();
    by_dtype[lower(tensor.format_dtype)] += tensor.n_elements();
  }
  auto most = std::max_element(by_dtype.begin(), by_dtype.end(),
                               [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most != by_dtype.end()) facts.dtype = most->first;
  facts.size_bytes = file.size_bytes();
}

// What the loader says: the same check, so that what is told here is what will happen.
void ask_loader(const fs::path& path, ModelFacts& facts) {
  const auto checked = check_model(path);
  facts.is_supported = checked.has_value();
  if (!checked) {
    facts.why_not = checked.error().to_string();
    return;
  }
  facts.family = checked->config.family;
  facts.max_seq_len = checked->config.max_seq_len;
  facts.vocab_size = checked->config.vocab_size;
  facts.has_tokenizer = checked->tokenizer.has_value();
}

uint64_t folder_bytes(const fs::path& folder) {
  uint64_t out = 0;
  std::error_code ec;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec))
    if (it->is_regular_file(ec)) out += it->file_size(ec);
  return out;
}

// What config.json spells, for a family that is not known here.
void read_spelling(const Json& config, ModelFacts& facts) {
  auto text = [&](const char* key) {
    auto it = config.find(key);
    return it != config.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  facts.family = text("model_type");
  facts.name = text("_name_or_path");
  auto positions = json_get_or<int64_t>(config, "max_position_embeddings", 0),
       vocabulary = json_get_or<int64_t>(config, "vocab_size", 0);
  facts.max_seq_len = positions ? *positions : 0;
  facts.vocab_size = vocabulary ? *vocabulary : 0;
}

Result<ModelFacts> inspect_hf(const fs::path& folder) {
  ModelFacts facts;
  facts.format = "safetensors";
  std::string text = TRY(read_file(folder / "config.json", kMaxConfigBytes));
  Json config = TRY_WITH(parse_python_json(text), "in config.json");
  if (!config.is_object())
    return error(Code::invalid_argument, "config.json must be an object, got {}", config.type_name());
  read_spelling(config, facts);
  auto weights = open_hf_weights(folder, config);
  if (!weights) weights = TRY(open_safetensors(folder));  // its sizes can be told all the same
  count_weights(*weights, facts);
  std::error_code ec;
  facts.has_tokenizer = fs::exists(folder / "tokenizer.json", ec) || fs::exists(folder / "tokenizer.model", ec);
  ask_loader(folder, facts);
  facts.has_chat_template = !find_chat_templates_hf(folder).value_or({}).empty();
  facts.size_bytes = folder_bytes(folder);
  return facts;
}

Result<ModelFacts> inspect_gguf(const fs::path& path) {
  GgufFile file = TRY(GgufFile::open(path));
  ModelFacts facts;
  facts.format = "gguf";
  facts.family = TRY(file.string_or("general.architecture", ""));
  facts.name = TRY(file.string_or("general.name", ""));
  auto context = file.integer_or(facts.family + ".context_length", 0);
  facts.max_seq_len = context ? *context : 0;
  count_weights(file.tensors(), facts);
  facts.has_tokenizer = file.has("tokenizer.ggml.tokens");
  ask_loader(path, facts);
  facts.has_chat_template = !find_chat_templates_gguf(file).value_or({}).empty();
  return facts;
}

Result<ModelFacts> inspect_adapter(const fs::path& folder) {
  ModelFacts facts;
  facts.format = "peft";
  auto config = read_peft_config(folder / "adapter_config.json");
  facts.is_supported = config.has_value();
  if (!config) facts.why_not = config.error().to_string();
  TensorFile weights = TRY(open_safetensors(folder / "adapter_model.safetensors"));
  count_weights(weights, facts);
  facts.size_bytes = folder_bytes(folder);
  return facts;
}

}  // namespace

Result<ModelFacts> inspect_model(const fs::path& path) {
  std::error_code ec;
  if (!fs::exists(path, ec)) return error(Code::not_found, "{} does not exist", path.string());
  if (!fs::is_directory(path, ec)) {
    if (path.extension() == ".gguf") return inspect_gguf(path);
    return error(Code::invalid_argument, "{} is not a model: expected a Hugging Face folder or a .gguf file",
                 path.string());
  }
  if (is_adapter_folder(path)) return TRY_WITH(inspect_adapter(path), "while inspecting {}", path.string());
  if (fs::exists(path / "config.json", ec)) return TRY_WITH(inspect_hf(path), "while inspecting {}", path.string());
  return error(Code::invalid_argument, "{} is not a model: it holds neither config.json nor adapter_config.json",
               path.string());
}

}  // namespace hearth
