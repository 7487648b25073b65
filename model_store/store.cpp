// Opening the store, looking into it, and the one way in which anything is added to it.
#include "model_store/store.h"

#include <algorithm>
#include <chrono>

#include "model_store/adapter_base.h"
#include "model_store/called.h"
#include "model_store/facts.h"
#include "model_store/formats/adapters/adapter.h"
#include "model_store/kept_signatures.h"
#include "model_store/kill_point.h"
#include "model_store/model_names.h"
#include "model_store/placement.h"
#include "model_store/store_impl.h"
#include "model_store/views.h"

namespace hearth::store {
namespace fs = std::filesystem;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string_view trust_name(Trust trust) {
  switch (trust) {
    case Trust::trusted:
      return "trusted";
    case Trust::untrusted:
      return "untrusted";
    case Trust::damaged:
      return "damaged";
  }
  return "damaged";
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;
Store::~Store() = default;

Result<Store> Store::open(const fs::path& state_dir, Mode mode, StoreOptions options) {
  auto absolute = [&] {
    std::error_code ec;
    fs::path path = fs::absolute(state_dir, ec).lexically_normal();
    return path.has_filename() ? path : path.parent_path();
  }();
  std::unique_ptr<Impl> impl(new Impl{absolute, mode, std::move(options), Blobs(absolute), {}, {}, {}, {}});
  if (mode == Mode::read_only) return Store(std::move(impl));
  TRY(make_folders(absolute));
  impl->lock = TRY(LockFile::acquire(absolute / "store.lock"));
  TRY(make_folders(absolute / "trust"));
  TRY(impl->blobs.create());
  TRY(impl->blobs.sweep(/*keep_resumable=*/true));
  TRY_WITH(impl->catalog(), "while opening the store in {}", absolute.string());
  TRY_WITH(impl->settle(), "while tidying the store in {}", absolute.string());
  TRY_WITH(impl->keep_signatures(), "while keeping the signatures of the models in {}", absolute.string());
  TRY_WITH(impl->adopt_unknown_models(), "while looking for models that the catalog lacks in {}", absolute.string());
  return Store(std::move(impl));
}

Result<Catalog*> Store::Impl::catalog() {
  std::lock_guard guard(catalog_mutex);
  if (opened_catalog) return opened_catalog.get();
  auto opened = Catalog::open(state_dir, mode == Mode::read_write);
  if (opened)
    opened_catalog = std::move(*opened);
  else if (opened.error().code != Code::not_found || mode == Mode::read_write)
    return opened.error();
  return opened_catalog.get();
}

Result<CatalogEntry> Store::Impl::entry(std::string_view name) {
  Catalog* models = TRY(catalog());
  auto found = models ? TRY(models->find(name)) : std::optional<CatalogEntry>();
  if (!found)
    return error(Code::not_found, "there is no model named \"{}\" in the store; `hearth models` lists them",
                 name.substr(0, 80));
  return std::move(*found);
}

Result<TrustedKeys> Store::Impl::keys() const {
  std::vector<fs::path> folders{state_dir / "trust"};
  folders.insert(folders.end(), options.trust_folders.begin(), options.trust_folders.end());
  return TrustedKeys::load(folders);
}

Result<void> Store::Impl::require_writer() const {
  if (mode == Mode::read_write) return {};
  return error(Code::failed_precondition, "the store is open for reading only");
}

Result<void> Store::Impl::keep_signatures() {
  Catalog* models = TRY(catalog());
  for (const ModelRecord& record : TRY(models->list())) {
    const Digest manifest = TRY(Digest::parse(record.digest));
    if (record.signer.empty() || kept_signature(state_dir, manifest)) continue;
    auto entry = TRY(models->find(record.name));
    if (entry && entry->signature) TRY(keep_signature(state_dir, manifest, {*entry->signature, record.signer}));
  }
  return {};
}

Result<ModelRecord> Store::Impl::commit(Staging& staging, CatalogEntry entry) {
  entry.record.installed_at = seconds_now();
  Catalog* models = TRY(catalog());
  const Digest manifest = TRY(Digest::parse(entry.record.digest));
  DigestSet candidates = blobs_of(entry);  // after a failure: what was just moved in
  if (auto old = TRY(models->find(entry.record.name))) candidates.merge(blobs_of(*old));  // after a replacement
  const std::string keep_old_as = TRY(name_for_replaced(entry.record));
  TRY(intend(std::move(candidates)));
  auto recorded = staging.commit();
  if (recorded && entry.signature)
    recorded = keep_signature(state_dir, manifest, {*entry.signature, entry.record.signer});
  kill_point("store.signature_kept");
  if (recorded) recorded = models->put(entry, keep_old_as);
  auto dropped = settle();
  if (!recorded) return recorded.error();
  if (!dropped) return dropped.error();
  return std::move(entry.record);
}

// Adapters fit the files that they were made for: when their base is replaced, it stays for them under this name.
Result<std::string> Store::Impl::name_for_replaced(const ModelRecord& fresh) {
  Catalog* models = TRY(catalog());
  const auto old = TRY(models->find(fresh.name));
  if (!old || old->record.digest == fresh.digest || TRY(models->adapters_of(fresh.name)).empty()) return std::string();
  const std::string base = old->record.version.empty() ? fresh.name : fresh.name + "-" + old->record.version;
  std::string name = make_model_name(base);
  for (int i = 2; TRY(models->find(name)); ++i) name = numbered_name(base, i);
  return name;
}

Result<std::vector<ModelRecord>> Store::list() const {
  Catalog* models = TRY(impl_->catalog());
  if (!models) return std::vector<ModelRecord>();
  std::vector<ModelRecord> out = TRY(models->list());
  for (ModelRecord& adapter : out) {
    if (adapter.kind != "adapter" || !adapter.parent) continue;
    auto base = std::find_if(out.begin(), out.end(), [&](const ModelRecord& m) { return m.name == *adapter.parent; });
    if (base != out.end()) take_from_base(adapter, *base);
  }
  return out;
}

Result<std::string> Store::resolve(std::string_view given) const {
  Catalog* models = TRY(impl_->catalog());
  if (models && TRY(models->find(given))) return std::string(given);
  const std::vector<ModelRecord> all = models ? TRY(models->list()) : std::vector<ModelRecord>();
  return TRY(model_called(all, given))->name;
}

Result<ModelRecord> Store::find(std::string_view name) const {
  ModelRecord record = TRY(impl_->entry(name)).record;
  if (record.kind == "adapter" && record.parent)
    if (auto base = impl_->entry(*record.parent)) take_from_base(record, base->record);
  return record;
}

Result<fs::path> Store::folder(std::string_view name) const {
  return view_of(impl_->state_dir, TRY(impl_->entry(name)).record);
}

Result<fs::path> Store::loader_path(std::string_view name) const {
  const ModelRecord record = TRY(impl_->entry(name)).record;
  const fs::path view = TRY(view_of(impl_->state_dir, record));
  // By its name: a base that is one .gguf is a link, and the blob behind it has no such ending.
  if (record.kind == "adapter") TRY(link_base(view, TRY(impl_->base_path(record)).lexically_relative(view)));
  return loader_path_in(view, record.files);
}

Result<fs::path> Store::Impl::base_path(const ModelRecord& adapter) {
  auto base = entry(adapter.parent.value_or(""));
  if (!base || base->record.kind == "adapter")
    return error(Code::failed_precondition,
                 "{} is an adapter of {}, which is not in the store; import or install that model, under this name",
                 adapter.name, adapter.parent.value_or("an unnamed model"));
  return loader_path_in(TRY(view_of(state_dir, base->record)), base->record.files);
}

Result<std::vector<TrustedKey>> Store::trusted_keys() const {
  return TRY(impl_->keys()).list();
}

Result<TrustedKey> Store::trust_key(const fs::path& file) const {
  std::string pem = TRY(read_file(file, 16 << 10));
  PublicKey key = TRY(PublicKey::from_pem(pem, file.string()));
  fs::path to = impl_->state_dir / "trust" / (Digest::of(key.id()).hex().substr(0, 16) + ".pub");
  TRY(make_folders(to.parent_path()));
  TRY(write_file(to, TRY(key.to_pem())));
  return TrustedKey{key.id(), to};
}

}  // namespace hearth::store
