// GGUF metadata → ModelConfig and GenerationDefaults.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

#include "model_store/formats/gguf.h"
#include "model_store/formats/model_config.h"
#include "runtime/architectures/architecture.h"

namespace hearth {
namespace {

Result<int> to_int(int64_t value, std::string_view key) {
  if (value < 0 || value > INT32_MAX)
    return error(Code::invalid_argument, "metadata key \"{}\" is {}, must be 0 to 2^31 - 1", std::string(key), value);
  return static_cast<int>(value);
}

// A number that some files give once and others per layer; layers that differ are not supported.
Result<int> uniform_int(const GgufFile& file, const std::string& key, int otherwise) {
  const GgufEntry* entry = file.find(key);
  if (!entry) return otherwise;
  if (entry->type != GgufType::array) return to_int(TRY(file.integer(key)), key);
  auto values = TRY(file.integers(key));
  if (values.empty() || std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) != values.end())
    return error(Code::unimplemented, "metadata key \"{}\" differs from layer to layer, which is not supported yet",
                 key);
  return to_int(values[0], key);
}

Result<int> require_int(const GgufFile& file, const std::string& key) {
  return to_int(TRY(file.integer(key)), key);
}

// llama3 scaling appears in GGUF as one divisor per frequency (tensor rope_freqs.weight). The three parameters behind
// them are found again: the largest divisor is the factor; between the plateaus the smooth weight is linear in
// position cycles, so two points give the line. The result is checked against every divisor.
class Llama3Recovery {
 public:
  Llama3Recovery(std::span<const float> divisors, double theta) : divisors_(divisors), theta_(theta) {}

  Result<RopeConfig> run() const {
    RopeConfig rope;
    rope.theta = theta_;
    rope.scaling = RopeConfig::Scaling::llama3;
    rope.factor = *std::max_element(divisors_.begin(), divisors_.end());
    for (int original : {8192, 4096, 2048, 16384, 32768, 131072}) {
      rope.low_freq_factor = 1;
      rope.high_freq_factor = 4;
      rope.original_max_seq_len = original;
      if (matches(rope)) return rope;
    }
    if (solve(rope) && matches(rope)) return rope;
    return error(Code::unimplemented,
                 "tensor \"rope_freqs.weight\" does not follow the llama3 rule, and other frequency tables are not "
                 "supported yet");
  }

 private:
  double cycles_per_token(size_t i) const {  // 1 / wavelength
    return std::pow(theta_, -static_cast<double>(i) / static_cast<double>(divisors_.size())) / (2 * std::numbers::pi);
  }

  double divisor(const RopeConfig& rope, size_t i) const {
    double cycles = rope.original_max_seq_len * cycles_per_token(i);
    if (cycles > rope.high_freq_factor) return 1;
    if (cycles < rope.low_freq_factor) return rope.factor;
    double smooth = (cycles - rope.low_freq_factor) / (rope.high_freq_factor - rope.low_freq_factor);
    return 1 / ((1 - smooth) / rope.factor + smooth);
  }

  bool matches(const RopeConfig& rope) const {
    for (size_t i = 0; i < divisors_.size(); ++i)
      if (std::abs(divisor(rope, i) - divisors_[i]) > 1e-4 * divisors_[i]) return false;
    return true;
  }

  // smooth = (L * cycles - low) / (high - low); only ratios matter, so low is taken as 1.
  bool solve(RopeConfig& rope) const {
    std::vector<std::pair<double, double>> points;  // cycles, smooth
    for (size_t i = 0; i < divisors_.size(); ++i)
      if (divisors_[i] > 1 + 1e-6 && divisors_[i] < rope.factor * (1 - 1e-6))
        points.emplace_back(cycles_per_token(i), (1.0 / divisors_[i] - 1 / rope.factor) / (1 - 1 / rope.factor));
    if (points.empty()) return false;
    if (points.size() == 1) {  // any line through the point will do; take the usual high_freq_factor
      rope.low_freq_factor = 1;
      rope.high_freq_factor = 4;
      rope.original_max_seq_len = static_cast<int>(std::lround((1 + 3 * points[0].second) / points[0].first));
      return true;
    }
    auto [x0, y0] = points.front();
    auto [x1, y1] = points.back();
    double slope = (y1 - y0) / (x1 - x0), offset = y0 - slope * x0;  // L/(high-low), -low/(high-low)
    if (!(offset < 0) || !(slope > 0)) return false;
    double original = slope / -offset;
    if (!(original >= 1 && original < 1e9)) return false;
    rope.low_freq_factor = 1;
    rope.high_freq_factor = 1 - 1 / offset;
    rope.original_max_seq_len = static_cast<int>(std::lround(original));
    return true;
  }

  std::span<const float> divisors_;
  double theta_;
};

Result<void> read_frequency_table(const GgufFile& file, ModelConfig& config) {
  const StoredTensor* table = file.tensors().find("rope_freqs.weight");
  if (!table) return {};
  if (table->dtype != Dtype::f32 || table->shape != std::vector<int64_t>{config.head_dim / 2})
    return error(Code::data_loss, "tensor \"rope_freqs.weight\" must hold {} F32 numbers", config.head_dim / 2);
  std::vector<float> divisors(table->n_elements());
  std::memcpy(divisors.data(), table->bytes.data(), table->bytes.size());
  for (float d : divisors)
    if (!(d >= 1 && d <= 1e6f))
      return error(Code::data_loss, "tensor \"rope_freqs.weight\" must hold numbers from 1 to 1000000");
  if (std::all_of(divisors.begin(), divisors.end(), [](float d) { return d == 1; })) return {};
  config.rope = TRY(Llama3Recovery(divisors, config.rope.theta).run());
  return {};
}

Result<void> read_rope(const GgufFile& file, const std::string& prefix, ModelConfig& config) {
  RopeConfig& rope = config.rope;
  rope.theta = TRY(file.number_or(prefix + "rope.freq_base", 10000));
  int rotated = TRY(
      to_int(TRY(file.integer_or(prefix + "rope.dimension_count", config.head_dim)), prefix + "rope.dimension_count"));
  if (rotated != config.head_dim)
    return error(Code::unimplemented, "only {} of {} dimensions of a head are rotated, which is not supported yet",
                 rotated, config.head_dim);
  std::string type = TRY(file.string_or(prefix + "rope.scaling.type", "none"));
  double factor = TRY(file.number_or(prefix + "rope.scaling.factor", 1));
  if (type == "linear" && factor != 1) {
    rope.scaling = RopeConfig::Scaling::linear;
    rope.factor = factor;
  } else if (type == "yarn") {
    rope.scaling = RopeConfig::Scaling::yarn;
    rope.factor = factor;
    std::string key = prefix + "rope.scaling.original_context_length";
    rope.original_max_seq_len = TRY(to_int(TRY(file.integer_or(key, config.max_seq_len)), key));
    rope.beta_fast = TRY(file.number_or(prefix + "rope.scaling.yarn_beta_fast", 32));
    rope.beta_slow = TRY(file.number_or(prefix + "rope.scaling.yarn_beta_slow", 1));
    // There, the magnitude is this times 0.1 ln(factor) + 1.
    double attn_factor = TRY(file.number_or(prefix + "rope.scaling.attn_factor",
                                            TRY(file.number_or(prefix + "rope.scaling.yarn_attn_factor", 1))));
    if (attn_factor > 0 && attn_factor != 1)
      rope.attention_factor = attn_factor * (factor > 1 ? 0.1 * std::log(factor) + 1 : 1);
  } else if (type != "none" && type != "linear") {
    return error(Code::unimplemented, "position scaling of the type \"{}\" is not supported yet", type.substr(0, 40));
  }
  return read_frequency_table(file, config);
}

Result<int> vocab_size(const GgufFile& file, const std::string& prefix) {
  if (const StoredTensor* embed = file.tensors().find("token_embd.weight"); embed && embed->shape.size() == 2)
    return to_int(embed->shape[0], "token_embd.weight");
  if (const GgufEntry* tokens = file.find("tokenizer.ggml.tokens"))
    return to_int(static_cast<int64_t>(std::min<uint64_t>(tokens->n_items, INT64_MAX)), "tokenizer.ggml.tokens");
  return require_int(file, prefix + "vocab_size");
}

}  // namespace

Result<ModelConfig> config_from_gguf(const GgufFile& file) {
  std::string name(TRY(file.string("general.architecture")));
  auto architecture = find_architecture(name);
  if (!architecture)
    return error(Code::unimplemented, "models of the kind \"{}\" cannot be run yet: {}", name.substr(0, 80),
                 architecture.error().message);
  const std::string prefix = name + ".";
  ModelConfig config;
  config.family = std::string((*architecture)->family());
  config.n_layers = TRY(require_int(file, prefix + "block_count"));
  config.d_model = TRY(require_int(file, prefix + "embedding_length"));
  config.n_heads = TRY(uniform_int(file, prefix + "attention.head_count", 0));
  if (config.n_heads <= 0)
    return error(Code::invalid_argument, "metadata key \"{}attention.head_count\" must be a positive number", prefix);
  config.n_kv_heads = TRY(uniform_int(file, prefix + "attention.head_count_kv", config.n_heads));
  config.d_ff = TRY(uniform_int(file, prefix + "feed_forward_length", 0));
  config.max_seq_len = TRY(require_int(file, prefix + "context_length"));
  config.head_dim = TRY(uniform_int(file, prefix + "attention.key_length", config.d_model / config.n_heads));
  int value_length = TRY(uniform_int(file, prefix + "attention.value_length", config.head_dim));
  if (value_length != config.head_dim)
    return error(Code::unimplemented, "keys of {} and values of {} dimensions are not supported yet", config.head_dim,
                 value_length);
  config.norm_eps = TRY(file.number(prefix + "attention.layer_norm_rms_epsilon"));
  config.vocab_size = TRY(vocab_size(file, prefix));
  config.tied_embeddings = !file.tensors().find("output.weight");
  config.attention_bias = file.tensors().find("blk.0.attn_q.bias") != nullptr;
  config.mlp_bias = file.tensors().find("blk.0.ffn_gate.bias") != nullptr;
  TRY_WITH(read_rope(file, prefix, config), "in the position scaling");
  TRY(validate(config));
  return config;
}

Result<GenerationDefaults> generation_from_gguf(const GgufFile& file) {
  GenerationDefaults out;
  for (const char* key :
       {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"}) {
    int64_t id = TRY(file.integer_or(key, -1));
    if (id >= 0 && id <= INT32_MAX) out.eos_ids.push_back(static_cast<int32_t>(id));
  }
  std::sort(out.eos_ids.begin(), out.eos_ids.end());
  out.eos_ids.erase(std::unique(out.eos_ids.begin(), out.eos_ids.end()), out.eos_ids.end());
  return out;
}

}  // namespace hearth
