// Writes models in the formats that others read: a Hugging Face folder, a GGUF file. Adapters: adapters/adapter.h.
// Folders are written into; the caller makes a new one and renames it when all is well.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model_store/formats/load.h"

namespace hearth {

struct ModelToSave {
  ModelConfig config;
  WeightsByRole weights;  // any dtype; read while saving
  GenerationDefaults generation;
  std::filesystem::path tokenizer_from;  // a folder (its tokenizer files are copied) or a .gguf; empty: none

  std::function<void(uint64_t done_bytes, uint64_t total_bytes)> progress =
      {};  // of the weights, while they are written
  // Give the pages of weights back to the system as soon as they are written: a mapped model larger than memory.
  bool release_pages = false;
  bool keep_finished = false;  // of a folder: files that an interrupted call finished stay
  std::string name = {};       // what the model is called, for formats that say it
  // Weights that are made when they are written and dropped then, by role. `weights` holds what they are made from.
  std::map<std::string, std::function<Tensor()>, std::less<>> made = {};
};

// config.json, generation_config.json, safetensors (sharded above 4 GiB) and the tokenizer's files.
// Matrices and embeddings are written in `dtype` (f32, f16, bf16); without one, in the dtype they have, quantised ones
// in f32, which loses nothing. A piece of one tensor at a time is converted.
Result<void> save_hf_folder(const std::filesystem::path& folder, const ModelToSave& model, std::optional<Dtype> dtype);

// Matrices in `dtype`, as quantisation_mix.h says; without one, every weight in the dtype it has. Norms in f32.
Result<void> save_gguf(const std::filesystem::path& file, const ModelToSave& model, std::optional<Dtype> dtype);
std::vector<std::string_view> gguf_dtype_names();  // of the dtypes that a GGUF file can be made in

}  // namespace hearth
