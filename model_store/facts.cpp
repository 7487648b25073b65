#include "model_store/facts.h"

#include <algorithm>

#include "base/files.h"
#include "base/json.h"
#include "base/python_json.h"
#include "model_store/formats/load.h"

namespace hearth::store {
namespace fs = std::filesystem;
namespace {
constexpr uint64_t kMaxReadmeBytes = 4 << 20;

bool has_suffix_in(const std::vector<ModelFile>& files, std::string_view suffix) {
  return std::any_of(files.begin(), files.end(), [&](const ModelFile& file) { return file.name.ends_with(suffix); });
}

// Hugging Face spells licences in lower case; SPDX does not.
std::string spdx(std::string_view license) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"apache-2.0", "Apache-2.0"},     {"mit", "MIT"},
      {"bsd-3-clause", "BSD-3-Clause"}, {"cc-by-4.0", "CC-BY-4.0"},
      {"cc-by-sa-4.0", "CC-BY-SA-4.0"}, {"cc-by-nc-4.0", "CC-BY-NC-4.0"},
      {"gpl-3.0", "GPL-3.0-only"}};
  for (auto [from, to] : kNames)
    if (license == from) return std::string(to);
  return std::string(license);
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\"'";
  size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(kSpace) - begin + 1));
}

void replace_all(std::string& text, const std::string& old, const std::string& fresh) {
  for (size_t at = 0; (at = text.find(old, at)) != std::string::npos; at += fresh.size())
    text.replace(at, old.size(), fresh);
}

Error in_words_of(Error why, const fs::path& folder, const std::string& shown) {
  replace_all(why.message, folder.string(), shown);
  for (std::string& text : why.context) replace_all(text, folder.string(), shown);
  return why;
}

Result<void> check_has_tokenizer(const LoadedModel& model) {
  if (model.tokenizer) return {};
  return error(Code::failed_precondition,
               "it has no tokenizer, so it could neither read nor write text: {}; put the tokenizer's files that its "
               "maker published with it beside its weights",
               model.tokenizer_problem ? model.tokenizer_problem->to_string() : "there is none");
}

}  // namespace

fs::path loader_path_in(const fs::path& folder, const std::vector<ModelFile>& files) {
  if (has_suffix_in(files, ".safetensors")) return folder;
  for (const ModelFile& file : files)
    if (file.name.ends_with(".gguf")) return folder / file.name;
  return folder;
}

Result<ModelFacts> read_facts(const fs::path& folder, ModelRecord& record) {
  ModelFacts facts =
      TRY_WITH(inspect_model(loader_path_in(folder, record.files)), "while looking into the model's files");
  bool is_adapter = facts.format == "peft";
  record.kind = is_adapter ? "adapter" : "model";
  record.family = facts.family;
  record.dtype = facts.dtype;
  record.n_params = facts.n_params;
  record.max_seq_len = static_cast<int>(std::clamp<int64_t>(facts.max_seq_len, 0, INT32_MAX));
  record.has_chat_template = facts.has_chat_template;
  return facts;
}

Result<void> check_runs(const fs::path& folder, const std::vector<ModelFile>& files, const std::string& shown) {
  std::error_code ec;
  if (fs::exists(folder / "adapter_config.json", ec)) return {};
  auto model = check_model(loader_path_in(folder, files));
  const Result<void> checked = model ? check_has_tokenizer(*model) : Result<void>(std::move(model).error());
  if (checked) return {};
  return in_words_of(checked.error(), folder, shown);
}

std::string license_of(const fs::path& folder) {
  auto text = read_file(folder / "README.md", kMaxReadmeBytes);
  if (!text || !text->starts_with("---")) return "";
  constexpr std::string_view kKey = "license:";
  for (size_t start = text->find('\n'); start != std::string::npos;) {
    size_t end = text->find('\n', start + 1);
    std::string_view line = std::string_view(*text).substr(start + 1, end == std::string::npos ? end : end - start - 1);
    if (line.starts_with("---")) return "";
    if (line.starts_with(kKey)) return spdx(trimmed(line.substr(kKey.size())).substr(0, 100));
    start = end;
  }
  return "";
}

}  // namespace hearth::store
