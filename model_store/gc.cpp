// Leaving: removal, garbage, disk use, and the check that what is here is still what came.
#include "model_store/kept_signatures.h"
#include "model_store/kill_point.h"
#include "model_store/oci.h"
#include "model_store/placement.h"
#include "model_store/recover.h"
#include "model_store/store_impl.h"
#include "model_store/views.h"

namespace hearth::store {
namespace {
Result<std::vector<BlobInfo>> unreferenced(Blobs& blobs, Catalog& catalog) {
  std::set<std::string> used = TRY(catalog.referenced_blobs());
  std::vector<BlobInfo> out;
  for (BlobInfo& blob : TRY(blobs.list()))
    if (!used.contains(blob.digest.text())) out.push_back(std::move(blob));
  return out;
}

std::vector<ModelFile> all_files(const CatalogEntry& entry) {
  std::vector<ModelFile> files = entry.record.files;
  files.push_back({"(manifest)", entry.record.digest, entry.manifest_bytes});
  files.push_back({"(config)", entry.config_digest, entry.config_bytes});
  return files;
}

std::string join(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out;
}
}  // namespace

DigestSet blobs_of(const CatalogEntry& entry) {
  DigestSet out;
  for (const ModelFile& file : all_files(entry)) out.insert(file.digest);
  return out;
}

Result<void> Store::Impl::intend(DigestSet candidates) {
  candidates.merge(TRY(read_intent(state_dir)));  // of a change that could not be settled
  return write_intent(state_dir, candidates);
}

Result<uint64_t> Store::Impl::settle() {
  const DigestSet candidates = TRY(read_intent(state_dir));
  std::vector<BlobInfo> unowned = TRY(unreferenced(blobs, *TRY(catalog())));
  std::erase_if(unowned, [&](const BlobInfo& blob) { return !candidates.contains(blob.digest.text()); });
  uint64_t freed = TRY(drop(unowned));
  TRY(clear_intent(state_dir));
  return freed;
}

Result<void> Store::Impl::adopt_unknown_models() {
  Catalog* models = TRY(catalog());
  if (TRY(unreferenced(blobs, *models)).empty()) return {};
  std::set<std::string> known = TRY(models->referenced_blobs());
  for (CatalogEntry& entry : TRY(recover_entries(state_dir))) {
    if (known.contains(entry.record.digest)) continue;
    const std::string base = entry.record.name;
    for (int i = 2; TRY(models->find_ignoring_case(entry.record.name)); ++i) entry.record.name = numbered_name(base, i);
    entry.record.installed_at = seconds_now();
    TRY(models->put(entry));
  }
  return {};
}

Result<uint64_t> Store::Impl::drop(const std::vector<BlobInfo>& unreferenced) {
  Catalog* models = TRY(catalog());
  uint64_t freed = 0;
  for (const BlobInfo& blob : unreferenced) {
    TRY(blobs.remove(blob.digest));
    freed += blob.size_bytes;
  }
  if (freed > 0) TRY(blobs.flush());
  std::vector<std::string> keep;
  for (const ModelRecord& record : TRY(models->list())) keep.push_back(TRY(Digest::parse(record.digest)).hex());
  drop_other_views(state_dir, keep);
  drop_stale_signatures(state_dir, blobs);
  return freed;
}

Result<uint64_t> Store::remove(std::string_view name) {
  TRY(impl_->require_writer());
  std::lock_guard changing(impl_->changing);
  CatalogEntry entry = TRY(impl_->entry(name));
  Catalog* models = TRY(impl_->catalog());
  std::vector<std::string> adapters = TRY(models->adapters_of(name));
  if (!adapters.empty())
    return error(Code::failed_precondition, "{} is the base model of {}; remove {} first", name, join(adapters),
                 adapters.size() == 1 ? "it" : "them");
  TRY(impl_->intend(blobs_of(entry)));
  TRY(models->erase(name));
  return impl_->settle();
}

Result<uint64_t> Store::collect_garbage() {
  TRY(impl_->require_writer());
  std::lock_guard changing(impl_->changing);
  TRY(impl_->blobs.sweep(/*keep_resumable=*/false));
  return impl_->drop(TRY(unreferenced(impl_->blobs, *TRY(impl_->catalog()))));
}

Result<DiskUse> Store::disk_use() const {
  DiskUse out;
  Catalog* models = TRY(impl_->catalog());
  if (!models) return out;
  std::set<std::string> used = TRY(models->referenced_blobs());
  for (const BlobInfo& blob : TRY(impl_->blobs.list())) {
    ++out.n_blobs;
    out.blobs_bytes += blob.size_bytes;
    if (!used.contains(blob.digest.text())) out.reclaimable_bytes += blob.size_bytes;
  }
  out.free_bytes = TRY(impl_->blobs.free_bytes());
  return out;
}

Result<void> Store::verify(std::string_view name, const Control& control) const {
  CatalogEntry entry = TRY(impl_->entry(name));
  std::vector<ModelFile> files = all_files(entry);
  uint64_t total = 0;
  for (const ModelFile& file : files) total += file.size_bytes;
  Meter meter(control, total);
  std::vector<std::string> damaged;
  for (const ModelFile& file : files) {
    auto checked = impl_->blobs.verify({TRY(Digest::parse(file.digest)), file.size_bytes}, meter);
    if (!checked && checked.error().code != Code::data_loss) return checked;
    if (!checked) damaged.push_back(file.name + " (" + checked.error().message + ")");
  }
  if (damaged.empty()) return {};
  return error(Code::data_loss,
               "model {} is damaged on disk: {}; install or import it again to repair it, and check the disk", name,
               join(damaged));
}

}  // namespace hearth::store
