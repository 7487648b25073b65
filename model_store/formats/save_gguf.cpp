// A model as one GGUF file.
#include <cmath>

#include "model_store/formats/convert.h"
#include "model_store/formats/gguf.h"
#include "model_store/formats/save.h"
#include "model_store/formats/weights_to_save.h"
#include "model_store/tokenizers/tokenizer_export.h"

namespace hearth {
namespace {

using Metadata = std::vector<std::pair<std::string, GgufValue>>;

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

void add_rope(const ModelConfig& config, const std::string& prefix, Metadata& out) {
  const RopeConfig& rope = config.rope;
  out.emplace_back(prefix + "rope.dimension_count", u32(config.head_dim));
  out.emplace_back(prefix + "rope.freq_base", static_cast<float>(rope.theta));
  if (rope.scaling == RopeConfig::Scaling::linear) {
    out.emplace_back(prefix + "rope.scaling.type", std::string("linear"));
    out.emplace_back(prefix + "rope.scaling.factor", static_cast<float>(rope.factor));
  }
  if (rope.scaling != RopeConfig::Scaling::yarn) return;
  out.emplace_back(prefix + "rope.scaling.type", std::string("yarn"));
  out.emplace_back(prefix + "rope.scaling.factor", static_cast<float>(rope.factor));
  out.emplace_back(prefix + "rope.scaling.original_context_length", u32(rope.original_max_seq_len));
  out.emplace_back(prefix + "rope.scaling.yarn_beta_fast", static_cast<float>(rope.beta_fast));
  out.emplace_back(prefix + "rope.scaling.yarn_beta_slow", static_cast<float>(rope.beta_slow));
  // There, the magnitude is this times 0.1 ln(factor) + 1.
  double usual = rope.factor > 1 ? 0.1 * std::log(rope.factor) + 1 : 1;
  double attn_factor = rope_table(rope, config.head_dim).magnitude / usual;
  if (std::abs(attn_factor - 1) > 1e-6)
    out.emplace_back(prefix + "rope.scaling.attn_factor", static_cast<float>(attn_factor));
}

void add_config(const ModelConfig& config, const std::string& architecture, Dtype dtype, Metadata& out) {
  const std::string prefix = architecture + ".";
  out.emplace_back("general.architecture", architecture);
  out.emplace_back("general.type", std::string("model"));
  out.emplace_back("general.file_type", file_type(dtype));
  out.emplace_back("general.quantization_version", uint32_t{2});
  out.emplace_back(prefix + "block_count", u32(config.n_layers));
  out.emplace_back(prefix + "context_length", u32(config.max_seq_len));
  out.emplace_back(prefix + "embedding_length", u32(config.d_model));
  out.emplace_back(prefix + "feed_forward_length", u32(config.d_ff));
  out.emplace_back(prefix + "attention.head_count", u32(config.n_heads));
  out.emplace_back(prefix + "attention.head_count_kv", u32(config.n_kv_heads));
  out.emplace_back(prefix + "attention.key_length", u32(config.head_dim));
  out.emplace_back(prefix + "attention.value_length", u32(config.head_dim));
  out.emplace_back(prefix + "attention.layer_norm_rms_epsilon", static_cast<float>(config.norm_eps));
  out.emplace_back(prefix + "vocab_size", u32(config.vocab_size));
  add_rope(config, prefix, out);
}

Result<void> add_text_side(const LoadedModel& text_side, const ModelToSave& model, Metadata& out) {
  if (!text_side.tokenizer) return *text_side.tokenizer_problem;
  const Tokenizer& tokenizer = *text_side.tokenizer;
  GgufVocabulary vocabulary = TRY(tokenizer_to_gguf(tokenizer, model.config.vocab_size));
  out.emplace_back("tokenizer.ggml.model", std::string("gpt2"));
  out.emplace_back("tokenizer.ggml.pre", vocabulary.pre);
  out.emplace_back("tokenizer.ggml.tokens", std::move(vocabulary.tokens));
  out.emplace_back("tokenizer.ggml.token_type", std::move(vocabulary.token_types));
  out.emplace_back("tokenizer.ggml.merges", std::move(vocabulary.merges));
  if (auto id = tokenizer.bos_id()) out.emplace_back("tokenizer.ggml.bos_token_id", u32(*id));
  if (auto id = tokenizer.eos_id()) out.emplace_back("tokenizer.ggml.eos_token_id", u32(*id));
  if (auto id = tokenizer.pad_id()) out.emplace_back("tokenizer.ggml.padding_token_id", u32(*id));
  out.emplace_back("tokenizer.ggml.add_bos_token", vocabulary.add_bos);
  out.emplace_back("tokenizer.ggml.add_eos_token", vocabulary.add_eos);
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
Dtype dtype_for(const ParameterSpec& spec, Dtype wanted) {
  if (spec.kind == ParameterKind::norm || spec.kind == ParameterKind::bias) return Dtype::f32;
  if (dtype_info(wanted).is_quantised && spec.shape.last() % dtype_info(wanted).block_elements != 0) return Dtype::f16;
  return wanted;
}

// llama3 scaling as GGUF has it: one divisor per frequency. Empty for other kinds.
std::vector<float> frequency_divisors(const ModelConfig& config) {
  if (config.rope.scaling != RopeConfig::Scaling::llama3) return {};
  RopeConfig plain;
  plain.theta = config.rope.theta;
  auto scaled = rope_table(config.rope, config.head_dim).inverse_frequencies,
       unscaled = rope_table(plain, config.head_dim).inverse_frequencies;
  for (size_t i = 0; i < unscaled.size(); ++i) unscaled[i] /= scaled[i];
  return unscaled;
}

}  // namespace

Result<void> save_gguf(const std::filesystem::path& file, const ModelToSave& model, Dtype dtype) {
  if (dtype == Dtype::i32) return error(Code::invalid_argument, "weights cannot be saved as integers");
  auto specs = TRY(parameters_to_save(model));
  auto text_side = TRY(text_side_to_save(model));
  const Architecture* architecture = TRY(find_architecture(model.config.family));
  Metadata metadata;
  add_config(model.config, std::string(architecture->gguf_architecture()), dtype, metadata);
  if (text_side) TRY(add_text_side(*text_side, model, metadata));

  Converter converter;
  std::vector<GgufTensorToWrite> tensors;
  for (const auto& spec : specs) {
    const TensorView& view = model.weights.at(spec.role);
    Dtype to = dtype_for(spec, dtype);
    int n_heads = spec.gguf_transform == Transform::gguf_rope_rows ? spec.rope_heads : 0;
    tensors.push_back({spec.gguf_name, to, dimensions(spec.shape),
                       [&converter, &view, to, n_heads]() -> Result<std::span<const std::byte>> {
                         return n_heads > 0 ? converter.convert_rope_rows(view, to, n_heads)
                                            : converter.convert(view, to);
                       }});
  }
  auto divisors = frequency_divisors(model.config);
  if (!divisors.empty())
    tensors.push_back(
        {"rope_freqs.weight",
         Dtype::f32,
         {static_cast<int64_t>(divisors.size())},
         [&divisors]() -> Result<std::span<const std::byte>> { return std::as_bytes(std::span(divisors)); }});
  return write_gguf(file, metadata, tensors);
}

}  // namespace hearth
