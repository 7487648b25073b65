// One example from one row, in each of the known formats.
#pragma once

#include <map>
#include <optional>
#include <variant>

#include "base/json.h"
#include "trainer/dataset.h"

namespace hearth::train {

using RowJson = nlohmann::ordered_json;  // templates show tools with their keys in order
using Parsed = std::variant<Example, DataProblem>;
using KeyCounts = std::map<std::string, int64_t>;

inline constexpr int kMaxRowDepth = 64;  // of nested lists and objects
inline std::string dump_row(const RowJson& json) {
  return json.dump(-1, ' ', false, RowJson::error_handler_t::replace);
}

// A row's JSON; or what is wrong with it: its syntax, or a key that stands twice in one object.
std::variant<RowJson, DataProblem> parse_row(std::string_view text);

// By the row's keys; nothing when no format has such keys.
std::optional<DataFormat> detect_format(const RowJson& row);
// Why detect_format() found nothing, in words, with what to do.
std::string why_no_format(const RowJson& row);

// The example, or what is wrong with it (without its line). Keys that mean nothing here are counted in `unused`.
Parsed parse_example(const RowJson& row, DataFormat format, const DataLimits& limits, KeyCounts& unused);

// Cuts running text into documents at blank lines (at any line end when there are none for long).
class DocumentCutter {
 public:
  // A line with its end. The document that ends with it, if one does.
  std::optional<Example> add(std::string_view line);
  std::optional<Example> finish();

 private:
  Example current_;
  int line_ = 0;
};

}  // namespace hearth::train
