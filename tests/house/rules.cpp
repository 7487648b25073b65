// See rules.h. The words that must not appear are spelled in two halves here, so that this file passes its own check.
#include "tests/house/rules.h"

#include <algorithm>
#include <array>
#include <regex>
#include <set>

#include "base/files.h"

namespace hearth::house {
namespace fs = std::filesystem;
namespace {

// From the ground up. A room may include from itself and from rooms before it.
constexpr std::array kRooms = {"base",      "hwdetect", "runtime",   "model_store",
                               "inference", "trainer",  "appliance", "gui"};

// The one verb that is the service.
constexpr std::string_view kServeVerb = "appliance/cli/verbs/serve.cpp";

// The folders of runtime/, the lowest first. Three files point upwards: a gradient is said in graph ops, to_float() is
// a kernel, and tests run an op's samples through an executor.
constexpr std::array<std::string_view, 10> kRuntimeLayers = {"tensor", "comm", "backend", "kernels", "ops",
                                                             "graph",  "plan", "memory",  "exec",    "architectures"};
constexpr std::array<std::string_view, 3> kPointUpwards = {"runtime/ops/rules.h", "runtime/ops/sample_runs.cpp",
                                                           "runtime/tensor/dtype.cpp"};

int room_index(std::string_view name) {
  auto it = std::find(kRooms.begin(), kRooms.end(), name);
  return it == kRooms.end() ? -1 : static_cast<int>(it - kRooms.begin());
}

std::string_view first_folder(std::string_view path) {
  size_t slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

bool ends_with_any(std::string_view path, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(), [&](std::string_view e) { return path.ends_with(e); });
}

bool is_source(std::string_view path) {
  return ends_with_any(path, {".h", ".cpp", ".cu", ".cuh"});
}

template <class Visit>
void for_each_line(std::string_view text, Visit visit) {
  for (int number = 1; !text.empty(); ++number) {
    size_t end = text.find('\n');
    visit(number, text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

// The quoted name of an #include line, or empty.
std::string_view included_name(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  if (!line.starts_with("#")) return {};
  size_t word = line.find("include"), open = line.find('"');
  if (word == std::string_view::npos || open == std::string_view::npos || open < word) return {};
  size_t close = line.find('"', open + 1);
  return close == std::string_view::npos ? std::string_view{} : line.substr(open + 1, close - open - 1);
}

// A rule is tried only on lines that hold its needle: regular expressions on every line would take seconds.
struct WordRule {
  std::string_view needle;  // lower case
  std::regex pattern;       // on the lower-case line
  const char* why;
};

// Hearth speaks of itself alone: nothing here may depend on the machine or the process it was written with.
const std::vector<WordRule>& word_rules() {
  static const std::vector<WordRule> rules = {
      {"/wo"
       "rk/",
       std::regex("(^|[^a-z0-9_.-])/wo"
                  "rk/"),
       "names a folder of one machine"},
      {"clau"
       "de",
       std::regex("\\bclau"
                  "de\\b"),
       "names a tool that the code does not use"},
      {"anth"
       "ropic",
       std::regex("."), "names a tool that the code does not use"},
      {"iss"
       "ue",
       std::regex("\\biss"
                  "ues? #?[0-9]+"),
       "points at a tracker entry; say the reason itself"},
      {"artifact"
       "-registry",
       std::regex("."), "names a package host"},
      {"registry.np"
       "mjs",
       std::regex("."), "names a package host"},
      {"py"
       "pi.org",
       std::regex("."), "names a package host"},
  };
  return rules;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

bool is_binary(std::string_view text) {
  return text.substr(0, 4096).find('\0') != std::string_view::npos;
}

bool is_skipped_folder(const fs::path& relative) {
  static const std::set<std::string> top_level = {"build", "out", ".git", ".cache", ".state"};
  const std::string name = relative.filename().string();
  return (relative.has_parent_path() ? false : top_level.contains(name)) || name == "__pycache__" || name == ".venv" ||
         name == "node_modules";
}

void append(std::vector<Finding>& all, std::vector<Finding> more) {
  std::move(more.begin(), more.end(), std::back_inserter(all));
}

Result<void> check_file(const fs::path& file, const std::string& path, std::vector<Finding>& findings) {
  std::error_code ignored;
  if (fs::file_size(file, ignored) > kMaxFileBytes) {
    findings.push_back({path, 0, fmt::format("larger than {} MB: keep it out of the repository", kMaxFileBytes >> 20)});
    return {};
  }
  std::string text = TRY(read_file(file));
  if (is_binary(text)) return {};
  append(findings, check_imports(path, text));
  append(findings, check_header(path, text));
  append(findings, check_kernel_head(path, text));
  append(findings, check_text(path, text));
  return {};
}

}  // namespace

std::string Finding::to_string() const {
  return fmt::format("{}:{}: {}", path, line, message);
}

bool may_include(std::string_view importer, std::string_view included) {
  const int from = room_index(importer), to = room_index(first_folder(included));
  if (from < 0) return true;  // tests/ and other folders are above the house
  if (first_folder(included) == "tests") return false;
  if (to < 0 || to == from) return true;  // not a room: a generated or a system header
  if (importer == "gui") return to == 0 || included.starts_with("appliance/api/");
  return to < from;
}

// "runtime/plan/plan.h" → 5; -1: in none of them.
static int runtime_layer(std::string_view path) {
  if (first_folder(path) != "runtime") return -1;
  path.remove_prefix(std::string_view("runtime/").size());
  auto it = std::find(kRuntimeLayers.begin(), kRuntimeLayers.end(), first_folder(path));
  return it == kRuntimeLayers.end() ? -1 : static_cast<int>(it - kRuntimeLayers.begin());
}

bool is_downward_in_runtime(std::string_view importer, std::string_view included) {
  const int from = runtime_layer(importer), to = runtime_layer(included);
  return from < 0 || to < 0 || to <= from || importer.ends_with("_test.cpp") ||
         std::find(kPointUpwards.begin(), kPointUpwards.end(), importer) != kPointUpwards.end();
}

std::vector<Finding> check_imports(std::string_view path, std::string_view text) {
  std::vector<Finding> findings;
  if (!is_source(path)) return findings;
  const std::string_view room = first_folder(path);
  for_each_line(text, [&](int number, std::string_view line) {
    const std::string_view name = included_name(line);
    if (name.empty()) return;
    if (name.starts_with(".."))
      findings.push_back(
          {std::string(path), number, fmt::format("\"{}\" leaves its folder; include from the room's name", name)});
    else if (path.starts_with("appliance/cli/") && name.starts_with("appliance/hearthd/") && path != kServeVerb)
      findings.push_back(
          {std::string(path), number,
           fmt::format("the command line may not include \"{}\", which is the service's inside: move what "
                       "both need below both (appliance/box/)",
                       name)});
    else if (!is_downward_in_runtime(path, name))
      findings.push_back(
          {std::string(path), number,
           fmt::format("may not include \"{}\": the folders of runtime/ see only those below them (runtime/README.md)",
                       name)});
    else if (!may_include(room, name))
      findings.push_back(
          {std::string(path), number,
           fmt::format("{} may not include \"{}\": rooms see only rooms below them (docs/design.md)", room, name)});
  });
  return findings;
}

std::vector<Finding> check_header(std::string_view path, std::string_view text) {
  std::vector<Finding> findings;
  if (!ends_with_any(path, {".h", ".cuh"})) return findings;
  if (!text.starts_with("//"))
    findings.push_back({std::string(path), 1, "a header opens with a comment that says what it is"});
  if (text.find("#pragma once") == std::string_view::npos)
    findings.push_back({std::string(path), 1, "#pragma once is missing"});
  return findings;
}

std::vector<Finding> check_kernel_head(std::string_view path, std::string_view text) {
  static const std::regex field("^// (math|shapes|traffic|mapping|needs|numerics):"),
      field_within("\\S.* (math|shapes|traffic|mapping|needs|numerics):( {2,}|$)");
  std::vector<Finding> findings;
  if (!is_source(path) || text.find("\n// math:") == text.npos) return findings;
  bool is_head = true, is_within = false;
  for_each_line(text, [&](int number, std::string_view line) {
    is_head = is_head && line.starts_with("//");
    if (!is_head) return;
    const bool begins = std::regex_search(line.begin(), line.end(), field);
    is_within = is_within || begins;
    const std::string_view after_name = line.substr(begins ? line.find(':') : 2);
    const bool hides_field = std::regex_search(after_name.begin(), after_name.end(), field_within);
    if (hides_field || (is_within && !begins && !line.starts_with("//          ")))
      findings.push_back({std::string(path), number,
                          "a kernel's head was torn: a field begins a line, the rest of it "
                          "is indented under it"});
  });
  return findings;
}

std::vector<Finding> check_text(std::string_view path, std::string_view text) {
  std::vector<Finding> findings;
  int n_lines = 0;
  const std::string lower = lower_case(text);
  for_each_line(lower, [&](int number, std::string_view line) {
    n_lines = number;
    if (line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> "))
      findings.push_back({std::string(path), number, "merge marker"});
    for (const WordRule& rule : word_rules())
      if (line.find(rule.needle) != line.npos && std::regex_search(line.begin(), line.end(), rule.pattern))
        findings.push_back({std::string(path), number, rule.why});
  });
  if (is_source(path) && n_lines > kMaxSourceLines)
    findings.push_back(
        {std::string(path), 0, fmt::format("{} lines; split it by concept (at most {})", n_lines, kMaxSourceLines)});
  return findings;
}

Result<std::vector<Finding>> check_tree(const fs::path& root) {
  std::vector<Finding> findings;
  std::error_code ec;
  auto it = fs::recursive_directory_iterator(root, ec);
  if (ec) return error(Code::not_found, "cannot list {}: {}", root.string(), ec.message());
  for (; it != fs::recursive_directory_iterator(); it.increment(ec)) {
    if (ec) return error(Code::internal, "cannot list {}: {}", root.string(), ec.message());
    const fs::path relative = it->path().lexically_relative(root);
    if (it->is_directory() && is_skipped_folder(relative)) it.disable_recursion_pending();
    if (it->is_regular_file() && !it->is_symlink() && relative != ".git")
      TRY(check_file(it->path(), relative.generic_string(), findings));
  }
  return findings;
}

}  // namespace hearth::house
