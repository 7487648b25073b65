// A recipe: everything that decides a training run, read from TOML, with `--set key=value` on top.
//
//   [model]      init = "hearth-mini"              # a model in the store or a path; or from_scratch = "folder"
//   [data]       path = "questions.jsonl"          # relative to the recipe's folder
//   [method]     type = "lora"
//   [schedule]   n_epochs = 3
//
// Every key is optional except model.init or model.from_scratch, and data.path. A key that is not known is an error
// that names it and the nearest known one; every number has limits.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/describe.h"
#include "runtime/exec/devices.h"

namespace hearth::train {

struct RecipeModel {
  std::string init, from_scratch;
  static constexpr auto kFields = std::tuple{
      field("init", &RecipeModel::init, "model to start from: a name in the store, a Hugging Face folder or a .gguf"),
      field("from_scratch", &RecipeModel::from_scratch,
            "instead of init: a folder with config.json and tokenizer files"),
  };
};

struct RecipeData {
  std::string path, format = "auto", eval_path, overlong = "drop", name;
  double eval_fraction = 0.05;
  int max_seq_len = 512;
  bool pack = true, skip_invalid = false;
  std::optional<int> seed;
  static constexpr auto kFields = std::tuple{
      field("path", &RecipeData::path, "a .jsonl, .json, .csv, .tsv, .txt or .md file, or a folder of such files"),
      field("format", &RecipeData::format, "auto | messages | alpaca | sharegpt | pairs | text"),
      field("eval_path", &RecipeData::eval_path, "held-out examples; empty: eval_fraction of path is held out"),
      field("overlong", &RecipeData::overlong,
            "conversations longer than a row: drop | truncate (from the left, keeping the answer) | refuse"),
      field("name", &RecipeData::name, "what people call the file, in messages; empty: its own name"),
      field("eval_fraction", &RecipeData::eval_fraction,
            "0 to 0.5: the share of different examples that is held out; never more than this share of the rows or "
            "answer tokens"),
      field("max_seq_len", &RecipeData::max_seq_len, "tokens of one row"),
      field("pack", &RecipeData::pack, "several examples in one row"),
      field("skip_invalid", &RecipeData::skip_invalid,
            "train on what is valid, and count the rest, instead of refusing a file with problems"),
      field("seed", &RecipeData::seed, "of the shuffle and the held-out split; absent: the recipe's seed"),
  };
};

struct RecipeMethod {
  std::string type = "full";
  int rank = 16;
  double alpha = 32;
  std::vector<std::string> targets;
  static constexpr auto kFields = std::tuple{
      field("type", &RecipeMethod::type, "full | lora"),
      field("rank", &RecipeMethod::rank, "lora: rank of the update; where model.init is an adapter, its own"),
      field("alpha", &RecipeMethod::alpha, "lora: the update is scaled by alpha / rank"),
      field("targets", &RecipeMethod::targets, "lora: wq, wk, wv, wo, w_gate, w_up, w_down; empty: all"),
  };
};

struct RecipeOptimizer {
  double learning_rate = 1e-4, beta1 = 0.9, beta2 = 0.95, eps = 1e-8, weight_decay = 0.01, grad_clip = 1.0;
  static constexpr auto kFields = std::tuple{
      field("learning_rate", &RecipeOptimizer::learning_rate, "peak"),
      field("beta1", &RecipeOptimizer::beta1, "AdamW: first moment"),
      field("beta2", &RecipeOptimizer::beta2, "AdamW: second moment"),
      field("eps", &RecipeOptimizer::eps, "AdamW: added to the root of the second moment"),
      field("weight_decay", &RecipeOptimizer::weight_decay, "decoupled, on matrices and embeddings only"),
      field("grad_clip", &RecipeOptimizer::grad_clip, "largest global gradient norm; 0: no clipping"),
  };
};

struct RecipeSchedule {
  double warmup_ratio = 0.03, min_lr_ratio = 0.1;
  std::optional<int> warmup_steps;
  double n_epochs = 3;
  int n_steps = 0;
  static constexpr auto kFields = std::tuple{
      field("warmup_steps", &RecipeSchedule::warmup_steps, "absent: warmup_ratio of all steps"),
      field("warmup_ratio", &RecipeSchedule::warmup_ratio, "part of all steps, 0 to 0.5"),
      field("min_lr_ratio", &RecipeSchedule::min_lr_ratio, "the cosine ends at this part of the peak"),
      field("n_epochs", &RecipeSchedule::n_epochs, "passes over the data"),
      field("n_steps", &RecipeSchedule::n_steps, "instead of n_epochs; 0: from n_epochs"),
  };
};

struct RecipeBatch {
  int rows = 4, gradient_accumulation = 1;
  bool recompute = false;
  static constexpr auto kFields = std::tuple{
      field("rows", &RecipeBatch::rows, "rows of max_seq_len tokens in one micro-batch"),
      field("gradient_accumulation", &RecipeBatch::gradient_accumulation, "micro-batches in one step"),
      field("recompute", &RecipeBatch::recompute,
            "compute activations again in the backward pass instead of keeping them"),
  };
};

struct RecipeCheckpoint {
  int every_steps = 50, keep = 2;
  static constexpr auto kFields = std::tuple{
      field("every_steps", &RecipeCheckpoint::every_steps, "0: only at the end"),
      field("keep", &RecipeCheckpoint::keep, "how many of the last checkpoints stay"),
  };
};

struct RecipeEval {
  int every_steps = 50, n_samples = 4, max_rows = 64, max_answer_tokens = 128;
  static constexpr auto kFields = std::tuple{
      field("every_steps", &RecipeEval::every_steps, "0: only before and after"),
      field("n_samples", &RecipeEval::n_samples, "held-out questions answered before and after"),
      field("max_rows", &RecipeEval::max_rows, "rows of held-out data that one evaluation reads"),
      field("max_answer_tokens", &RecipeEval::max_answer_tokens, "length limit of those answers"),
  };
};

struct RecipeOutput {
  std::string folder, name, dtype = "auto";
  bool merge = true;
  static constexpr auto kFields = std::tuple{
      field("folder", &RecipeOutput::folder, "where the run keeps its files; empty: beside the recipe, named after it"),
      field("name", &RecipeOutput::name, "what the model calls itself in a .gguf; empty: as the folder"),
      field("dtype", &RecipeOutput::dtype, "of the model: auto | f32 | bf16 | f16 | q8_0 (a .gguf)"),
      field("merge", &RecipeOutput::merge, "lora: write the merged model beside the adapter; false: the adapter alone"),
  };
};

struct Recipe {
  RecipeModel model;
  RecipeData data;
  RecipeMethod method;
  RecipeOptimizer optimizer;
  RecipeSchedule schedule;
  RecipeBatch batch;
  RecipeCheckpoint checkpoint;
  RecipeEval eval;
  RecipeOutput output;
  int seed = 1;
  int n_threads = 0;
  std::string device = "auto";
  static constexpr auto kFields = std::tuple{
      field("model", &Recipe::model, "what is trained").required(),
      field("data", &Recipe::data, "on what").required(),
      field("method", &Recipe::method, "which weights"),
      field("optimizer", &Recipe::optimizer, "AdamW"),
      field("schedule", &Recipe::schedule, "how long, and the learning rate's course"),
      field("batch", &Recipe::batch, "what one step sees"),
      field("checkpoint", &Recipe::checkpoint, "what survives a crash"),
      field("eval", &Recipe::eval, "how the result is judged"),
      field("output", &Recipe::output, "what is written"),
      field("seed", &Recipe::seed, "of initial weights, shuffle and split"),
      field("n_threads", &Recipe::n_threads, "CPU threads; 0: all cores"),
      field("device", &Recipe::device, kDeviceHelp),
  };
};

// `overrides`: "optimizer.learning_rate=1e-4"; the value is TOML, or a plain string. `name_for_errors`: the file.
Result<Recipe> parse_recipe(std::string_view toml, const std::vector<std::string>& overrides,
                            std::string_view name_for_errors);
// Reads at most 1 MiB. Relative data, eval and from_scratch paths, and an init that exists beside the recipe, become
// absolute against the recipe's folder.
Result<Recipe> load_recipe(const std::filesystem::path& file, const std::vector<std::string>& overrides);

// The same check that parsing does, for recipes made in code (presets, the API).
Result<void> validate(const Recipe& recipe);
std::string recipe_to_toml(const Recipe& recipe);

// Sets one key of a recipe from JSON: "optimizer.learning_rate", 1e-4. For the API's overrides.
Result<void> set_recipe_key(Recipe& recipe, std::string_view key, const Json& value);

}  // namespace hearth::train
