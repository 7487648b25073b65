// Loads a model whole: configuration, weights by role, tokenizer, chat template, sampling defaults.
//
//   LoadedModel model = TRY(load_model("/models/tiny"));       // a Hugging Face folder or a .gguf file
//   const TensorView& wq = model.weights.at("layers.0.wq");    // [H*D, C], read-only, mapped
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model_store/formats/model_config.h"
#include "model_store/templates/chat_template.h"
#include "model_store/tokenizers/tokenizer.h"
#include "runtime/architectures/architecture.h"
#include "runtime/tensor/tensor.h"

namespace hearth {

using WeightsByRole = std::map<std::string, TensorView, std::less<>>;

using CopiedWeights = std::map<std::string, Tensor, std::less<>>;  // by role

struct LoadedModel {
  ModelConfig config;
  std::vector<ParameterSpec> parameters;  // the family's table for this config
  // One view per parameter, in the dtype of the file (norms and biases: f32). READ-ONLY memory: mapped from the file
  // where its layout is ours (zero copy), else a converted copy (permuted rope rows, misaligned data). Valid while
  // `keeper` lives.
  WeightsByRole weights;
  std::shared_ptr<const void> keeper;
  std::set<std::string, std::less<>> mapped;  // roles whose view is a file's own bytes: its pages can be dropped
  std::shared_ptr<CopiedWeights> copies;      // the others' bytes, where they are in memory; `keeper` has them too
  uint64_t size_bytes = 0;                    // of the weight files
  uint64_t copied_bytes = 0;                  // of weights that had to be copied
  uint64_t disk_bytes = 0;  // of weights that were laid out anew on disk, since memory cannot hold the model

  std::optional<Tokenizer> tokenizer;  // absent: `tokenizer_problem` says why
  std::optional<Error> tokenizer_problem;
  bool brings_tokenizer = false;              // there is one in its files, whether it can be used or not
  std::optional<ChatTemplate> chat_template;  // absent: none, or `chat_template_problem` says why it cannot be used
  std::optional<Error> chat_template_problem;
  std::optional<ChatTemplate> tool_template;  // what conversations with tools use instead, where the model has one
  std::optional<Error> tool_template_problem;
  GenerationDefaults generation;
  std::filesystem::path path;  // where it was loaded from; tokenizer files are copied from here on save

  // Frees a weight that is a copy: nobody will read it again.
  void let_go(std::string_view role);
};

// `path`: a Hugging Face folder (config.json + safetensors), a .gguf file, or a PEFT adapter's folder, which is merged
// into its base (adapters/adapter.h). A model without tokenizer or template
// loads; weights missing, of the wrong shape, or of a dtype without kernels are errors that name the tensor.
Result<LoadedModel> load_model(const std::filesystem::path& path);
// A model whose files are larger than available_bytes (0: unknown) gets no copies in memory, which would have to be
// swapped: they go to unnamed files beside the model, or in /var/tmp. Above: what this machine has available.
Result<LoadedModel> load_model(const std::filesystem::path& path, uint64_t available_bytes);

// Whether load_model() succeeds, at the cost of reading headers: the weights have no data. Its one rule more: a
// tokenizer that is there must be one that can be used.
Result<LoadedModel> check_model(const std::filesystem::path& path);

// The part of check_model() that is about weights: `config`, `parameters`, and `weights`, which have types but no data.
// An adapter's are the merged ones.
Result<LoadedModel> check_weights(const std::filesystem::path& path);

// Of the weights as they are in memory; check_weights() is enough.
uint64_t weight_bytes(const LoadedModel& model);

// The configuration alone.
Result<ModelConfig> load_config(const std::filesystem::path& path);

// Everything but the weights, for tokenizing and templates: works on a vocabulary-only .gguf too, and on a folder
// without weights. `config`, `parameters` and `weights` are left empty.
Result<LoadedModel> load_text_side(const std::filesystem::path& path);

// The template of a conversation with or without tools; failed_precondition when the model has none.
Result<const ChatTemplate*> chat_template_for(const LoadedModel& model, bool with_tools);

// The prompt of a conversation in the model's own template: used by serving and by training, so that both see the same.
// `messages_json`: [{"role": "user", "content": "..."}, ...]; `tools_json`: an array or empty. The key order of both is
// kept.
struct ChatPrompt {
  std::string_view messages_json;
  std::string_view tools_json = {};
  bool add_generation_prompt = true;
  std::string_view extra_json = {};  // an object of further template variables, or empty
};
Result<ChatTemplate::Rendered> render_chat(const LoadedModel& model, const ChatPrompt& prompt);

}  // namespace hearth
