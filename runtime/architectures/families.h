// The families: a new one adds its file and its line here.
#pragma once

#include "runtime/architectures/architecture.h"

namespace hearth {

const Architecture& llama();
const Architecture& mistral();
const Architecture& ministral3();
const Architecture& qwen2();
const Architecture& qwen3();
const Architecture& phi3();
const Architecture& smollm3();
const Architecture& olmo2();
const Architecture& granite();
const Architecture& glm4();
const Architecture& gemma2();
const Architecture& gemma3();
const Architecture& bert();
const Architecture& bert_reranker();

}  // namespace hearth
