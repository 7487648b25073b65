// Rotary positions in config.json.
#include "runtime/architectures/rope_files.h"

namespace hearth {
namespace {

using Scaling = RopeConfig::Scaling;

// Keys of the object that holds the scaling parameters; of several such objects, the first that has the key.
class Section {
 public:
  Section(const ConfigSource& source, const RopePlaces& places) : source_(source), places_(places) {}

  // The key as it stands in the file.
  std::string at(std::string_view key) const {
    std::string out;
    for (const std::string& block : places_.blocks)
      if (out = block + "." + std::string(key); source_.has(out)) return out;
    return out;
  }
  bool has(std::string_view key) const { return source_.has(at(key)); }
  bool is_null(std::string_view key) const { return !has(key) && source_.is_null(at(key)); }
  Result<double> number(std::string_view key) const { return source_.number(at(key)); }
  Result<double> number_or(std::string_view key, double otherwise) const {
    return source_.number_or(at(key), otherwise);
  }
  Result<std::vector<double>> numbers(std::string_view key) const { return source_.numbers(at(key)); }
  // "rope_type", or "type" as older files call it.
  Result<std::string> type() const { return source_.string_or(at(has("rope_type") ? "rope_type" : "type"), "default"); }
  Result<double> theta() const {
    if (has("rope_theta") || places_.theta_key.empty()) return number("rope_theta");
    return source_.number(places_.theta_key);
  }
  Result<double> partial_rotary_factor() const {
    return number_or("partial_rotary_factor", TRY(source_.number_or("partial_rotary_factor", 1)));
  }
  // One beside the model's own keys wins, except where each kind of layer has an object.
  Result<int> original_max_seq_len(int otherwise) const {
    constexpr std::string_view kKey = "original_max_position_embeddings";
    if (!places_.is_nested && source_.is_null(kKey)) return error(Code::invalid_argument, "{} is null", kKey);
    if (!places_.is_nested && source_.has(kKey)) return source_.count(kKey);
    return source_.count_or(at(kKey), otherwise);
  }
  // Where each kind of layer has an object, the library does not look for it there.
  Result<bool> truncate() const {
    if (is_null("truncate")) return false;
    if (TRY(source_.boolean_or(at("truncate"), true))) return true;
    if (!places_.is_nested) return false;
    return error(Code::unimplemented, "truncate false is not supported for one kind of layers");
  }
  // Null where the library needs a value.
  Result<void> refuse_nulls() const {
    for (const char* key : {"rope_type", "rope_theta", "partial_rotary_factor"})
      if (is_null(key)) return error(Code::invalid_argument, "configuration key \"{}\" is null", at(key));
    return {};
  }

 private:
  const ConfigSource& source_;
  const RopePlaces& places_;
};

Result<void> read_lengths(const Section& section, const ModelConfig& config, RopeConfig& rope) {
  rope.original_max_seq_len = TRY(section.original_max_seq_len(config.max_seq_len));
  if (rope.original_max_seq_len <= 0)
    return error(Code::invalid_argument, "original_max_position_embeddings must be positive");
  return {};
}

// A factor that is null is the ratio of the two lengths.
Result<void> read_extension(const Section& section, const ModelConfig& config, RopeConfig& rope) {
  TRY(read_lengths(section, config, rope));
  const double ratio = static_cast<double>(config.max_seq_len) / rope.original_max_seq_len;
  rope.factor = TRY(section.number_or("factor", ratio));
  if (!section.has("attention_factor")) return {};
  rope.attention_factor = TRY(section.number("attention_factor"));
  if (rope.attention_factor > 0) return {};
  return error(Code::invalid_argument, "attention_factor must be positive, got {}", rope.attention_factor);
}

Result<void> read_yarn(const Section& section, const ModelConfig& config, RopeConfig& rope) {
  if (!section.has("factor") && !section.is_null("factor"))
    return error(Code::invalid_argument, "configuration key \"{}\" is missing", section.at("factor"));
  TRY(read_extension(section, config, rope));
  auto positive_or = [&](const char* key, double otherwise) -> Result<double> {
    const double value = TRY(section.number_or(key, otherwise));
    return value == 0 ? otherwise : value;
  };
  rope.beta_fast = TRY(positive_or("beta_fast", 32));
  rope.beta_slow = TRY(positive_or("beta_slow", 1));
  rope.mscale = TRY(section.number_or("mscale", 0));
  rope.mscale_all_dim = TRY(section.number_or("mscale_all_dim", 0));
  rope.truncate = TRY(section.truncate());
  return {};
}

Result<void> read_longrope(const Section& section, const ModelConfig& config, RopeConfig& rope) {
  TRY(read_extension(section, config, rope));
  rope.short_factors = TRY(section.numbers("short_factor"));
  rope.long_factors = TRY(section.numbers("long_factor"));
  return {};
}

Result<void> read_llama3(const Section& section, const ModelConfig& config, RopeConfig& rope) {
  TRY(read_lengths(section, config, rope));
  rope.factor = TRY(section.number("factor"));
  rope.low_freq_factor = TRY(section.number("low_freq_factor"));
  rope.high_freq_factor = TRY(section.number("high_freq_factor"));
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
    return read_llama3(section, config, rope);
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

Result<void> allow_scaling(const RopeConfig& rope, std::initializer_list<Scaling> allowed) {
  for (const Scaling scaling : allowed)
    if (scaling == rope.scaling) return {};
  return error(Code::unimplemented, "position scaling of the type \"{}\" is not supported for this family",
               type_name(rope.scaling));
}

Result<bool> has_block(const ConfigSource& source, std::string_view key) {
  if (source.object_size(key) > 0) return true;
  if (!source.has(key)) return false;
  const bool is_other = source.string(key) || source.number(key) || source.boolean(key) || source.list_size(key) > 0;
  if (!is_other) return false;  // {}
  return error(Code::invalid_argument, "configuration key \"{}\" must be an object", key);
}

Result<RopeConfig> read_rope_hf(const ConfigSource& source, const ModelConfig& config) {
  TRY(has_block(source, "rope_parameters"));
  const bool is_old = TRY(has_block(source, "rope_scaling"));
  return read_rope_hf(source, config, {.blocks = {is_old ? "rope_scaling" : "rope_parameters"}});
}

Result<RopeConfig> read_rope_hf(const ConfigSource& source, const ModelConfig& config, const RopePlaces& places) {
  const Section section(source, places);
  TRY(section.refuse_nulls());
  RopeConfig rope;
  rope.theta = TRY(section.theta());
  TRY_WITH(read_scaling(section, config, rope), "in the position scaling ({})", places.blocks.front());
  const double partial = TRY(section.partial_rotary_factor());
  if (partial != 1 && source.is_fixed("partial_rotary_factor") && rope.scaling != Scaling::proportional)
    return error(Code::unimplemented, "partial_rotary_factor is {}, and models of this family rotate whole heads",
                 partial);
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
