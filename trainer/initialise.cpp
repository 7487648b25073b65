// See initialise.h.
#include "trainer/initialise.h"

#include <algorithm>
#include <cmath>

#include "trainer/random.h"

namespace hearth::train {

void initialise(const ParameterSpec& spec, const ModelConfig& config, uint64_t seed, const TensorView& out) {
  const int64_t n = out.shape().n_elements();
  if (is_vector(spec.kind)) {
    std::fill_n(out.f32(), n, spec.kind == ParameterKind::norm ? 1.0f : 0.0f);
    return;
  }
  double std = config.init_std;
  if (spec.role.ends_with(".wo") || spec.role.ends_with("_down")) std /= std::sqrt(2.0 * config.n_layers);
  Random random(hash64(spec.role, seed));
  for (int64_t i = 0; i < n; ++i) out.f32()[i] = static_cast<float>(std) * random.normal();
}

void initialise_lora(std::string_view name, uint64_t seed, const TensorView& out) {
  const int64_t n = out.shape().n_elements();
  if (!name.ends_with(".lora_a")) {
    std::fill_n(out.f32(), n, 0.0f);
    return;
  }
  const double bound = 1 / std::sqrt(static_cast<double>(out.shape().last()));
  Random random(hash64(name, seed));
  for (int64_t i = 0; i < n; ++i) out.f32()[i] = static_cast<float>(bound * (2 * random.uniform() - 1));
}

}  // namespace hearth::train
