// Rotary positions in config.json.
#include "runtime/architectures/rope_files.h"

namespace hearth {
namespace {

using Scaling = RopeConfig::Scaling;

// Keys of the object that holds the scaling parameters.
class Section {
 public:
  Section(const ConfigSource& source, std::string_view name) : source_(source), prefix_(std::string(name) + ".") {}
  bool has(std::string_view key) const { return source_.has(at(key)); }
  Result<double> number(std::string_view key) const { return source_.number(at(key)); }
  Result<double> number_or(std::string_view key, double otherwise) const {
    return source_.number_or(at(key), otherwise);
  }
  Result<int> count(std::string_view key) const { return source_.count(at(key)); }
  Result<bool> boolean_or(std::string_view key, bool otherwise) const {
    return source_.boolean_or(at(key), otherwise);
  }
  Result<std::vector<double>> numbers(std::string_view key) const { return source_.numbers(at(key)); }
  // "rope_type", or "type" as older files call it.
  Result<std::string> type() const {
    return source_.string_or(at(has("rope_type") ? "rope_type" : "type"), "default");
  }
  // Beside the other parameters, or, as some families have it, beside the model's own keys.
  Result<int> original_max_seq_len(int otherwise) const {
    if (has("original_max_position_embeddings")) return count("original_max_position_embeddings");
    return source_.count_or("original_max_position_embeddings", otherwise);
  }

 private:
  std::string at(std::string_view key) const { return prefix_ + std::string(key); }
  const ConfigSource& source_;
  std::string prefix_;
};

// The factor that a file leaves out is the ratio of the two lengths.
Result<void> read_lengths(const Section& section, const ModelConfig& config, RopeConfig& rope) {
  rope.original_max_seq_len = TRY(section.original_max_seq_len(config.max_seq_len));
  if (rope.original_max_seq_len <= 0)
    return error(Code::invalid_argument, "original_max_position_embeddings must be positive");
  const double ratio = static_cast<double>(config.max_seq_len) / rope.original_max_seq_len;
  rope.factor = TRY(section.number_or("factor", ratio));
  rope.attention_factor = TRY(section.number_or("attention_factor", 0));
  return {};
}

Result<void> read_yarn(const Section& section, const ModelConfig& config, RopeConfig& rope) {
  TRY(read_lengths(section, config, rope));
  rope.beta_fast = TRY(section.number_or("beta_fast", 32));
  rope.beta_slow = TRY(section.number_or("beta_slow", 1));
  rope.mscale = TRY(section.number_or("mscale", 0));
  rope.mscale_all_dim = TRY(section.number_or("mscale_all_dim", 0));
  rope.truncate = TRY(section.boolean_or("truncate", true));
  return {};
}

Result<void> read_longrope(const Section& section, const ModelConfig& config, RopeConfig& rope) {
  TRY(read_lengths(section, config, rope));
  rope.short_factors = TRY(section.numbers("short_factor"));
  rope.long_factors = TRY(section.numbers("long_factor"));
  return {};
}

Result<void> read_llama3(const Section& section, RopeConfig& rope) {
  rope.factor = TRY(section.number("factor"));
  rope.low_freq_factor = TRY(section.number("low_freq_factor"));
  rope.high_freq_factor = TRY(section.number("high_freq_factor"));
  rope.original_max_seq_len = TRY(section.count("original_max_position_embeddings"));
  return {};
}

Result<void> read_scaling(const Section& section, const ModelConfig& config, RopeConfig& rope) {
  const std::string type = TRY(section.type());
  if (type == "default" || type == "none") return {};
  if (type == "linear") {
    rope.scaling = Scaling::linear;
    rope.factor = TRY(section.number("factor"));
    return {};
  }
  if (type == "llama3") {
    rope.scaling = Scaling::llama3;
    return read_llama3(section, rope);
  }
  if (type == "yarn") {
    rope.scaling = Scaling::yarn;
    return read_yarn(section, config, rope);
  }
  if (type == "longrope" || type == "su") {
    rope.scaling = Scaling::longrope;
    return read_longrope(section, config, rope);
  }
  if (type == "proportional") {
    rope.scaling = Scaling::proportional;
    rope.factor = TRY(section.number_or("factor", 1));
    return {};
  }
  return error(Code::unimplemented,
               "position scaling of the type \"{}\" is not supported yet (default, linear, llama3, yarn, longrope and "
               "proportional are)",
               type.substr(0, 40));
}

// How many dimensions of a head are rotated; 0 for all. Proportional scaling rounds to whole pairs.
Result<int> rotary_dim(double factor, int head_dim, Scaling scaling) {
  if (factor == 1) return 0;
  if (!(factor > 0 && factor < 1))
    return error(Code::invalid_argument, "partial_rotary_factor must be above 0 and at most 1, got {}", factor);
  const double dims = factor * head_dim;
  return scaling == Scaling::proportional ? 2 * static_cast<int>(dims / 2) : static_cast<int>(dims);
}

std::string_view type_name(Scaling scaling) {
  switch (scaling) {
    case Scaling::none:
      return "default";
    case Scaling::linear:
      return "linear";
    case Scaling::llama3:
      return "llama3";
    case Scaling::yarn:
      return "yarn";
    case Scaling::longrope:
      return "longrope";
    case Scaling::proportional:
      return "proportional";
  }
  return "default";
}

void write_scaling(const RopeConfig& rope, const std::string& prefix, ConfigSink& sink) {
  auto set = [&](const char* key, ConfigValue value) { sink.put(prefix + key, std::move(value)); };
  set("rope_type", std::string(type_name(rope.scaling)));
  if (rope.scaling == Scaling::none) return;
  if (rope.scaling != Scaling::proportional || rope.factor != 1) set("factor", rope.factor);
  if (rope.original_max_seq_len > 0) set("original_max_position_embeddings", int64_t{rope.original_max_seq_len});
  if (rope.attention_factor != 0) set("attention_factor", rope.attention_factor);
  if (rope.scaling == Scaling::llama3) {
    set("low_freq_factor", rope.low_freq_factor);
    set("high_freq_factor", rope.high_freq_factor);
  }
  if (rope.scaling == Scaling::longrope) {
    set("short_factor", rope.short_factors);
    set("long_factor", rope.long_factors);
  }
  if (rope.scaling != Scaling::yarn) return;
  set("beta_fast", rope.beta_fast);
  set("beta_slow", rope.beta_slow);
  if (rope.mscale != 0) set("mscale", rope.mscale);
  if (rope.mscale_all_dim != 0) set("mscale_all_dim", rope.mscale_all_dim);
  set("truncate", rope.truncate);
}

}  // namespace

Result<RopeConfig> read_rope_hf(const ConfigSource& source, const ModelConfig& config, std::string_view given) {
  const bool is_new = source.has("rope_parameters");
  const std::string name = !given.empty() ? std::string(given) : is_new ? "rope_parameters" : "rope_scaling";
  const Section section(source, name);
  RopeConfig rope;
  // Both may also stand beside the other keys.
  rope.theta = TRY(section.number_or("rope_theta", TRY(source.number_or("rope_theta", config.rope.theta))));
  const double partial =
      TRY(section.number_or("partial_rotary_factor", TRY(source.number_or("partial_rotary_factor", 1))));
  TRY_WITH(read_scaling(section, config, rope), "in the position scaling ({})", name);
  rope.rotary_dim = TRY(rotary_dim(partial, config.head_dim, rope.scaling));
  return rope;
}

void write_rope_hf(const RopeConfig& rope, const ModelConfig& config, ConfigSink& sink, std::string_view section) {
  const std::string name = section.empty() ? "rope_parameters" : std::string(section);
  sink.set(name + ".rope_theta", rope.theta);
  write_scaling(rope, name + ".", sink);
  const double partial = static_cast<double>(rope.rotary_dim) / config.head_dim;
  if (rope.rotary_dim > 0) sink.set(name + ".partial_rotary_factor", partial);
  if (!section.empty()) return;
  sink.set("rope_theta", rope.theta);
  if (rope.rotary_dim > 0) sink.set("partial_rotary_factor", partial);
  if (rope.scaling != Scaling::none) write_scaling(rope, "rope_scaling.", sink);
}

}  // namespace hearth
