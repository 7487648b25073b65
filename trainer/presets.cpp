// See presets.h.
#include "trainer/presets.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace hearth::train {
namespace {

// What the three presets differ in. min_steps: little data is passed over more often, or nothing would be learned.
struct Values {
  const char *id, *title, *description;
  int rank, max_seq_len, n_epochs, min_steps;
};
constexpr std::array kValues = {
    Values{"quick", "Quick", "A first look: does the model pick up your data at all? Minutes.", 8, 256, 1, 40},
    Values{"balanced", "Balanced", "The usual choice: several passes, a small adapter.", 16, 512, 3, 120},
    Values{"thorough", "Thorough", "More passes and a larger adapter, for data that must really stick.", 32, 1024, 6, 300},
};

constexpr double kBytesPerToken = 3.5;   // of typical text in typical vocabularies
constexpr int kMaxEpochs = 40;           // beyond this, little data is learned by heart
constexpr int kStepsPerEpoch = 16;       // small data: smaller batches rather than fewer steps

// Adapters of small models bear, and need, larger steps: 2e-4 at a billion parameters, growing with 1/sqrt(size).
double lora_learning_rate(uint64_t n_params) {
  const double n = n_params == 0 ? 1e9 : static_cast<double>(n_params);
  return std::clamp(2e-4 * std::sqrt(1e9 / n), 1e-4, 3e-3);
}

}  // namespace

std::span<const Preset> all_presets() {
  static const std::vector<Preset> presets = [] {
    std::vector<Preset> out;
    for (const Values& v : kValues) out.push_back({v.id, v.title, v.description});
    return out;
  }();
  return presets;
}

Result<Recipe> preset_recipe(std::string_view id, const PresetInput& input) {
  const auto values = std::find_if(kValues.begin(), kValues.end(), [&](const Values& v) { return v.id == id; });
  if (values == kValues.end()) return error(Code::not_found, "no preset named \"{}\"; known: quick, balanced, thorough", id);
  Recipe r;
  r.method.type = "lora";
  r.method.rank = values->rank;
  r.method.alpha = 2 * values->rank;
  r.optimizer.learning_rate = lora_learning_rate(input.n_params);
  r.data.max_seq_len = input.max_seq_len > 0 ? std::min(values->max_seq_len, input.max_seq_len) : values->max_seq_len;
  const double n_tokens = std::max(1.0, static_cast<double>(input.data_bytes) / kBytesPerToken);
  const double n_rows = input.data_bytes == 0 ? 1000 : std::max(1.0, n_tokens / r.data.max_seq_len);
  r.batch.rows = static_cast<int>(std::clamp(n_rows / kStepsPerEpoch, 1.0, 8.0));
  const double steps_per_epoch = std::ceil(n_rows / r.batch.rows);
  r.schedule.n_epochs = std::clamp(std::ceil(values->min_steps / steps_per_epoch), static_cast<double>(values->n_epochs), static_cast<double>(kMaxEpochs));
  const double n_steps = r.schedule.n_epochs * steps_per_epoch;
  r.data.eval_fraction = n_tokens > 1e6 ? 0.02 : 0.1;
  r.eval.every_steps = std::max(1, static_cast<int>(n_steps / 8));
  r.checkpoint.every_steps = std::max(1, static_cast<int>(n_steps / 10));
  return r;
}

}  // namespace hearth::train
