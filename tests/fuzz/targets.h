// What each fuzz target does with one input. libFuzzer calls them with what it makes up, the replay test with the
// seeds. They must return for every input: an Error is fine, a crash or a long wait is a finding.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hearth::fuzz {

void gguf(const uint8_t* data, size_t size);
void safetensors(const uint8_t* data, size_t size);
void tokenizer_json(const uint8_t* data, size_t size);
void tokenizer_model(const uint8_t* data, size_t size);
void config_json(const uint8_t* data, size_t size);
void chat_template(const uint8_t* data, size_t size);
void answers(const uint8_t* data, size_t size);
void pack_documents(const uint8_t* data, size_t size);  // with HEARTH_SERVICE only

}  // namespace hearth::fuzz
