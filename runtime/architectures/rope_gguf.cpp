// Rotary positions in GGUF metadata. Two kinds of scaling are tables there: llama3 as one divisor per frequency (tensor
// rope_freqs.weight), longrope as two (rope_factors_short.weight, rope_factors_long.weight).
#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

#include "runtime/architectures/rope_files.h"

namespace hearth {
namespace {

using Scaling = RopeConfig::Scaling;

// llama3 scaling appears in GGUF as one divisor per frequency (tensor rope_freqs.weight). The three parameters behind
// them are found again: the largest divisor is the factor; between the plateaus the smooth weight is linear in
// position cycles, so two points give the line. The result is checked against every divisor.
class Llama3Recovery {
 public:
  Llama3Recovery(std::span<const float> divisors, double theta) : divisors_(divisors), theta_(theta) {}

  Result<RopeConfig> run() const {
    RopeConfig rope;
    rope.theta = theta_;
    rope.scaling = Scaling::llama3;
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

Result<void> check_divisors(std::string_view tensor, std::span<const float> divisors, double least, size_t n) {
  if (divisors.size() != n)
    return error(Code::data_loss, "tensor \"{}\" must hold {} F32 numbers, it holds {}", tensor, n, divisors.size());
  for (const float d : divisors)
    if (!(d >= least && d <= 1e6f))
      return error(Code::data_loss, "tensor \"{}\" must hold numbers from {} to 1000000", tensor, least);
  return {};
}

// rope_freqs.weight: absent, or all ones, or the llama3 rule, or (proportional) ones and then huge divisors.
Result<void> read_frequency_table(const ConfigSource& source, size_t n, RopeConfig& rope) {
  constexpr std::string_view kTable = "rope_freqs.weight";
  if (!source.has_tensor(kTable)) return {};
  const std::vector<float> divisors = TRY(source.tensor_values(kTable));
  if (divisors.size() == n && n > 1 && divisors[0] == 1 && divisors.back() > 1e6f) {
    const auto first = std::find_if(divisors.begin(), divisors.end(), [](float d) { return d != 1; });
    if (!std::all_of(first, divisors.end(), [](float d) { return d > 1e6f; }))
      return error(Code::unimplemented, "tensor \"{}\" follows no rule that is supported", kTable);
    rope.scaling = Scaling::proportional;
    rope.rotary_dim = 2 * static_cast<int>(first - divisors.begin());
    return {};
  }
  TRY(check_divisors(kTable, divisors, 1, n));
  if (std::all_of(divisors.begin(), divisors.end(), [](float d) { return d == 1; })) return {};
  const int rotary_dim = rope.rotary_dim;
  rope = TRY(Llama3Recovery(divisors, rope.theta).run());
  rope.rotary_dim = rotary_dim;
  return {};
}

Result<void> read_longrope(const ConfigSource& source, const ModelConfig& config, size_t n, RopeConfig& rope) {
  rope.scaling = Scaling::longrope;
  rope.original_max_seq_len = TRY(source.count_or("rope.scaling.original_context_length", config.max_seq_len));
  if (rope.original_max_seq_len <= 0)
    return error(Code::invalid_argument, "rope.scaling.original_context_length must be positive");
  rope.factor = static_cast<double>(config.max_seq_len) / rope.original_max_seq_len;
  rope.attention_factor = TRY(source.number_or("rope.scaling.attn_factor", 0));
  for (auto [name, out] : {std::pair{"rope_factors_short.weight", &rope.short_factors},
                           {"rope_factors_long.weight", &rope.long_factors}}) {
    const std::vector<float> divisors = TRY(source.tensor_values(name));
    TRY(check_divisors(name, divisors, 1e-3, n));
    out->assign(divisors.begin(), divisors.end());
  }
  return {};
}

Result<void> read_yarn(const ConfigSource& source, const ModelConfig& config, RopeConfig& rope) {
  rope.scaling = Scaling::yarn;
  rope.original_max_seq_len = TRY(source.count_or("rope.scaling.original_context_length", config.max_seq_len));
  rope.beta_fast = TRY(source.number_or("rope.scaling.yarn_beta_fast", 32));
  rope.beta_slow = TRY(source.number_or("rope.scaling.yarn_beta_slow", 1));
  TRY(source.expect("rope.scaling.yarn_ext_factor", 1.0));
  // There, the magnitude is this times 0.1 ln(factor) + 1.
  const double attn_factor =
      TRY(source.number_or("rope.scaling.attn_factor", TRY(source.number_or("rope.scaling.yarn_attn_factor", 1))));
  if (attn_factor > 0 && attn_factor != 1)
    rope.attention_factor = attn_factor * (rope.factor > 1 ? 0.1 * std::log(rope.factor) + 1 : 1);
  return {};
}

// Under an older name, too; 0 stands for: not scaled.
Result<double> read_factor(const ConfigSource& source) {
  const double factor = TRY(source.number_or("rope.scaling.factor", TRY(source.number_or("rope.scale_linear", 1))));
  return factor == 0 ? 1 : factor;
}

std::vector<float> to_floats(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

// llama3 and proportional scaling as a table of divisors; empty for other kinds. A frequency of zero becomes a divisor
// that no position can overcome.
std::vector<float> frequency_divisors(const RopeConfig& rope, int head_dim) {
  if (rope.scaling != Scaling::llama3 && rope.scaling != Scaling::proportional) return {};
  RopeConfig plain;
  plain.theta = rope.theta;
  const int period = rope.scaling == Scaling::proportional || rope.rotary_dim == 0 ? head_dim : rope.rotary_dim;
  std::vector<float> out = rope_table(plain, period).inverse_frequencies;
  const std::vector<float> scaled = rope_table(rope, head_dim).inverse_frequencies;
  for (size_t i = 0; i < out.size(); ++i) out[i] = scaled[i] == 0 ? 1e30f : out[i] / scaled[i];
  return out;
}

void write_yarn(const RopeConfig& rope, int head_dim, ConfigSink& sink) {
  sink.set("rope.scaling.type", "yarn");
  sink.set("rope.scaling.factor", rope.factor);
  sink.set("rope.scaling.original_context_length", rope.original_max_seq_len);
  sink.set("rope.scaling.yarn_beta_fast", rope.beta_fast);
  sink.set("rope.scaling.yarn_beta_slow", rope.beta_slow);
  // There, the magnitude is this times 0.1 ln(factor) + 1.
  const double usual = rope.factor > 1 ? 0.1 * std::log(rope.factor) + 1 : 1;
  const double attn_factor = rope_table(rope, head_dim).magnitude / usual;
  if (std::abs(attn_factor - 1) > 1e-6) sink.set("rope.scaling.attn_factor", attn_factor);
}

}  // namespace

Result<RopeConfig> read_rope_gguf(const ConfigSource& source, const ModelConfig& config) {
  RopeConfig rope;
  rope.theta = TRY(source.number_or("rope.freq_base", 10000));
  const int rotated = TRY(source.count_or("rope.dimension_count", config.head_dim));
  if (rotated > config.head_dim)
    return error(Code::invalid_argument, "rope.dimension_count is {}, but a head has {} dimensions", rotated,
                 config.head_dim);
  if (rotated != config.head_dim) rope.rotary_dim = rotated;
  const auto n = static_cast<size_t>(rotated / 2);
  const std::string type = TRY(source.string_or("rope.scaling.type", "linear"));
  if (type == "linear" || type == "yarn") rope.factor = TRY(read_factor(source));
  if (type == "linear" && rope.factor != 1) rope.scaling = Scaling::linear;
  if (type == "yarn") TRY(read_yarn(source, config, rope));
  if (type == "longrope" || source.has_tensor("rope_factors_short.weight"))
    TRY(read_longrope(source, config, n, rope));
  else if (type != "none" && type != "linear" && type != "yarn")
    return error(Code::unimplemented, "position scaling of the type \"{}\" is not supported yet", type.substr(0, 40));
  TRY(read_frequency_table(source, n, rope));
  return rope;
}

void write_rope_gguf(const RopeConfig& rope, const ModelConfig& config, ConfigSink& sink) {
  const bool is_whole = rope.rotary_dim == 0 || rope.scaling == Scaling::proportional;
  sink.set("rope.dimension_count", is_whole ? config.head_dim : rope.rotary_dim);
  sink.set("rope.freq_base", rope.theta);
  if (rope.scaling == Scaling::linear) {
    sink.set("rope.scaling.type", "linear");
    sink.set("rope.scaling.factor", rope.factor);
  }
  if (rope.scaling == Scaling::yarn) write_yarn(rope, config.head_dim, sink);
  if (rope.scaling == Scaling::longrope) {
    sink.set("rope.scaling.original_context_length", rope.original_max_seq_len);
    sink.set("rope.scaling.attn_factor", static_cast<double>(rope_table(rope, config.head_dim).magnitude));
    sink.set_tensor("rope_factors_short.weight", to_floats(rope.short_factors));
    sink.set_tensor("rope_factors_long.weight", to_floats(rope.long_factors));
  }
  if (auto divisors = frequency_divisors(rope, config.head_dim); !divisors.empty())
    sink.set_tensor("rope_freqs.weight", std::move(divisors));
}

}  // namespace hearth
