// The OpenAI surface of one engine as HTTP routes: /v1/models, /v1/chat/completions, /v1/completions, /health,
// /metrics.
#pragma once

#include "base/http/router.h"
#include "inference/generator.h"

namespace hearth::openai {

// `model_name` is what requests must name. The generator must outlive the router.
void add_routes(http::Router& router, Generator& generator, const std::string& model_name);

}  // namespace hearth::openai
