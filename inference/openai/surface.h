// The OpenAI surface of one engine as HTTP routes: /v1/models, /v1/chat/completions, /v1/completions, /health,
// /metrics.
#pragma once

#include "base/http/router.h"
#include "inference/generator.h"
#include "inference/openai/served_name.h"

namespace hearth::openai {

// Requests must name the model by one of `names`. The generator must outlive the router.
void add_routes(http::Router& router, Generator& generator, const ServedName& names);

}  // namespace hearth::openai
