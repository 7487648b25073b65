// A model as one GGUF file.
#include <iterator>

#include "model_store/formats/config_metadata.h"
#include "model_store/formats/gguf.h"
#include "model_store/formats/save.h"
#include "model_store/formats/storage_write.h"
#include "model_store/formats/weights_to_save.h"
#include "model_store/tokenizers/tokenizer_export.h"

namespace hearth {
namespace {

uint32_t u32(int64_t value) {
  return static_cast<uint32_t>(value);
}

// general.file_type: what most weights are.
uint32_t file_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::f16:
      return 1;
    case Dtype::q4_0:
      return 2;
    case Dtype::q8_0:
      return 7;
    case Dtype::bf16:
      return 32;
    default:
      return 0;
  }
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
  return {};
}

// Norms and biases stay f32; rows that are not whole blocks fall back to f16.
Dtype dtype_for(const TensorToStore& tensor, Dtype wanted) {
  if (tensor.is_vector) return Dtype::f32;
  if (dtype_info(wanted).is_quantised && tensor.shape.last() % dtype_info(wanted).block_elements != 0)
    return Dtype::f16;
  return wanted;
}

}  // namespace

Result<void> save_gguf(const std::filesystem::path& file, const ModelToSave& model, Dtype dtype) {
  if (dtype == Dtype::i32) return error(Code::invalid_argument, "weights cannot be saved as integers");
  auto specs = TRY(parameters_to_save(model));
  auto text_side = TRY(text_side_to_save(model));
  const Architecture* architecture = TRY(find_architecture(model.config.family));
  const std::string name(architecture->gguf_architecture());
  if (name.empty())
    return error(Code::unimplemented, "models of the family \"{}\" have no form in GGUF; use safetensors",
                 architecture->family());
  TRY(architecture->fits_gguf(model.config));
  GgufConfigSink sink(name);
  sink.set("general.architecture", name);
  sink.set("general.type", "model");
  sink.set("general.file_type", file_type(dtype));
  sink.set("general.quantization_version", 2);
  architecture->write_gguf(model.config, sink);
  if (text_side) TRY(add_text_side(*text_side, model, sink.metadata));

  const std::vector<TensorToStore> stored = TRY(tensors_to_store(specs, &ParameterSpec::gguf, model.weights));
  StoredBytes bytes;
  std::vector<GgufTensorToWrite> tensors;
  for (const TensorToStore& tensor : stored) {
    const Dtype to = dtype_for(tensor, dtype);
    tensors.push_back({tensor.name, to, dimensions(tensor.shape),
                       [&bytes, &tensor, to]() -> Result<std::span<const std::byte>> { return bytes.of(tensor, to); }});
  }
  for (const auto& [table, values] : sink.tensors)
    tensors.push_back({table,
                       Dtype::f32,
                       {static_cast<int64_t>(values.size())},
                       [&values = values]() -> Result<std::span<const std::byte>> {
                         return std::as_bytes(std::span(values));
                       }});
  return write_gguf(file, sink.metadata, tensors);
}

}  // namespace hearth
