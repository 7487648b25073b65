// One example from one JSON object, in each of the known formats.
#pragma once

#include <optional>
#include <variant>

#include "base/json.h"
#include "trainer/dataset.h"

namespace hearth::train {

// By the object's keys; nothing when no format has such keys.
std::optional<DataFormat> detect_format(const Json& object);

// The example, or what is wrong with it (without its line).
std::variant<Example, DataProblem> parse_example(const Json& object, DataFormat format, const DataLimits& limits);

// The elements of a JSON array of objects, as text with their lines; the array itself may be damaged after them.
struct ArrayElement {
  std::string_view text;
  int line = 0;
};
std::vector<ArrayElement> split_json_array(std::string_view text);

// Cuts running text into documents at blank lines (at any line end when there are none for long).
std::vector<Example> split_documents(std::string_view text);

}  // namespace hearth::train
