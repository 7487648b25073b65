// Datasets on disk and in hearth.db.
#include "appliance/hearthd/datasets.h"

#include <algorithm>
#include <set>

#include "appliance/hearthd/event_bus.h"
#include "base/files.h"
#include "trainer/dataset.h"

namespace hearth {
namespace fs = std::filesystem;

constexpr int kPreviewExamples = 20;
constexpr size_t kMaxNameBytes = 200;

// The last part of whatever path a browser sent, without control characters.
static std::string label_of(std::string_view name) {
  std::string_view last = name.substr(name.find_last_of("/\\") + 1);  // npos + 1 is 0
  std::string out;
  for (char c : last.substr(0, kMaxNameBytes))
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f) out += c;
  return out.empty() ? "dataset.jsonl" : out;
}

static std::string extension_of(std::string_view name) {
  std::string extension = fs::path(name).extension().string();
  for (char& c : extension)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;  // NOTES.TXT is text, as the trainer says
  for (std::string_view known : {".txt", ".md"})
    if (extension == known) return extension;
  return ".jsonl";
}

fs::path Datasets::file(const api::Dataset& dataset) const {
  return state_.datasets() / (dataset.id + extension_of(dataset.name));
}

// Files with capital extensions were once kept as .jsonl.
void Datasets::rename_older(const api::Dataset& dataset) const {
  fs::path now = file(dataset), once = state_.datasets() / (dataset.id + ".jsonl");
  std::error_code failed;
  if (now != once && !fs::exists(now, failed)) fs::rename(once, now, failed);
}

Result<void> Datasets::start() {
  std::lock_guard lock(mutex_);
  std::set<fs::path> known;
  for (api::Dataset& dataset : TRY(db_.datasets())) {
    rename_older(dataset);
    known.insert(file(dataset));
    datasets_[std::stoll(dataset.id)] = std::move(dataset);
  }
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(state_.datasets(), failed))
    if (!known.contains(entry.path())) fs::remove(entry.path(), failed);  // left by a crash during add()
  return {};
}

static api::Dataset describe(const train::DatasetReport& report) {
  api::Dataset out{.format = std::string(train::format_name(report.format)),
                   .size_bytes = report.size_bytes,
                   .n_examples = static_cast<int>(report.n_examples),
                   .n_distinct = static_cast<int>(report.n_distinct),
                   .valid = report.valid(),
                   .unused_keys = report.unused_keys,
                   .characters = report.characters};
  for (const train::DataProblem& p : report.problems) out.problems.push_back({p.line, p.field, p.message});
  return out;
}

Result<api::Dataset> Datasets::add(const fs::path& uploaded, std::string_view name) {
  std::string label = label_of(name);
  train::DatasetReport report = TRY(train::inspect_dataset(uploaded, "auto", 0, {}, label));
  api::Dataset dataset = describe(report);
  dataset.id = TRY(db_.next_dataset_id());
  dataset.name = std::move(label);
  dataset.added_at = now_seconds();
  TRY(fsync_path(uploaded));
  TRY(rename_durably(uploaded, file(dataset)));
  TRY(db_.put_dataset(dataset));
  std::lock_guard lock(mutex_);
  datasets_[std::stoll(dataset.id)] = dataset;
  return dataset;
}

std::vector<api::Dataset> Datasets::list() const {
  std::lock_guard lock(mutex_);
  std::vector<api::Dataset> out;
  for (auto it = datasets_.rbegin(); it != datasets_.rend(); ++it) out.push_back(it->second);
  return out;
}

Result<api::Dataset> Datasets::find(const std::string& id) const {
  std::lock_guard lock(mutex_);
  for (const auto& [number, dataset] : datasets_)
    if (dataset.id == id) return dataset;
  return error(Code::not_found, "no dataset {}", id);
}

Result<api::DatasetPreview> Datasets::preview(const std::string& id) const {
  api::DatasetPreview out;
  out.dataset = TRY(find(id));
  // Only the beginning is read; a file without any example has none to show.
  auto first = train::first_examples(file(out.dataset), out.dataset.format, kPreviewExamples, out.dataset.name);
  if (!first && out.dataset.n_examples > 0) return std::move(first).error();
  for (const train::Example& example : first ? *first : std::vector<train::Example>()) {
    api::DatasetExample shown{.text = example.text};
    for (const train::ChatTurn& turn : example.messages)
      shown.messages.push_back({turn.role, turn.content, turn.reasoning, turn.tool_calls, turn.name, turn.is_learned});
    out.examples.push_back(std::move(shown));
  }
  return out;
}

Result<void> Datasets::remove(const std::string& id) {
  api::Dataset dataset = TRY(find(id));
  TRY(db_.remove_dataset(id));
  {
    std::lock_guard lock(mutex_);
    datasets_.erase(std::stoll(id));
  }
  std::error_code failed;
  fs::remove(file(dataset), failed);  // left behind: removed at the next start
  return {};
}

}  // namespace hearth
