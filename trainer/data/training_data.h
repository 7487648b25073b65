// The data of a run: read once, encoded as it is read, held out in part, and told in numbers.
#pragma once

#include <memory>

#include "trainer/data/encode.h"
#include "trainer/recipe.h"

namespace hearth::train {

struct TrainingData {
  std::shared_ptr<std::vector<Document>> train, held_out;
  std::vector<Example> questions;  // some held-out examples, to be answered before and after
  std::vector<UnusedKey> unused_keys;
  DataFigures figures;
  uint64_t fingerprint = 0;  // of all ids and flags, in order
};

struct TrainingDataOptions {
  uint64_t seed = 1;  // of the split
  int n_questions = 0;
  uint64_t sample_bytes = 0;  // of larger files, only about so much is encoded and the figures are scaled up; 0: all
};

// Errors: files that cannot be read, problems in rows (unless data.skip_invalid), rows that the model's template cannot
// show, nothing left to train on.
Result<TrainingData> read_training_data(const RecipeData& data, const LoadedModel& model,
                                        const TrainingDataOptions& options);

// "Trains on 90 of 100 examples (10 different ones, 1,710 answer tokens); ...": for people, before the start.
std::string in_words(const DataFigures& figures);

}  // namespace hearth::train
