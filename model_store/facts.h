// What the files of a model say about it, for the catalog. Facts come from the files, never from a pack's claims.
#pragma once

#include <filesystem>

#include "model_store/formats/inspect.h"
#include "model_store/store.h"

namespace hearth::store {

// The .gguf of a folder that is a GGUF model, else the folder itself: what a loader opens.
std::filesystem::path loader_path_in(const std::filesystem::path& folder, const std::vector<ModelFile>& files);

// Fills kind, family, dtype, n_params, max_seq_len, has_chat_template; of an adapter what its own files say.
// Returns the facts too (format).
Result<ModelFacts> read_facts(const std::filesystem::path& folder, ModelRecord& record);

// Whether the model in a folder can be run: the loader's own check, and a tokenizer, without which a model can neither
// read nor write text. Adapters are judged with their base instead. Errors call the folder `shown`.
Result<void> check_runs(const std::filesystem::path& folder, const std::vector<ModelFile>& files,
                        const std::string& shown);

// From the README's front matter, as Hugging Face writes it; "" when there is none.
std::string license_of(const std::filesystem::path& folder);

}  // namespace hearth::store
