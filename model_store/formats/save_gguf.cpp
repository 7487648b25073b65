// A model as one GGUF file.
#include <algorithm>
#include <iterator>

#include "model_store/formats/config_metadata.h"
#include "model_store/formats/gguf.h"
#include "model_store/formats/quantisation_mix.h"
#include "model_store/formats/save.h"
#include "model_store/formats/storage_write.h"
#include "model_store/formats/weights_to_save.h"
#include "model_store/tokenizers/tokenizer_export.h"

namespace hearth {
namespace {

uint32_t u32(int64_t value) {
  return static_cast<uint32_t>(value);
}

Result<void> add_text_side(const LoadedModel& text_side, const ModelToSave& model, GgufMetadata& out) {
  if (!text_side.tokenizer) return *text_side.tokenizer_problem;
  const Tokenizer& tokenizer = *text_side.tokenizer;
  auto vocabulary = TRY(tokenizer_to_gguf(tokenizer, model.config.vocab_size));
  std::move(vocabulary.begin(), vocabulary.end(), std::back_inserter(out));
  // A second end of answer has its own key.
  for (int32_t id : model.generation.eos_ids)
    if (tokenizer.eos_id() && id != *tokenizer.eos_id()) {
      out.emplace_back("tokenizer.ggml.eot_token_id", u32(id));
      break;
    }
  if (text_side.chat_template) out.emplace_back("tokenizer.chat_template", text_side.chat_template->source());
  if (text_side.tool_template) {
    out.emplace_back("tokenizer.chat_templates", std::vector<std::string>{"tool_use"});
    out.emplace_back("tokenizer.chat_template.tool_use", text_side.tool_template->source());
  }
  return {};
}

// The dtype of a stored tensor whose pieces all have one, else f32.
Dtype dtype_of(const TensorToStore& tensor) {
  const Dtype first = tensor.pieces[0].view.type.dtype;
  const bool alike = std::all_of(tensor.pieces.begin(), tensor.pieces.end(),
                                 [&](const auto& piece) { return piece.view.type.dtype == first; });
  return alike ? first : Dtype::f32;
}

// What most weights are stored as.
Dtype most_common(const std::vector<TensorToStore>& tensors, const std::vector<Dtype>& dtypes) {
  int64_t counts[kNumDtypes] = {};
  for (size_t i = 0; i < tensors.size(); ++i) counts[static_cast<int>(dtypes[i])] += tensors[i].shape.n_elements();
  return static_cast<Dtype>(std::max_element(counts, counts + kNumDtypes) - counts);
}

}  // namespace

Result<void> save_gguf(const std::filesystem::path& file, const ModelToSave& model, std::optional<Dtype> dtype) {
  if (dtype && (!dtype_info(*dtype).can_encode || dtype_info(*dtype).gguf < 0))
    return error(Code::invalid_argument, "a GGUF file cannot be made in {}; use one of {}", dtype_info(*dtype).name,
                 fmt::join(gguf_dtype_names(), ", "));
  auto specs = TRY(parameters_to_save(model));
  auto text_side = TRY(text_side_to_save(model));
  const Architecture* architecture = TRY(find_architecture(model.config.family));
  const std::string name(architecture->gguf_architecture());
  if (name.empty())
    return error(Code::unimplemented, "models of the family \"{}\" have no form in GGUF; use safetensors",
                 architecture->family());
  TRY(architecture->fits_gguf(model.config));
  const std::vector<TensorToStore> stored = TRY(tensors_to_store(specs, &ParameterSpec::gguf, model.weights));
  std::vector<Dtype> dtypes;
  for (const TensorToStore& tensor : stored)
    dtypes.push_back(dtype_in_gguf(tensor.pieces[0].spec, tensor.shape.last(), dtype, dtype_of(tensor)));
  GgufConfigSink sink(name);
  sink.set("general.architecture", name);
  sink.set("general.type", "model");
  if (!model.name.empty()) sink.set("general.name", model.name);
  sink.set("general.file_type", gguf_file_type(most_common(stored, dtypes)));
  sink.set("general.quantization_version", 2);
  architecture->write_gguf(model.config, sink);
  if (text_side) TRY(add_text_side(*text_side, model, sink.metadata));

  StoredBytes bytes(model);
  std::vector<GgufTensorToWrite> tensors;
  for (size_t i = 0; i < stored.size(); ++i) {
    const TensorToStore& tensor = stored[i];
    const Dtype to = dtypes[i];
    bytes.expect(tensor, to);
    tensors.push_back({tensor.name, to, dimensions(tensor.shape), {}, [&bytes, &tensor, to](const ByteSink& sink) {
                         return bytes.stream(tensor, to, sink);
                       }});
  }
  for (const auto& [table, values] : sink.tensors)
    tensors.push_back(
        {table,
         Dtype::f32,
         {static_cast<int64_t>(values.size())},
         [&values = values]() -> Result<std::span<const std::byte>> { return std::as_bytes(std::span(values)); }});
  return write_gguf(file, sink.metadata, tensors);
}

}  // namespace hearth
