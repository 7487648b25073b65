// The routes of an engine whose model is an encoder: /v1/embeddings (OpenAI's) or /v1/rerank (as Cohere and Jina have
// it), and /v1/models, /health, /metrics as of any engine.
#pragma once

#include "base/http/router.h"
#include "inference/encoder.h"

namespace hearth::openai {

// The encoder must outlive the router.
void add_encoder_routes(http::Router& router, Encoder& encoder, const std::string& model_name);

}  // namespace hearth::openai
