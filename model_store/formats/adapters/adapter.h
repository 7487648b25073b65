// Adapters: what is added to the weights of a base model, which is another model. Read from PEFT's layout, checked
// against the base, and merged into its weights.
//
//   Adapter adapter = TRY(read_adapter("my-adapter", base.config));
//   TRY(apply_adapter(std::move(adapter), base));            // base.weights are the merged ones now
//
// load_model() of an adapter's folder does all of it. LoRA is read in its usual forms (rank and alpha patterns, rank
// stabilised, DoRA, of embeddings, biases, modules saved whole); what is not read is refused by name.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model_store/formats/load.h"

namespace hearth {

// W + scale * B A, of n rows of a weight from first_row on. With a magnitude each sum is then given that length (DoRA).
struct LowRankUpdate {
  int64_t first_row = 0;
  TensorView a, b;  // [rank, in], [n, rank], f32
  float scale = 1;
  std::optional<TensorView> magnitude = {};  // [n], f32
};

struct Adapter {
  std::map<std::string, std::vector<LowRankUpdate>, std::less<>> updates;  // by role
  WeightsByRole added;                                                     // f32, to biases
  WeightsByRole whole;                                                     // instead of the base's
  std::shared_ptr<const void> keeper;
  std::string base_model;  // a name or path, as the adapter spells it
  uint64_t size_bytes = 0;
  bool changes(std::string_view role) const;
};

bool is_adapter_folder(const std::filesystem::path& path);
// The base model as a PEFT adapter spells it, perhaps empty.
Result<std::string> base_model_in(const std::filesystem::path& adapter_folder);

// Where the base's files are: the link that was put beside the adapter's, else the path that adapter_config.json names.
// failed_precondition, with the next step, when neither is there.
Result<std::filesystem::path> base_of_adapter(const std::filesystem::path& folder);
// The link, replaced when it leads elsewhere. `target` may be relative to the folder.
Result<void> link_base(const std::filesystem::path& folder, const std::filesystem::path& target);

// Everything but the base's weights is looked at: kind, options, names, shapes, dtypes. Errors name what is not
// supported.
Result<Adapter> read_adapter(const std::filesystem::path& folder, const ModelConfig& base);
Result<void> apply_adapter(Adapter adapter, LoadedModel& base);
// The same with the types alone, of a base whose weights have no data.
Result<void> apply_adapter_types(const Adapter& adapter, LoadedModel& base);

// One weight with its updates, in `to`; in tiles of rows, from several threads.
Tensor merged_weight(const TensorView& weight, const std::vector<LowRankUpdate>& updates, Dtype to);
// What a merged weight is kept in: floats as they are, quantised ones in q8_0 (else f32 where rows are no whole
// blocks): most updates are smaller than the steps of a coarser type.
Dtype merged_dtype(const TensorType& base);

// An adapter of one rank and scale. Weights: "<role>.lora_a" [rank, in] and "<role>.lora_b" [out, rank], f32.
struct LoraAdapter {
  int rank = 0;
  float alpha = 0;
  WeightsByRole weights;
  std::shared_ptr<const void> keeper = {};  // of one that was read
  std::string base_model;                   // a name or path, for people
};

// adapter_config.json + adapter_model.safetensors with the names that PEFT uses. Roles that are parts of one of PEFT's
// modules become one adapter of that module, of as many times the rank.
Result<void> save_peft_adapter(const std::filesystem::path& folder, const ModelConfig& base,
                               const LoraAdapter& adapter);
// A .gguf for llama.cpp's --lora. unimplemented where such a file cannot say what the adapter changes.
Result<void> save_gguf_adapter(const std::filesystem::path& file, const ModelConfig& base, const Adapter& adapter);
// For training to go on from. unimplemented when it is more than one rank and scale of matrices in the layers.
Result<LoraAdapter> as_lora(const Adapter& adapter);

}  // namespace hearth
