// The small strict types at the border: digests, names, documents, keys.
#include <gtest/gtest.h>

#include "model_store/digest.h"
#include "model_store/file_names.h"
#include "model_store/oci.h"
#include "model_store/pack_signature.h"
#include "model_store/store_test_support.h"

namespace hearth::store::names_test {
namespace {
using namespace test;

TEST(Digest, KnownValuesAndIncrementalHashing) {
  EXPECT_EQ(Digest::of("").hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Digest::of("abc").text(), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 hash;
  for (const char* part : {"a", "bc"}) hash.update(std::as_bytes(std::span(part, std::string_view(part).size())));
  EXPECT_EQ(hash.finish(), Digest::of("abc"));
  EXPECT_EQ(hash.finish(), Digest::of(""));
}

TEST(Digest, OnlyTheExactFormIsADigest) {
  std::string hex(64, 'a');
  EXPECT_TRUE(Digest::parse("sha256:" + hex));
  for (const std::string& bad :
       {std::string(), hex, "sha256:" + hex.substr(1), "sha256:" + hex + "a", "sha512:" + hex, "SHA256:" + hex,
        "sha256:" + std::string(64, 'A'), "sha256:" + std::string(63, 'a') + "g", "sha256:../" + std::string(61, 'a'),
        "sha256:" + std::string(63, 'a') + std::string(1, '\0'), "sha256-" + hex, " sha256:" + hex})
    EXPECT_FALSE(Digest::parse(bad)) << bad;
}

TEST(Names, Files) {
  for (const char* good : {"a", "config.json", "a/b/c", "模型.gguf", "..a", "a..", ".hidden"})
    EXPECT_TRUE(check_file_name(good)) << good;
  for (const std::string& bad :
       {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"), std::string("."), std::string(".."),
        std::string("a/../b"), std::string("a/./b"), std::string("a\\b"), std::string("a\tb"), std::string("a\0b", 3),
        std::string("\xff"), std::string("\xc0\xaf"), std::string("\xed\xa0\x80"), std::string(256, 'a'),
        std::string("1/2/3/4/5/6/7/8/9")})
    EXPECT_FALSE(check_file_name(bad)) << bad;
  EXPECT_TRUE(check_file_names({"a", "b/c", "b/d"}));
  EXPECT_ERROR(check_file_names({"a", "a"}), Code::invalid_argument, "twice");
  EXPECT_ERROR(check_file_names({"a/b", "a"}), Code::invalid_argument, "both a file and a folder");
}

TEST(Oci, ManifestRoundTrip) {
  oci::Descriptor config{std::string(oci::kModelConfigType), "", Digest::of("c"), 1, {}};
  oci::Descriptor layer{
      std::string(oci::kWeightType), "", Digest::of("w"), 5, {{std::string(oci::kFilePath), "w.safetensors"}}};
  oci::Manifest manifest{std::string(oci::kModelType), config, {layer}, config, {{std::string(oci::kParent), "base"}}};
  std::string text = oci::write_manifest(manifest);
  oci::Manifest read = must(oci::parse_manifest(text));
  EXPECT_EQ(oci::write_manifest(read), text);
  EXPECT_TRUE(read.is_model());
  EXPECT_EQ(must(oci::file_names_of(read)), std::vector<std::string>{"w.safetensors"});
  read.layers[0].media_type = "application/vnd.cncf.model.weight.v1.tar";
  EXPECT_ERROR(oci::file_names_of(read), Code::unimplemented, "raw layers");
}

TEST(Oci, EveryPrefixAndEveryChangedByteOfAManifestIsHandled) {
  oci::Descriptor config{std::string(oci::kModelConfigType), "", Digest::of("c"), 1, {}};
  oci::Manifest manifest{std::string(oci::kModelType), config, {config}, config, {{"a", "b"}}};
  std::string text = oci::write_manifest(manifest);
  for (size_t n = 0; n < text.size(); ++n) EXPECT_FALSE(oci::parse_manifest(text.substr(0, n))) << n;
  for (size_t i = 0; i < text.size(); ++i)
    for (char c : {'\0', '"', '{', ']', '9', '-', '\xff'}) {
      std::string changed = text;
      changed[i] = c;
      (void)oci::parse_manifest(changed);  // any answer, no crash
      (void)oci::parse_index(changed);
      (void)oci::parse_model_config(changed);
    }
}

TEST(Oci, ConfigurationTextForPeopleIsCleaned) {
  oci::ModelInfo info =
      must(oci::parse_model_config(R"({"descriptor":{"name":"a\u0000b\u001b[31m","description":")" +
                                   std::string(10000, 'x') + R"(","licenses":["MIT","CC0-1.0"]},"config":{}})"));
  EXPECT_EQ(info.name, "a b [31m");
  EXPECT_EQ(info.description.size(), 4096u);
  EXPECT_EQ(info.license, "MIT AND CC0-1.0");
  EXPECT_EQ(oci::param_size_text(9'800'000), "9.8M");
  EXPECT_EQ(oci::param_size_text(1'240'000'000), "1.2B");
}

TEST(Signature, SignsLoadsAndRefuses) {
  TempFolder folder = must(TempFolder::create("signature_test"));
  auto file = folder.path() / "k.pem";
  std::string id = must(generate_signing_key(file));
  EXPECT_ERROR(generate_signing_key(file), Code::already_exists, "never overwritten");
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  SigningKey key = must(SigningKey::load(file));
  PublicKey pub = must(PublicKey::from_pem(must(read_file(file.string() + ".pub")), "k"));
  EXPECT_EQ(pub.id(), id);
  std::string signature = must(key.sign("hello"));
  EXPECT_TRUE(pub.verifies("hello", signature));
  EXPECT_FALSE(pub.verifies("hello!", signature));
  EXPECT_FALSE(pub.verifies("hello", ""));
  for (size_t i = 0; i < signature.size(); ++i) {
    std::string bad = signature;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    EXPECT_FALSE(pub.verifies("hello", bad)) << i;
  }
  EXPECT_FALSE(must(SigningKey::generate()).public_key().verifies("hello", signature));
}

TEST(Signature, ThePayloadMustNameThisManifest) {
  SigningKey key = must(SigningKey::generate());
  PackSignature signature = must(sign_pack(key, Digest::of("a"), "a"));
  EXPECT_TRUE(check_payload(signature.payload, Digest::of("a")));
  EXPECT_FALSE(check_payload(signature.payload, Digest::of("b")));
  for (const char* bad : {"", "{}", "[]", "null", R"({"critical":1})",
                          R"({"critical":{"type":"cosign container image signature","image":[]}})"})
    EXPECT_FALSE(check_payload(bad, Digest::of("a"))) << bad;
}

}  // namespace
}  // namespace hearth::store::names_test
