// The blob folder: immutable files named by their SHA-256. New content is staged in a folder of its own beside them and
// becomes visible only when all of it is complete, hashed and durable.
//
//   Staging staging = TRY(blobs.stage());
//   StagedBlob config = TRY(staging.add_bytes(text));
//   StagedBlob weights = TRY(staging.add_file(fd, path, size, expected_digest, meter));
//   TRY(staging.commit());          // a Staging that is not committed removes itself
#pragma once

#include <optional>
#include <vector>

#include "model_store/copy.h"

namespace hearth::store {

struct BlobInfo {
  Digest digest;
  uint64_t size_bytes = 0;
};

class Staging {
 public:
  Staging(Staging&& other) noexcept;
  Staging& operator=(Staging&&) = delete;
  ~Staging();

  Result<BlobInfo> add_bytes(std::string_view bytes);
  // Copies size_bytes from `in`. With `expected`, other content is data_loss. A resumed staging that finished `index`
  // before takes that; one that was in the midst of it keeps what agrees with the source.
  Result<BlobInfo> add_file(const Fd& in, const std::filesystem::path& from, uint64_t size_bytes,
                            const std::optional<Digest>& expected, Meter& meter, size_t index = 0);
  // The file itself becomes the blob: a second name of it, sealed and hashed, nothing copied. Only of a file that
  // nobody will write to again. Where a file cannot have a second name, it is copied.
  Result<BlobInfo> adopt_file(const Fd& in, const std::filesystem::path& from, uint64_t size_bytes, Meter& meter);
  // Where a blob can be read now: staged here, or in the blob folder already.
  std::filesystem::path find(const Digest& digest) const;
  const std::filesystem::path& folder() const { return folder_; }
  uint64_t staged_bytes() const;  // there already, of a staging that was taken up again
  // Moves everything to the blob folder, durably. A blob that was there already is replaced by the fresh copy.
  Result<void> commit();

 private:
  friend class Blobs;
  Staging(std::filesystem::path folder, std::filesystem::path blobs, bool is_resumable)
      : folder_(std::move(folder)), blobs_(std::move(blobs)), is_resumable_(is_resumable) {}
  std::optional<BlobInfo> finished(size_t index, uint64_t size_bytes) const;
  std::filesystem::path folder_, blobs_;
  bool is_resumable_ = false;
};

class Blobs {
 public:
  explicit Blobs(const std::filesystem::path& state_dir)
      : folder_(state_dir / "blobs" / "sha256"), incoming_(state_dir / "blobs" / "incoming") {}

  Result<void> create();  // makes the folders
  // Removes what an interrupted writer left in incoming/; with keep_resumable, not what stage_again() could take up
  // within a week.
  Result<void> sweep(bool keep_resumable);
  Result<Staging> stage() const;
  // What a writer that was killed has staged under the same identity (of all source files: paths, sizes, times), or a
  // new one that can be taken up in the same way.
  Result<Staging> stage_again(std::string_view identity) const;
  std::filesystem::path path(const Digest& digest) const { return folder_ / digest.hex(); }
  Result<std::vector<BlobInfo>> list() const;
  // data_loss when missing, of another size, or of other content.
  Result<void> verify(const BlobInfo& blob, Meter& meter) const;
  Result<std::string> read(const Digest& digest, uint64_t max_bytes) const;
  Result<void> remove(const Digest& digest) const;  // not durable before flush()
  Result<void> flush() const;
  Result<uint64_t> free_bytes() const;
  // resource_exhausted when needed_bytes and a reserve for the box itself do not fit.
  Result<void> check_space(uint64_t needed_bytes) const;

 private:
  std::filesystem::path folder_, incoming_;
};

}  // namespace hearth::store
