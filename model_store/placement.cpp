#include "model_store/placement.h"

#include <map>

#include "model_store/model_names.h"
#include "model_store/version.h"

namespace hearth::store {
namespace {

constexpr size_t kShownKey = 24;
constexpr int kMaxNumber = 1000;

std::string shown_version(std::string_view version) {
  return version.empty() ? "without a version" : fmt::format("\"{}\"", version.substr(0, 60));
}

// "my-adapter (My adapter)": the name for people where it says more.
std::string both_names(const ModelRecord& record) {
  return record.display_name.empty() || record.display_name == record.name
             ? record.name
             : fmt::format("{} ({})", record.name, record.display_name);
}

constexpr std::string_view kAllTheSame =
    "to install it all the same, use `hearth packs install --any-version`, or remove the installed one first";

// What a pack holds, whatever its documents say of it.
bool have_same_files(const ModelRecord& a, const ModelRecord& b) {
  auto files_of = [](const ModelRecord& model) {
    std::map<std::string, std::string> out;
    for (const ModelFile& file : model.files) out[file.name] = file.digest;
    return out;
  };
  return files_of(a) == files_of(b);
}

// An update is not older than what it replaces, by the rules of the versions' own scheme.
Result<void> check_version(const ModelRecord& old, const ModelRecord& pack) {
  if (pack.version.empty() && old.version.empty())
    return error(Code::failed_precondition,
                 "{} has no version, nor has the one that is installed, and they are not the same: which is newer "
                 "cannot be told; {}",
                 both_names(pack), kAllTheSame);
  const auto order = compare_versions(pack.version, old.version);
  if (!order)
    return error(Code::failed_precondition, "whether {} {} is newer than what is installed, {}, cannot be told: {}; {}",
                 both_names(pack), shown_version(pack.version), shown_version(old.version), order.error().message,
                 kAllTheSame);
  if (*order < 0)
    return error(Code::failed_precondition, "{} {} is older than version {}, which is installed; {}", both_names(pack),
                 pack.version, old.version, kAllTheSame);
  return {};
}

Error is_taken(const ModelRecord& by, std::string_view wanted) {
  return error(Code::already_exists,
               "there is already another model named {}{}; choose a name (--name), or remove that one first",
               both_names(by), by.name == wanted ? "" : ", and names that differ in case only count as one");
}

Result<Placement> place_over(const ModelRecord& old, const ModelRecord& pack, const InstallOptions& options) {
  // The same bytes signed by somebody else are no reason to change the publisher.
  const bool is_anothers = !old.signer.empty() && old.signer != pack.signer;
  if (old.digest == pack.digest) return Placement{old.name, std::nullopt, is_anothers};
  const bool is_wanted_anew = options.replace && options.any_version;
  if (is_same_content(old, pack) && !is_wanted_anew) return Placement{old.name, std::nullopt, true};
  if (!options.replace) return is_taken(old, old.name);
  if (!options.any_version) TRY(check_version(old, pack));
  return Placement{old.name, old};
}

bool is_same_pack(const ModelRecord& a, const ModelRecord& b) {
  return !a.signer.empty() && a.signer == b.signer && same_display_name(a.display_name, b.display_name);
}

Error other_publisher(const ModelRecord& old, const ModelRecord& pack) {
  return error(
      Code::failed_precondition,
      "{} here was signed by another publisher ({}) than this pack ({}); give this one another name (--name), or "
      "remove that one first",
      both_names(old), old.signer.empty() ? "nobody" : old.signer.substr(0, kShownKey),
      pack.signer.substr(0, kShownKey));
}

}  // namespace

std::string numbered_name(const std::string& base, int i) {
  return make_model_name(base.substr(0, 56) + "-" + std::to_string(i));
}

bool is_same_content(const ModelRecord& installed, const ModelRecord& pack) {
  return installed.version == pack.version && have_same_files(installed, pack);
}

Result<Placement> place_pack(const Catalog& catalog, const ModelRecord& pack, const InstallOptions& options) {
  if (options.name.empty())
    if (auto mine = TRY(catalog.find_pack(pack.signer, pack.display_name)))
      return place_over(mine->record, pack, options);
  const std::string name =
      options.name.empty() ? make_model_name(pack.display_name) : TRY(requested_model_name(options.name));
  const auto taken = TRY(catalog.find_ignoring_case(name));
  if (!taken) return Placement{name, std::nullopt};
  const ModelRecord& by = taken->record;
  if (by.name == name && (by.digest == pack.digest || is_same_pack(by, pack))) return place_over(by, pack, options);
  if (options.name.empty() && !same_display_name(by.display_name, pack.display_name)) {
    const std::string distinct = make_distinct_model_name(pack.display_name, pack.signer);
    if (!TRY(catalog.find_ignoring_case(distinct))) return Placement{distinct, std::nullopt};
  }
  const bool is_foreign_update = options.replace && by.name == name && by.signer != pack.signer;
  return is_foreign_update ? other_publisher(by, pack) : is_taken(by, name);
}

Result<std::string> place_import(const Catalog& catalog, const ModelRecord& model, bool is_asked,
                                 bool number_if_taken) {
  if (!is_asked)
    if (auto known = TRY(catalog.name_of(model.digest))) return *known;
  auto taken = TRY(catalog.find_ignoring_case(model.name));
  if (!taken || (taken->record.name == model.name && taken->record.digest == model.digest)) return model.name;
  if (!is_asked && !same_display_name(taken->record.display_name, model.display_name)) {
    std::string distinct = make_distinct_model_name(model.display_name, "");
    if (!TRY(catalog.find_ignoring_case(distinct))) return distinct;
  }
  for (int i = 2; number_if_taken && i < kMaxNumber; ++i) {
    std::string numbered = numbered_name(model.name, i);
    if (!TRY(catalog.find_ignoring_case(numbered))) return numbered;
  }
  return is_taken(taken->record, model.name);
}

}  // namespace hearth::store
