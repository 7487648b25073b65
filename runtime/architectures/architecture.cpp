// The registry of families, and what a family does with configuration keys unless it says otherwise.
#include "runtime/architectures/architecture.h"

#include <algorithm>

#include "base/nearest.h"
#include "runtime/architectures/common_config.h"
#include "runtime/architectures/families.h"
#include "runtime/architectures/model_builder.h"

namespace hearth {

Value Architecture::forward(ModelBuilder& m) const {
  return m.decoder();
}

Value Architecture::head(ModelBuilder& m, Value rows) const {
  return m.lm_head(rows);
}

Result<void> Architecture::read_hf(const ConfigSource& source, ModelConfig& config) const {
  return read_common_hf(source, config);
}
void Architecture::write_hf(const ModelConfig& config, ConfigSink& sink) const {
  write_common_hf(config, sink);
}
Result<void> Architecture::read_gguf(const ConfigSource& source, ModelConfig& config) const {
  return read_common_gguf(source, config);
}
void Architecture::write_gguf(const ModelConfig& config, ConfigSink& sink) const {
  write_common_gguf(config, sink);
}

bool Architecture::claims_gguf(const ConfigSource&) const {
  return true;
}
bool Architecture::may_skip(std::string_view, const ModelConfig&) const {
  return false;
}

std::span<const Architecture* const> all_architectures() {
  static const Architecture* const all[] = {
      &llama(),         &mistral(),    &ministral3(), &qwen2(),     &qwen3(),       &phi3(),        &smollm3(),
      &olmo2(),         &granite(),    &glm4(),       &gemma2(),    &gemma3(),      &gemma4(),      &bert(),
      &bert_reranker(), &seed_oss(),   &mixtral(),    &qwen3_moe(), &gpt_oss(),     &deepseek_v3(), &deepseek_v2(),
      &glm4_moe(),      &minimax_m2(), &granitemoe(), &qwen3_5(),   &qwen3_5_moe(), &qwen3_next(),  &granitemoehybrid(),
  };
  return all;
}

// "Qwen3MoeForCausalLM" and "qwen3_moe" without what all have in common.
static std::string stem(std::string_view name) {
  std::string out;
  for (char c : name.substr(0, name.find("For")))
    if (c != '_') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

static Error unknown_family(std::string_view name) {
  std::vector<std::string> stems;
  for (const Architecture* a : all_architectures()) stems.push_back(stem(a->hf_architecture()));
  const auto near = nearest(stem(name.substr(0, 80)), stems);
  const auto at = near ? std::find(stems.begin(), stems.end(), *near) - stems.begin() : 0;
  const std::string closest = near ? fmt::format(" (the closest that it knows is {})",
                                                 all_architectures()[static_cast<size_t>(at)]->hf_architecture())
                                   : "";
  return error(Code::unimplemented,
               "models of the family \"{}\" cannot be run by this version{}; the handbook lists those that can "
               "(docs/handbook/model_packs.md, \"Which models run\")",
               name.substr(0, 80), closest);
}

Result<const Architecture*> find_architecture(std::string_view name) {
  for (const Architecture* a : all_architectures())
    if (name == a->family() || name == a->hf_architecture() || (!name.empty() && name == a->gguf_architecture()))
      return a;
  return unknown_family(name);
}

Result<const Architecture*> find_gguf_architecture(std::string_view name, const ConfigSource& source) {
  for (const Architecture* a : all_architectures())
    if (!name.empty() && name == a->gguf_architecture() && a->claims_gguf(source)) return a;
  return find_architecture(name);
}

}  // namespace hearth
