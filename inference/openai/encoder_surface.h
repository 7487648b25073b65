// The routes of an engine whose model is an encoder: /v1/embeddings (OpenAI's) or /v1/rerank (as Cohere and Jina have
// it), and /v1/models, /health, /metrics as of any engine.
#pragma once

#include "base/http/router.h"
#include "inference/encoder.h"
#include "inference/openai/served_name.h"

namespace hearth::openai {

// Requests must name the model by one of `names`. The encoder must outlive the router.
void add_encoder_routes(http::Router& router, Encoder& encoder, const ServedName& names);

}  // namespace hearth::openai
