// A model's text side: tokenizer, chat template and sampling defaults, from a Hugging Face folder or a GGUF file.
#pragma once

#include <filesystem>
#include <map>

#include "model_store/formats/gguf.h"
#include "model_store/formats/load.h"

namespace hearth {

// Both fill tokenizer, chat_template (or why not) and generation; only malformed configuration is an error.
Result<void> read_text_side_hf(const std::filesystem::path& folder, LoadedModel& out);
Result<void> read_text_side_gguf(const GgufFile& file, LoadedModel& out);

// Chat templates by name, as get_chat_template of the transformers library knows them: "default", and "tool_use" for
// requests with tools; empty when there are none.
using NamedTemplates = std::map<std::string, std::string>;
Result<NamedTemplates> find_chat_templates_hf(const std::filesystem::path& folder);
Result<NamedTemplates> find_chat_templates_gguf(const GgufFile& file);

constexpr const char* kTemplateFolder = "additional_chat_templates";

}  // namespace hearth
