// The fuzz target for the documents that a stick brings. Whatever the bytes, an answer without a crash; and what is
// accepted has harmless file names and reads back as it was written.
#include <cstdlib>
#include <string>
#include <string_view>

#include "model_store/model_names.h"
#include "model_store/oci.h"
#include "model_store/pack_signature.h"
#include "tests/fuzz/targets.h"

namespace hearth::fuzz {
namespace {
using namespace store;

void require(bool condition) {
  if (!condition) std::abort();
}

void manifest(std::string_view text) {
  auto parsed = oci::parse_manifest(text);
  if (!parsed) return;
  std::string written = oci::write_manifest(*parsed);
  auto again = oci::parse_manifest(written);
  require(again.has_value() && oci::write_manifest(*again) == written);
  auto names = oci::file_names_of(*parsed);
  if (!names) return;
  for (const std::string& name : *names)
    require(!name.empty() && name[0] != '/' && ("/" + name + "/").find("/../") == std::string::npos);
}

}  // namespace

void pack_documents(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  manifest(text);
  (void)oci::parse_index(text);
  (void)oci::parse_model_config(text);
  (void)check_payload(text, Digest::of("a"));
  (void)Digest::parse(text);
  require(check_model_name(make_model_name(text)).has_value());
}

}  // namespace hearth::fuzz
