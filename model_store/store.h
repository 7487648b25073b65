// The model store: what models this box has, and how they come, are checked, leave and are removed.
// It knows files, digests, signatures and a catalog; it does not know tensors (model_store/formats does).
//
//   Store store = TRY(Store::open(state_dir, Mode::read_write));
//   std::vector<PackSummary> packs = TRY(store.scan("/media/stick"));
//   ModelRecord model = TRY(store.install("/media/stick", packs[0].digest));
//   std::filesystem::path path = TRY(store.loader_path(model.name));    // a Hugging Face folder or a .gguf
//
// On disk, below the state directory:
//   hearth.db                  the catalog (SQLite, WAL). A row is committed only after the files it names are durable
//   store.lock                 held by the one writer for as long as its Store lives
//   blobs/sha256/<hex>         immutable, named by content, mode 0444; manifest and config of a model are blobs too
//   blobs/incoming/            what is being copied; swept when a writer opens the store
//   blobs/signatures/<hex>     of the packs that are installed, by their manifest, for when the catalog is lost
//   prepared/views/<hex>/      one folder a model: links with the original file names; disposable, rebuilt when missing
//   trust/*.pub                public keys (PEM, Ed25519) whose packs this box accepts
//
// Threads: a Store may be used from several threads. Reading never waits for a copy that is under way; operations that
// change the store run one after another. Processes: one writer, any number of readers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model_store/origin.h"

namespace hearth::store {

enum class Mode { read_only, read_write };

struct StoreOptions {
  std::vector<std::filesystem::path> trust_folders;  // more folders of *.pub, for example /usr/share/hearth/trust
};

struct ModelFile {
  std::string name;    // relative, '/'-separated, validated: safe to join to a folder
  std::string digest;  // "sha256:<64 hex>"
  uint64_t size_bytes = 0;
};

struct ModelRecord {
  std::string name;          // unique in the store, safe in addresses and paths (model_names.h)
  std::string display_name;  // for people, in any script
  std::string digest;        // of the OCI manifest: two models with the same digest are the same files and metadata
  std::string kind;          // model | adapter
  std::string version, family, dtype, license, description;
  Origin origin;
  std::string signer;                 // key id that signed the pack; empty for what was imported or trained here
  std::optional<std::string> parent;  // base model: of an adapter, or of a fine-tuned model
  std::vector<ModelFile> files;
  uint64_t size_bytes = 0;  // sum of files
  uint64_t n_params = 0;    // 0 when unknown
  int max_seq_len = 0;      // tokens, 0 when unknown
  bool has_chat_template = false, bundled = false;
  double installed_at = 0;  // seconds since 1970
};

// How a long operation is watched and stopped. progress is called on the calling thread, at most every few MiB.
struct Control {
  std::function<void(uint64_t done_bytes, uint64_t total_bytes)> progress;
  std::stop_token stop;  // requested: the operation ends with Code::cancelled and leaves the store as it was
};

struct ImportOptions {
  std::string name;                           // empty: from the path
  std::string version, license, description;  // empty: from the files, where they say
  std::optional<std::string> parent;          // of an adapter: default is adapter_config.json's base model
  std::string display_name = {};              // empty: the name, or the path's
  std::string training_job = {};              // the job whose result it is
  bool number_if_taken = false;               // "name-2" instead of already_exists
  // The files are the caller's own, will never be written again, and lie on the store's filesystem: they become blobs
  // without being copied. Where they cannot, they are copied.
  bool adopt = false;
};

struct InstallOptions {
  std::string name;          // empty: the name it is installed under already, or the one inside the pack
  bool bundled = false;      // came with the box
  bool replace = false;      // the same publisher's model of this name is replaced in the same transaction (an update)
  bool any_version = false;  // also by an older one, or by one that cannot be ordered
};

struct ExportOptions {
  std::filesystem::path signing_key;  // PEM private key; empty: the pack's own signature if it came with one, else none
};

enum class Trust { trusted, untrusted, damaged };
std::string_view trust_name(Trust trust);

struct PackSummary {
  std::string name;  // safe, as it would be installed where that is free
  std::string display_name, version, description, license;
  std::string digest;            // of the manifest; what install() takes
  std::filesystem::path layout;  // the OCI image layout that holds it: the scanned folder or one just below it
  uint64_t size_bytes = 0;       // of its files
  bool installed = false;        // this very digest is in the store
  Trust trust = Trust::damaged;
  std::string signer;   // key id, when trusted
  std::string problem;  // what is wrong and what to do; empty when trusted
};

struct DiskUse {
  uint64_t blobs_bytes = 0, reclaimable_bytes = 0, free_bytes = 0;
  uint64_t n_blobs = 0;
};

struct TrustedKey {
  std::string id;  // "sha256:<hex>" of the raw public key
  std::filesystem::path file;
};

// A pack that was found whole and trusted, with every one of its documents read. It is for the store that opened it.
class PackToInstall {
 public:
  PackToInstall(PackToInstall&&) noexcept;
  PackToInstall& operator=(PackToInstall&&) noexcept;
  ~PackToInstall();
  const ModelRecord& model() const;                    // what it will be; what only the files tell is not filled in yet
  const std::optional<ModelRecord>& replaces() const;  // the version that it takes the place of

  struct Impl;

 private:
  friend class Store;
  explicit PackToInstall(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

class Store {
 public:
  // read_write creates what is missing, takes the lock (held elsewhere: failed_precondition) and sweeps what an
  // interrupted writer left. read_only never waits and sees an empty store where there is none yet.
  static Result<Store> open(const std::filesystem::path& state_dir, Mode mode, StoreOptions options = {});
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;
  ~Store();

  Result<std::vector<ModelRecord>> list() const;          // by name
  Result<ModelRecord> find(std::string_view name) const;  // not_found
  // The name of the model that a person means, who may give its display name; see called.h for the errors.
  Result<std::string> resolve(std::string_view given) const;
  Result<std::filesystem::path> folder(std::string_view name) const;  // its files under their own names
  // What load_model() takes: the folder, or the .gguf in it. An adapter's has a link to its base's.
  Result<std::filesystem::path> loader_path(std::string_view name) const;

  // A Hugging Face folder, a .gguf, a .safetensors (with config.json and tokenizer files beside it), or a PEFT adapter
  // folder, whose base must be in the store and fit. Pickled weights (.bin, .pt) are refused. already_exists when the
  // name is taken by other content.
  Result<ModelRecord> import_model(const std::filesystem::path& path, const ImportOptions& options = {},
                                   const Control& control = {});

  // Packs in a folder or on a stick: OCI image layouts, in the folder itself or one level below.
  Result<std::vector<PackSummary>> scan(const std::filesystem::path& source) const;
  // One pack, every byte read and hashed (scan() looks at documents, signature and sizes only). digest empty: the only
  // one.
  Result<PackSummary> check_pack(const std::filesystem::path& source, std::string_view digest,
                                 const Control& control = {}) const;
  // digest empty: the only pack there. Anything but a trusted, whole pack is refused and leaves the store as it was.
  Result<ModelRecord> install(const std::filesystem::path& source, std::string_view digest,
                              const InstallOptions& options = {}, const Control& control = {});
  // The same in two steps: all that can be refused without reading the payload is refused by the first.
  Result<PackToInstall> open_pack(const std::filesystem::path& source, std::string_view digest,
                                  const InstallOptions& options = {}) const;
  Result<ModelRecord> install(PackToInstall pack, const Control& control = {});
  // Adds the model to the OCI image layout at `folder` (made when missing) and returns the manifest digest.
  Result<std::string> export_pack(std::string_view name, const std::filesystem::path& folder,
                                  const ExportOptions& options = {}, const Control& control = {}) const;

  // Reads every file of the model again and compares its hash; data_loss names each damaged file.
  Result<void> verify(std::string_view name, const Control& control = {}) const;
  Result<uint64_t> remove(std::string_view name);  // → bytes freed; failed_precondition while an adapter needs it
  Result<uint64_t> collect_garbage();              // → bytes freed
  Result<DiskUse> disk_use() const;

  Result<std::vector<TrustedKey>> trusted_keys() const;
  // Copies it to trust/, also beside a service that has the store open: keys are read whenever they are needed.
  Result<TrustedKey> trust_key(const std::filesystem::path& public_key_pem) const;

  struct Impl;

 private:
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::store
