// Ed25519 keys and signatures (OpenSSL EVP). Signs and checks bytes; which keys to believe is trust.h's business.
// A key's id is "sha256:" and the hex SHA-256 of its 32 raw public bytes.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct evp_pkey_st;

namespace hearth::store {

class PublicKey {
 public:
  static Result<PublicKey> from_pem(std::string_view pem, std::string_view name_for_errors);
  const std::string& id() const { return id_; }
  bool verifies(std::string_view message, std::string_view signature) const;  // signature: 64 raw bytes
  Result<std::string> to_pem() const;

 private:
  friend class SigningKey;
  std::shared_ptr<evp_pkey_st> key_;
  std::string id_;
};

class SigningKey {
 public:
  static Result<SigningKey> generate();
  static Result<SigningKey> load(const std::filesystem::path& pem_file);  // PKCS#8 PEM, not encrypted
  const PublicKey& public_key() const { return public_; }
  Result<std::string> sign(std::string_view message) const;  // 64 raw bytes
  Result<std::string> to_pem() const;

 private:
  PublicKey public_;
};

// Makes a key pair: the private key at `file` (mode 0600, never over an existing file), the public one at `file`.pub.
// Returns the public key's id.
Result<std::string> generate_signing_key(const std::filesystem::path& file);

}  // namespace hearth::store
