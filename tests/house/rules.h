// The house rules that a program can check: imports between rooms, headers, sizes, merge markers, words.
// Pure functions of a file's path and text; check_tree() applies them to a source tree.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth::house {

// The size limits; bundled packs and fixtures are the only large files.
constexpr uint64_t kMaxFileBytes = uint64_t{10} << 20;
constexpr int kMaxSourceLines = 1200;

// One broken rule, as "path:line: message". Line 0 stands for the whole file.
struct Finding {
  std::string path;
  int line = 0;
  std::string message;
  std::string to_string() const;
};

// `path` is relative to the root of the tree, for example "runtime/graph/graph.h".
std::vector<Finding> check_imports(std::string_view path, std::string_view text);
std::vector<Finding> check_header(std::string_view path, std::string_view text);
// A kernel's head ("math:", "shapes:", ...): each of its fields begins a line, and what does not is indented under it.
std::vector<Finding> check_kernel_head(std::string_view path, std::string_view text);
std::vector<Finding> check_text(std::string_view path, std::string_view text);

// True when a file of room `importer` may include "included/path.h".
bool may_include(std::string_view importer, std::string_view included);
// The same between the folders of runtime/, for whole paths. Tests are above all of them.
bool is_downward_in_runtime(std::string_view importer, std::string_view included);

// Every rule on every file below root, except build output and hidden caches. Errors: root cannot be read.
Result<std::vector<Finding>> check_tree(const std::filesystem::path& root);

}  // namespace hearth::house
