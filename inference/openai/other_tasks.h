// What a model is not for: the paths that it has no answer to say so, and where to ask it. Without them they would look
// as if this program did not know them.
#pragma once

#include <string>
#include <string_view>

#include "base/http/server.h"
#include "runtime/architectures/architecture.h"

namespace hearth::openai {

// "turns texts into vectors; ask it at /v1/embeddings"
std::string what_it_does(ModelTask task);

// Adds the paths of all tasks but `task`.
void add_other_tasks(http::Router& router, ModelTask task, const std::string& model_name);

}  // namespace hearth::openai
