// Ed25519 through OpenSSL's EVP, one-shot: what we sign is a few hundred bytes.
#include "model_store/signature.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <array>

#include "base/files.h"
#include "model_store/digest.h"

namespace hearth::store {
namespace fs = std::filesystem;
namespace {
constexpr uint64_t kMaxPemBytes = 16 << 10;
constexpr size_t kEd25519SignatureBytes = 64;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;
using Key = std::shared_ptr<EVP_PKEY>;

Key own(EVP_PKEY* key) {
  return {key, [](EVP_PKEY* k) { EVP_PKEY_free(k); }};
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

Result<std::string> id_of(EVP_PKEY* key) {
  std::array<unsigned char, 32> raw;
  size_t size = raw.size();
  if (EVP_PKEY_get_raw_public_key(key, raw.data(), &size) != 1 || size != raw.size())
    return error(Code::internal, "OpenSSL gave no raw public key");
  return Digest::of({reinterpret_cast<const char*>(raw.data()), raw.size()}).text();
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

int refuse_passphrase(char*, int, int, void*) {
  return -1;
}
}  // namespace

Result<PublicKey> PublicKey::from_pem(std::string_view pem, std::string_view name) {
  if (pem.size() > kMaxPemBytes) return error(Code::invalid_argument, "{} is too large for a public key", name);
  Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Key key = own(PEM_read_bio_PUBKEY(bio.get(), nullptr, refuse_passphrase, nullptr));
  if (!key || EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519)
    return error(Code::invalid_argument,
                 "{} is not an Ed25519 public key in PEM form; ask the pack's maker for the right file", name);
  PublicKey out;
  out.id_ = TRY(id_of(key.get()));
  out.key_ = std::move(key);
  return out;
}

bool PublicKey::verifies(std::string_view message, std::string_view signature) const {
  if (signature.size() != kEd25519SignatureBytes) return false;
  Context context(EVP_MD_CTX_new());
  return context && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
         EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(message), message.size()) == 1;
}

Result<std::string> PublicKey::to_pem() const {
  Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_PUBKEY(bio.get(), key_.get()) != 1)
    return error(Code::internal, "OpenSSL could not write a public key");
  return text_of(bio.get());
}

Result<SigningKey> SigningKey::generate() {
  Key key = own(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  if (!key) return error(Code::internal, "OpenSSL could not make an Ed25519 key");
  SigningKey out;
  out.public_.id_ = TRY(id_of(key.get()));
  out.public_.key_ = std::move(key);
  return out;
}

Result<SigningKey> SigningKey::load(const fs::path& file) {
  std::string pem = TRY(read_file(file, kMaxPemBytes));
  Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Key key = own(PEM_read_bio_PrivateKey(bio.get(), nullptr, refuse_passphrase, nullptr));
  if (!key || EVP_PKEY_id(key.get()) != EVP_PKEY_ED25519)
    return error(Code::invalid_argument, "{} is not an unencrypted Ed25519 private key in PEM form", file.string());
  SigningKey out;
  out.public_.id_ = TRY(id_of(key.get()));
  out.public_.key_ = std::move(key);
  return out;
}

Result<std::string> SigningKey::sign(std::string_view message) const {
  std::string signature(kEd25519SignatureBytes, '\0');
  size_t size = signature.size();
  Context context(EVP_MD_CTX_new());
  if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, public_.key_.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes_of(message),
                     message.size()) != 1)
    return error(Code::internal, "OpenSSL could not sign");
  return signature;
}

Result<std::string> SigningKey::to_pem() const {
  Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), public_.key_.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return error(Code::internal, "OpenSSL could not write a private key");
  return text_of(bio.get());
}

Result<std::string> generate_signing_key(const fs::path& file) {
  SigningKey key = TRY(SigningKey::generate());
  std::string pem = TRY(key.to_pem());
  Fd fd = TRY_WITH(open_file(file, O_WRONLY | O_CREAT | O_EXCL, 0600),
                   "while making a signing key (an existing key is never overwritten)");
  TRY(write_all(fd.get(), std::as_bytes(std::span(pem)), file));
  if (::fsync(fd.get()) != 0) return errno_error("flush", file, errno);
  TRY(write_file(file.string() + ".pub", TRY(key.public_key().to_pem())));
  return key.public_key().id();
}

}  // namespace hearth::store
