// For tests: the golden checkpoints of tests/golden/, as the engine loads them.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>

#include "model_store/formats/load.h"

namespace hearth {

inline std::shared_ptr<const LoadedModel> load_golden(const char* name) {
  auto result = load_model(std::filesystem::path(HEARTH_SOURCE_DIR) / "tests/golden" / name);
  if (!result) ADD_FAILURE() << result.error().to_string();
  return std::make_shared<const LoadedModel>(std::move(*result));
}

}  // namespace hearth
