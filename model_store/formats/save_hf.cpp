// A Hugging Face folder: config.json, generation_config.json, weights, tokenizer files.
#include <algorithm>
#include <map>

#include "model_store/formats/safetensors.h"
#include "model_store/formats/save.h"
#include "model_store/formats/storage_write.h"
#include "model_store/formats/text_side.h"
#include "model_store/formats/weights_to_save.h"
#include "model_store/tokenizers/tokenizer_export.h"

namespace hearth {
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kMaxShardBytes = uint64_t{4} << 30;
constexpr uint64_t kMaxTokenizerFileBytes = uint64_t{256} << 20;
constexpr const char* kTokenizerFiles[] = {"tokenizer.json",
                                           "tokenizer_config.json",
                                           "special_tokens_map.json",
                                           "added_tokens.json",
                                           "chat_template.jinja",
                                           "chat_template.json",
                                           "vocab.json",
                                           "merges.txt",
                                           "vocab.txt",
                                           "tokenizer.model"};

Result<std::string_view> torch_name(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return std::string_view("float32");
    case Dtype::f16:
      return std::string_view("float16");
    case Dtype::bf16:
      return std::string_view("bfloat16");
    default:
      return error(Code::invalid_argument,
                   "a Hugging Face folder is written in f32, f16 or bf16, not {}; use GGUF for quantised weights",
                   dtype_info(dtype).name);
  }
}

Dtype unquantised(Dtype dtype) {
  return dtype_info(dtype).is_quantised ? Dtype::f32 : dtype;
}

// Of the weights as they are; what config.json says.
Dtype dtype_of_most(const std::vector<ParameterSpec>& specs, const ModelToSave& model) {
  std::map<Dtype, int64_t> counts;
  for (const auto& spec : specs) counts[unquantised(model.weights.at(spec.role).type.dtype)] += spec.shape.n_elements();
  return std::max_element(counts.begin(), counts.end(), [](auto& a, auto& b) { return a.second < b.second; })->first;
}

Result<void> copy_templates(const fs::path& from, const fs::path& to) {
  std::error_code ec;
  for (fs::directory_iterator it(from, ec), end; !ec && it != end; it.increment(ec)) {
    if (it->path().extension() != ".jinja") continue;
    TRY(make_folders(to));
    TRY(write_file(to / it->path().filename(), TRY(read_file(it->path(), kMaxTokenizerFileBytes))));
  }
  return {};
}

Result<void> copy_tokenizer_files(const fs::path& from, const fs::path& to) {
  for (const char* name : kTokenizerFiles) {
    auto text = read_file(from / name, kMaxTokenizerFileBytes);
    if (!text && text.error().code == Code::not_found) continue;
    TRY(write_file(to / name, TRY(std::move(text))));
  }
  return copy_templates(from / kTemplateFolder, to / kTemplateFolder);
}

Result<void> write_tokenizer(const LoadedModel& text_side, const fs::path& to) {
  if (!text_side.tokenizer) return *text_side.tokenizer_problem;
  TRY(write_file(to / "tokenizer.json", TRY(tokenizer_to_json(*text_side.tokenizer))));
  TRY(write_file(to / "tokenizer_config.json", tokenizer_config_to_json(*text_side.tokenizer, "")));
  if (text_side.chat_template) TRY(write_file(to / "chat_template.jinja", text_side.chat_template->source()));
  if (!text_side.tool_template) return {};
  TRY(make_folders(to / kTemplateFolder));
  return write_file(to / kTemplateFolder / "tool_use.jinja", text_side.tool_template->source());
}

}  // namespace

Result<std::optional<LoadedModel>> text_side_to_save(const ModelToSave& model) {
  if (model.tokenizer_from.empty()) return std::optional<LoadedModel>();
  return std::optional<LoadedModel>(
      TRY_WITH(load_text_side(model.tokenizer_from), "while reading the tokenizer to save"));
}

Result<std::vector<ParameterSpec>> parameters_to_save(const ModelToSave& model) {
  const Architecture* architecture = TRY(find_architecture(model.config.family));
  auto specs = architecture->parameters(model.config);
  for (const auto& spec : specs) {
    auto it = model.weights.find(spec.role);
    if (it == model.weights.end())
      return error(Code::invalid_argument, "the weight \"{}\" is missing, so the model cannot be saved", spec.role);
    if (!(it->second.type.shape == spec.shape))
      return error(Code::invalid_argument, "the weight \"{}\" has the shape {}, the configuration asks for {}",
                   spec.role, it->second.type.shape.to_string(), spec.shape.to_string());
  }
  return specs;
}

std::vector<int64_t> dimensions(const Shape& shape) {
  std::vector<int64_t> out;
  for (int i = 0; i < shape.rank(); ++i) out.push_back(shape[i]);
  return out;
}

Result<void> save_hf_folder(const fs::path& folder, const ModelToSave& model, std::optional<Dtype> dtype) {
  TRY(TRY(find_architecture(model.config.family))->fits_hf(model.config));
  auto specs = TRY(parameters_to_save(model));
  const std::string_view dtype_name = TRY(torch_name(dtype ? *dtype : dtype_of_most(specs, model)));
  auto text_side = TRY(text_side_to_save(model));
  std::optional<int32_t> bos = text_side && text_side->tokenizer ? text_side->tokenizer->bos_id() : std::nullopt;
  TRY(make_folders(folder));
  const std::vector<TensorToStore> stored = TRY(tensors_to_store(specs, &ParameterSpec::hf, model.weights));
  StoredBytes bytes(model);
  std::vector<TensorToWrite> tensors;
  for (const TensorToStore& tensor : stored) {
    const Dtype to = dtype ? *dtype : unquantised(tensor.pieces[0].view.type.dtype);
    bytes.expect(tensor, to);
    tensors.push_back({tensor.name, to, dimensions(tensor.shape), {}, [&bytes, &tensor, to](const ByteSink& sink) {
                         return bytes.stream(tensor, to, sink);
                       }});
  }
  TRY(write_safetensors_folder(folder, std::move(tensors), kMaxShardBytes, model.keep_finished));
  std::error_code ec;
  if (fs::is_directory(model.tokenizer_from, ec))
    TRY(copy_tokenizer_files(model.tokenizer_from, folder));
  else if (text_side)
    TRY(write_tokenizer(*text_side, folder));
  TRY(write_file(folder / "generation_config.json", generation_to_hf(model.generation, bos)));
  return write_file(folder / "config.json", config_to_hf(model.config, dtype_name, bos, model.generation.eos_ids));
}

}  // namespace hearth
