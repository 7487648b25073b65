// SHA-256 through OpenSSL's EVP, and the strict digest syntax.
#include "model_store/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/check.h"

namespace hearth::store {
namespace {
constexpr size_t kHexDigits = 64;

bool is_lower_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}
}  // namespace

Result<Digest> Digest::from_hex(std::string_view hex) {
  if (hex.size() != kHexDigits || !std::all_of(hex.begin(), hex.end(), is_lower_hex))
    return error(Code::invalid_argument, "a digest must be 64 lower-case hexadecimal digits");
  return Digest(std::string(hex));
}

Result<Digest> Digest::parse(std::string_view text) {
  constexpr std::string_view kPrefix = "sha256:";
  if (!text.starts_with(kPrefix))
    return error(Code::invalid_argument, "a digest must be \"sha256:\" and 64 lower-case hexadecimal digits");
  return from_hex(text.substr(kPrefix.size()));
}

Digest Digest::of(std::string_view bytes) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(bytes)));
  return hash.finish();
}

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  CHECK(context_ != nullptr);
  CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::update(std::span<const std::byte> bytes) {
  CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Digest Sha256::finish() {
  std::array<std::byte, 32> raw;
  unsigned length = 0;
  CHECK(EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(raw.data()), &length) == 1 &&
        length == raw.size());
  CHECK(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  return Digest(to_hex(raw));
}

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (std::byte b : bytes) {
    out += kDigits[std::to_integer<unsigned>(b) >> 4];
    out += kDigits[std::to_integer<unsigned>(b) & 15];
  }
  return out;
}

}  // namespace hearth::store
