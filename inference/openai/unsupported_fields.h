// Fields that clients of OpenAI, vLLM, llama.cpp and Ollama know, that change the answer, and that this version does
// not have: named and refused, unless their value asks for what is done anyway. Fields that change no answer are
// ignored.
#pragma once

#include "base/json.h"

namespace hearth::openai {

enum class Endpoint { chat, completion };

// Errors: invalid_argument naming the first field that asks for something else, and what to do instead.
Result<void> refuse_unsupported(const Json& body, Endpoint endpoint);

}  // namespace hearth::openai
