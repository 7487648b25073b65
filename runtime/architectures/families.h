// The families: a new one adds its file and its line here.
#pragma once

#include "runtime/architectures/architecture.h"

namespace hearth {

const Architecture& llama();
const Architecture& qwen3_5();
const Architecture& qwen3_5_moe();
const Architecture& qwen3_next();
const Architecture& granitemoehybrid();
// What the families of Granite share in GGUF files: the factors.
Result<void> read_granite_scales_gguf(const ConfigSource& source, ModelConfig& c);
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
const Architecture& mixtral();
const Architecture& qwen3_moe();
const Architecture& gpt_oss();
const Architecture& deepseek_v3();
const Architecture& deepseek_v2();
const Architecture& glm4_moe();
const Architecture& minimax_m2();
const Architecture& granitemoe();

}  // namespace hearth
