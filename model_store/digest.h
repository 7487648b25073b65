// SHA-256 content digests. Digest is the only way from outside text to a blob's path: it holds nothing but a checked
// "sha256:" + 64 lower-case hex digits, so no manifest or request can name another file.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

struct evp_md_ctx_st;

namespace hearth::store {

class Digest {
 public:
  static Result<Digest> parse(std::string_view text);    // "sha256:<64 hex>"
  static Result<Digest> from_hex(std::string_view hex);  // "<64 hex>", as blobs are named
  static Digest of(std::string_view bytes);
  const std::string& hex() const { return hex_; }
  std::string text() const { return "sha256:" + hex_; }
  bool operator==(const Digest&) const = default;
  bool operator<(const Digest& other) const { return hex_ < other.hex_; }

 private:
  friend class Sha256;
  explicit Digest(std::string hex) : hex_(std::move(hex)) {}
  std::string hex_;
};

// Incremental SHA-256. After finish() it starts anew.
class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::byte> bytes);
  Digest finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

std::string to_hex(std::span<const std::byte> bytes);

}  // namespace hearth::store
