// Adapters of a base whose heads stand in a GGUF file's order (RecurrentConfig::tiled_heads). PEFT's files are in
// Hugging Face's: they are turned when they are read, and back when they are written. Other bases are left as they are.
#pragma once

#include "model_store/formats/adapters/adapter.h"

namespace hearth {

void to_order_of(const ModelConfig& base, Adapter& adapter);
LoraAdapter in_hugging_face_order(const ModelConfig& base, const LoraAdapter& adapter);

}  // namespace hearth
