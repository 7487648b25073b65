// How generation_config.json says to sample, in the range that requests have. What stands there means what it means to
// the transformers library (top_k 0 or -1: off); what means nothing is left out, and said in `ignored`: a client who
// asked for nothing special must not get an error for it.
#pragma once

#include "base/json.h"
#include "model_store/formats/model_config.h"

namespace hearth {

void read_sampling_defaults(const Json& generation_config, GenerationDefaults& out);

}  // namespace hearth
