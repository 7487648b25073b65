// A model's text side: tokenizer, chat template and sampling defaults, from a Hugging Face folder or a GGUF file.
#pragma once

#include <filesystem>

#include "model_store/formats/gguf.h"
#include "model_store/formats/load.h"

namespace hearth {

// Both fill tokenizer, chat_template (or why not) and generation; only malformed configuration is an error.
Result<void> read_text_side_hf(const std::filesystem::path& folder, LoadedModel& out);
Result<void> read_text_side_gguf(const GgufFile& file, LoadedModel& out);

// The chat template's source in a Hugging Face folder; not_found when there is none.
Result<std::string> find_chat_template_hf(const std::filesystem::path& folder);

}  // namespace hearth
