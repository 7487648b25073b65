// One rule per key; the ranges are those of a request (inference/sampling.cpp).
#include "model_store/formats/sampling_defaults.h"

#include <algorithm>
#include <cmath>

namespace hearth {
namespace {

class SamplingReader {
 public:
  SamplingReader(const Json& json, GenerationDefaults& out) : json_(json), out_(out) {}

  // Nothing where the key is absent, null, or no number.
  std::optional<double> number(const char* key) {
    auto it = json_.find(key);
    if (it == json_.end() || it->is_null()) return std::nullopt;
    if (it->is_number() && std::isfinite(it->get<double>())) return it->get<double>();
    ignore(key, "is no number");
    return std::nullopt;
  }
  // The same, below `least` left out, above `most` cut.
  std::optional<double> number(const char* key, double least, double most) {
    const auto value = number(key);
    if (!value || *value >= least) return value ? std::optional(std::min(*value, most)) : value;
    ignore(key, fmt::format("must be at least {}", least));
    return std::nullopt;
  }
  void ignore(const char* key, std::string_view why) {
    out_.ignored.push_back(fmt::format("\"{}\": {} is ignored: it {}", key, dump_json(json_[key]).substr(0, 60), why));
  }

 private:
  const Json& json_;
  GenerationDefaults& out_;
};

constexpr double kMostTemperature = 100, kLeastPenalty = 0.01, kMostPenalty = 100, kMostCandidates = 1e9;

}  // namespace

void read_sampling_defaults(const Json& json, GenerationDefaults& out) {
  SamplingReader reader(json, out);
  out.temperature = reader.number("temperature", 0, kMostTemperature);
  out.top_p = reader.number("top_p", 0, 1);  // 1 and more: off
  out.min_p = reader.number("min_p", 0, 1);
  out.repetition_penalty = reader.number("repetition_penalty", kLeastPenalty, kMostPenalty);
  if (const auto top_k = reader.number("top_k"); top_k && *top_k >= 1)  // less: off
    out.top_k = static_cast<int>(std::min(*top_k, kMostCandidates));
  // The library then takes the likeliest token, whatever else is said.
  if (auto it = json.find("do_sample"); it != json.end() && it->is_boolean() && !it->get<bool>()) out.temperature = 0;
}

}  // namespace hearth
