#include "model_store/recover.h"

#include <algorithm>
#include <map>

#include "base/files.h"
#include "model_store/facts.h"
#include "model_store/kept_signatures.h"
#include "model_store/pack.h"
#include "model_store/placement.h"
#include "model_store/views.h"

namespace hearth::store {
namespace fs = std::filesystem;
namespace {
using Sizes = std::map<std::string, uint64_t>;  // by "sha256:<hex>"

Result<std::string> read_document(const Blobs& blobs, const oci::Descriptor& document, uint64_t limit) {
  std::string text = TRY(blobs.read(document.digest, limit));
  if (Digest::of(text) != document.digest)
    return error(Code::data_loss, "blob {} has other content", document.digest.hex());
  return text;
}

bool is_whole(const Pack& pack, const Sizes& sizes) {
  return std::all_of(pack.files.begin(), pack.files.end(), [&](const ModelFile& file) {
    auto it = sizes.find(file.digest);
    return it != sizes.end() && it->second == file.size_bytes;
  });
}

// From the files as at installation; from the documents where the files cannot be understood.
void add_facts(const Blobs& blobs, const Pack& pack, ModelRecord& record) {
  record.kind = "model";
  record.family = pack.info.family;
  record.dtype = pack.info.precision;
  auto folder = TempFolder::create("recover");
  if (!folder || !link_files(folder->path(), record.files, [&](const Digest& d) { return blobs.path(d); })) return;
  (void)read_facts(folder->path(), record);
}

void make_name_unique(std::vector<CatalogEntry>& others, std::string& name) {
  auto taken = [&](const std::string& candidate) {
    return std::any_of(others.begin(), others.end(), [&](const CatalogEntry& e) { return e.record.name == candidate; });
  };
  std::string base = name;
  for (int i = 2; taken(name); ++i) name = numbered_name(base, i);
}
}  // namespace

Result<std::vector<CatalogEntry>> recover_entries(const fs::path& state_dir) {
  Blobs blobs(fs::absolute(state_dir));
  std::vector<BlobInfo> all = TRY(blobs.list());
  Sizes sizes;
  for (const BlobInfo& blob : all) sizes[blob.digest.text()] = blob.size_bytes;
  std::vector<CatalogEntry> out;
  for (const BlobInfo& blob : all) {
    if (blob.size_bytes > oci::kMaxManifestBytes) continue;
    oci::Descriptor manifest{std::string(oci::kManifestType), "", blob.digest, blob.size_bytes, {}};
    auto pack = read_pack(manifest, [&](const oci::Descriptor& d, uint64_t n) { return read_document(blobs, d, n); });
    if (!pack || !is_whole(*pack, sizes)) continue;
    CatalogEntry entry = entry_of(*pack);
    entry.record.origin = {"recovered", ""};
    if (auto kept = kept_signature(state_dir, blob.digest)) {
      entry.record.signer = kept->signer;
      entry.signature = std::move(kept->signature);
    }
    add_facts(blobs, *pack, entry.record);
    make_name_unique(out, entry.record.name);
    out.push_back(std::move(entry));
  }
  return out;
}

}  // namespace hearth::store
