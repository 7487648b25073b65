// Packs from export to install, and every way in which a pack can be wrong: each must be refused with a reason, and the
// store must be, file by file and row by row, what it was.
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "base/json.h"
#include "model_store/digest.h"
#include "model_store/pack_signature.h"
#include "model_store/store_test_support.h"

namespace hearth::store::pack_test {
namespace {
namespace fs = std::filesystem;
using namespace test;

fs::path blob_in(const fs::path& layout, const std::string& digest) {
  return layout / "blobs" / "sha256" / digest.substr(7);
}

// The descriptor of a named file in the exported pack.
std::string layer_digest(const fs::path& layout, const std::string& manifest, const std::string& name) {
  oci::Manifest parsed = must(oci::parse_manifest(must(read_file(blob_in(layout, manifest)))));
  for (const oci::Descriptor& layer : parsed.layers)
    if (layer.annotation(oci::kFilePath) == name) return layer.digest.text();
  ADD_FAILURE() << "no layer named " << name;
  return "";
}

// Rewrites the pack's manifest with `change` and signs it again, as a careless or hostile maker with a good key would.
std::string resign_with(const Bench& bench, const std::string& digest, const std::function<void(Json&)>& change);

struct Refusal {
  Code code;
  std::string part;
};

void expect_refused(const Bench& bench, Store& store, const std::string& digest, const Refusal& refusal) {
  std::string before = fingerprint(bench.state);
  auto installed = store.install(bench.stick, digest);
  ASSERT_FALSE(installed.has_value());
  EXPECT_EQ(installed.error().code, refusal.code) << installed.error().to_string();
  EXPECT_NE(installed.error().to_string().find(refusal.part), std::string::npos) << installed.error().to_string();
  EXPECT_TRUE(fingerprint(bench.state) == before);
}

TEST(Pack, ExportScanInstallRoundTrip) {
  Bench bench;
  std::string digest = bench.make_pack("tiny", 1, 64 << 10, 2);
  Store store = bench.open();
  std::vector<PackSummary> packs = must(store.scan(bench.stick));
  ASSERT_EQ(packs.size(), 1u);
  EXPECT_EQ(packs[0].trust, Trust::trusted) << packs[0].problem;
  EXPECT_EQ(packs[0].problem, "");
  EXPECT_EQ(packs[0].name, "tiny");
  EXPECT_EQ(packs[0].version, "1.0");
  EXPECT_EQ(packs[0].license, "Apache-2.0");
  EXPECT_EQ(packs[0].digest, digest);
  EXPECT_FALSE(packs[0].installed);
  EXPECT_EQ(packs[0].signer, must(store.trusted_keys())[0].id);

  uint64_t last = 0;
  ModelRecord model = must(store.install(bench.stick, "", {}, {[&](uint64_t done, uint64_t) { last = done; }, {}}));
  EXPECT_EQ(last, packs[0].size_bytes);
  EXPECT_EQ(model.digest, digest);
  EXPECT_EQ(model.signer, packs[0].signer);
  EXPECT_EQ(model.family, "llama");
  ASSERT_OK(store.verify("tiny"));
  fs::path view = must(store.folder("tiny")), source = bench.folder.path() / "source-tiny";
  for (const ModelFile& file : model.files)
    EXPECT_EQ(must(read_file(view / file.name)), must(read_file(source / file.name)));
  EXPECT_TRUE(must(store.scan(bench.stick))[0].installed);
}

TEST(Pack, AnInstalledPackIsExportedAgainWithItsOwnSignature) {
  Bench bench;
  std::string digest = bench.make_pack("tiny");
  Store store = bench.open();
  must(store.install(bench.stick, digest));
  fs::path second = bench.folder.path() / "second";
  EXPECT_EQ(must(store.export_pack("tiny", second)), digest);
  std::vector<PackSummary> packs = must(store.scan(second));
  ASSERT_EQ(packs.size(), 1u);
  EXPECT_EQ(packs[0].trust, Trust::trusted) << packs[0].problem;
  ASSERT_EQ(must(store.check_pack(second, "")).trust, Trust::trusted);
}

TEST(Pack, SeveralPacksInOneLayoutAndInFoldersBelow) {
  Bench bench;
  std::string one = bench.make_pack("one", 1), two = bench.make_pack("two", 2);
  Store store = bench.open();
  EXPECT_EQ(must(store.scan(bench.stick)).size(), 2u);
  EXPECT_ERROR(store.install(bench.stick, ""), Code::invalid_argument, "2 packs");
  fs::path root = bench.folder.path() / "media";
  must(make_folders(root));
  fs::rename(bench.stick, root / "packs");
  must(make_folders(root / "photos"));
  EXPECT_EQ(must(store.scan(root)).size(), 2u);
  EXPECT_EQ(must(store.install(root, two)).name, "two");
  EXPECT_ERROR(store.install(root / "photos", ""), Code::not_found, "OCI image layout");
  EXPECT_ERROR(store.install("https://example.org/pack", ""), Code::unimplemented, "stick");
}

TEST(Pack, ReplaceIsAnUpdate) {
  Bench bench;
  std::string one = bench.make_pack("m", 1);
  Store store = bench.open();
  must(store.install(bench.stick, one));
  fs::remove_all(bench.stick);
  fs::remove_all(bench.folder.path() / "maker");
  std::string two = bench.make_pack("m", 2);
  expect_refused(bench, store, two, {Code::already_exists, "--name"});
  EXPECT_EQ(must(store.install(bench.stick, two, {.replace = true})).digest, two);
  EXPECT_EQ(must(store.list()).size(), 1u);
  EXPECT_EQ(must(store.disk_use()).reclaimable_bytes, 0u);
  ASSERT_OK(store.verify("m"));
}

TEST(Pack, AnUpdateIsOfTheSamePublisherAndNotOlder) {
  Bench bench;
  std::string newer = bench.make_pack("m", 2, 64, 1, "1.10");
  Store store = bench.open();
  must(store.install(bench.stick, newer));
  auto remake = [&](const std::string& version) {
    fs::remove_all(bench.stick);
    fs::remove_all(bench.folder.path() / "maker");
    return bench.make_pack("m", 3, 64, 1, version);
  };
  std::string older = remake("1.9");
  EXPECT_ERROR(store.install(bench.stick, older, {.replace = true}), Code::failed_precondition,
               "older than version 1.10");
  bench.key = bench.folder.path() / "other.pem";
  must(generate_signing_key(bench.key));
  must(store.trust_key(bench.key.string() + ".pub"));
  std::string foreign = remake("2.0");
  EXPECT_ERROR(store.install(bench.stick, foreign, {.replace = true}), Code::failed_precondition, "another publisher");
  EXPECT_EQ(must(store.find("m")).digest, newer);
}

TEST(Pack, ExportFollowsNoLinkThatLiesOnTheStick) {
  Bench bench;
  std::string digest = bench.make_pack("m");
  Store store = bench.open();
  must(store.install(bench.stick, digest));
  const fs::path second = bench.folder.path() / "second", victim = bench.folder.path() / "victim";
  must(write_file(victim, "precious"));
  must(make_folders(second / "blobs" / "sha256"));
  const ModelRecord model = must(store.find("m"));
  for (const ModelFile& file : model.files) fs::create_symlink(victim, blob_in(second, file.digest));
  fs::create_symlink(victim, second / "index.json");
  EXPECT_EQ(must(store.export_pack("m", second)), digest);
  EXPECT_EQ(must(read_file(victim)), "precious");
  for (const ModelFile& file : model.files) EXPECT_FALSE(fs::is_symlink(blob_in(second, file.digest)));
  ASSERT_EQ(must(store.check_pack(second, "")).trust, Trust::trusted);

  const fs::path third = bench.folder.path() / "third";
  must(make_folders(third));
  fs::create_directory_symlink(bench.folder.path(), third / "blobs");
  EXPECT_ERROR(store.export_pack("m", third), Code::invalid_argument, "not a link");
  EXPECT_FALSE(fs::exists(bench.folder.path() / "sha256"));
  EXPECT_ERROR(store.export_pack("m", bench.state / "trust"), Code::invalid_argument, "state folder");
}

TEST(Pack, InstallingAgainRepairsADamagedModel) {
  Bench bench;
  std::string digest = bench.make_pack("m");
  Store store = bench.open();
  must(store.install(bench.stick, digest));
  flip_bit(blob_in(bench.state, layer_digest(bench.stick, digest, "model.safetensors")), 999);
  EXPECT_ERROR(store.verify("m"), Code::data_loss, "model.safetensors");
  must(store.install(bench.stick, digest));
  ASSERT_OK(store.verify("m"));
}

TEST(Pack, OneFlippedBitAnywhereIsRefused) {
  Bench bench;
  std::string digest = bench.make_pack("m", 1, 4096);
  Store store = bench.open();
  for (const auto& entry : fs::directory_iterator(bench.stick / "blobs" / "sha256")) {
    uint64_t size = fs::file_size(entry.path());
    for (uint64_t offset : {uint64_t{0}, size / 3, size / 2, size - 1}) {
      std::string before = fingerprint(bench.state);
      flip_bit(entry.path(), offset);
      auto installed = store.install(bench.stick, digest);
      EXPECT_FALSE(installed.has_value()) << entry.path() << " at " << offset;
      EXPECT_TRUE(fingerprint(bench.state) == before);
      EXPECT_NE(must(store.check_pack(bench.stick, digest)).trust, Trust::trusted);
      flip_bit(entry.path(), offset);
    }
  }
  ASSERT_OK(store.install(bench.stick, digest));  // flipped back: whole again
}

TEST(Pack, AFlippedBitInTheWeightsSaysSo) {
  Bench bench;
  std::string digest = bench.make_pack("m");
  Store store = bench.open();
  flip_bit(blob_in(bench.stick, layer_digest(bench.stick, digest, "model.safetensors")), 20000);
  expect_refused(bench, store, digest, {Code::data_loss, "get a fresh copy"});
  PackSummary checked = must(store.check_pack(bench.stick, digest));
  EXPECT_EQ(checked.trust, Trust::damaged);
  EXPECT_NE(checked.problem.find("fresh copy"), std::string::npos);
}

TEST(Pack, TruncatedOverlongAndMissingFilesAreRefused) {
  Bench bench;
  std::string digest = bench.make_pack("m");
  Store store = bench.open();
  fs::path weights = blob_in(bench.stick, layer_digest(bench.stick, digest, "model.safetensors"));
  uint64_t size = fs::file_size(weights);
  fs::resize_file(weights, size - 1);
  expect_refused(bench, store, digest, {Code::data_loss, "truncated"});
  EXPECT_EQ(must(store.scan(bench.stick))[0].trust, Trust::damaged);
  fs::resize_file(weights, size + 1);
  expect_refused(bench, store, digest, {Code::data_loss, "too long"});
  fs::remove(weights);
  expect_refused(bench, store, digest, {Code::data_loss, "incomplete"});
}

TEST(Pack, UnsignedForeignAndWrongSignaturesAreRefused) {
  Bench bench;
  std::string digest = bench.make_pack("m");
  Store store = bench.open();
  fs::path layout = bench.folder.path() / "other", foreign = bench.folder.path() / "foreign.pem";
  Store maker = must(Store::open(bench.folder.path() / "maker", Mode::read_write));
  must(maker.export_pack("m", layout));
  EXPECT_ERROR(store.install(layout, digest), Code::permission_denied, "not signed");
  EXPECT_EQ(must(store.scan(layout))[0].trust, Trust::untrusted);

  std::string key_id = must(generate_signing_key(foreign));
  must(maker.export_pack("m", layout, {.signing_key = foreign}));
  EXPECT_ERROR(store.install(layout, digest), Code::permission_denied, key_id);
  EXPECT_ERROR(store.install(layout, digest), Code::permission_denied, ".pub file");
  must(store.trust_key(foreign.string() + ".pub"));
  EXPECT_EQ(must(store.scan(layout))[0].trust, Trust::trusted);
}

TEST(Pack, ADamagedSignatureIsDamageAndNotAbsence) {
  Bench bench;
  std::string digest = bench.make_pack("m");
  Store store = bench.open();
  for (const oci::Descriptor& entry : must(oci::parse_index(must(read_file(bench.stick / "index.json")))))
    if (entry.annotation(oci::kRefName).ends_with(".sig")) flip_bit(blob_in(bench.stick, entry.digest.text()), 10);
  EXPECT_EQ(must(store.scan(bench.stick))[0].trust, Trust::damaged);
  EXPECT_ERROR(store.install(bench.stick, digest), Code::data_loss, "signature is damaged");
}

TEST(Pack, OneOfSeveralHasToBeChosenAndTheMessageNamesThem) {
  Bench bench;
  std::string one = bench.make_pack("one", 1), two = bench.make_pack("two", 2);
  Store store = bench.open();
  EXPECT_ERROR(store.install(bench.stick, ""), Code::invalid_argument, "one " + one.substr(0, 19));
  EXPECT_ERROR(store.install(bench.stick, ""), Code::invalid_argument, "two " + two.substr(0, 19));
}

TEST(Pack, ASignatureOfAnotherPackIsRefused) {
  Bench bench;
  std::string one = bench.make_pack("one", 1), two = bench.make_pack("two", 2);
  // Give pack two's signature entry the tag of pack one, and drop one's own.
  fs::path index = bench.stick / "index.json";
  std::vector<oci::Descriptor> entries = must(oci::parse_index(must(read_file(index))));
  std::string tag_one = "sha256-" + one.substr(7) + ".sig", tag_two = "sha256-" + two.substr(7) + ".sig";
  std::erase_if(entries, [&](const oci::Descriptor& entry) { return entry.annotation(oci::kRefName) == tag_one; });
  for (oci::Descriptor& entry : entries)
    if (entry.annotation(oci::kRefName) == tag_two) entry.annotations[std::string(oci::kRefName)] = tag_one;
  must(write_file(index, oci::write_index(entries)));
  Store store = bench.open();
  expect_refused(bench, store, one, {Code::data_loss, "changed after it was signed"});
}

TEST(Pack, LinksAndDevicesInThePackAreRefused) {
  Bench bench;
  std::string digest = bench.make_pack("m");
  Store store = bench.open();
  fs::path weights = blob_in(bench.stick, layer_digest(bench.stick, digest, "model.safetensors"));
  fs::path moved = bench.folder.path() / "elsewhere";
  fs::rename(weights, moved);
  fs::create_symlink(moved, weights);
  expect_refused(bench, store, digest, {Code::invalid_argument, "symbolic link"});
  fs::remove(weights);
  ASSERT_EQ(::mkfifo(weights.c_str(), 0600), 0);  // would block for ever if it were opened as a file
  expect_refused(bench, store, digest, {Code::invalid_argument, "not a regular file"});
  fs::remove(weights);
  fs::rename(moved, weights);
  fs::rename(bench.stick / "blobs", bench.folder.path() / "blobs");
  fs::create_directory_symlink(bench.folder.path() / "blobs", bench.stick / "blobs");
  expect_refused(bench, store, digest, {Code::invalid_argument, "not a link"});
}

TEST(Pack, HostileFileNamesAreRefusedEvenWhenSigned) {
  Bench bench;
  std::string digest = bench.make_pack("m", 1, 4096);
  Store store = bench.open();
  for (const char* name : {"../../evil", "/etc/passwd", "a/../../b", "", ".", "a//b", "a\\b", "config.json", "a\nb"}) {
    std::string hostile = resign_with(bench, digest, [&](Json& manifest) {
      for (Json& layer : manifest["layers"])
        if (layer["annotations"][std::string(oci::kFilePath)] == "model.safetensors")
          layer["annotations"][std::string(oci::kFilePath)] = name;
    });
    SCOPED_TRACE(name);
    expect_refused(bench, store, hostile, {Code::invalid_argument, *name ? "file name" : "no annotation"});
  }
}

// The loader's own check, before a pack takes its place: what could not run is refused by name, and what was there
// stays.
TEST(Pack, WhatCannotBeRunIsRefusedByName) {
  Bench bench;
  const std::string good = bench.make_pack("m", 1, 4096);
  Store store = bench.open();
  must(store.install(bench.stick, good));
  const std::string config = must(read_file(blob_in(bench.stick, layer_digest(bench.stick, good, "config.json"))));
  auto changed = [&](const Json& values) {
    Json json = must(parse_json(config));
    json.update(values);
    return dump_json(json);
  };
  auto with_file = [&](const std::string& name, const std::string& bytes) {
    must(write_file(blob_in(bench.stick, Digest::of(bytes).text()), bytes));
    return resign_with(bench, good, [&](Json& manifest) {
      for (Json& layer : manifest["layers"]) {
        if (layer["annotations"][std::string(oci::kFilePath)] != name) continue;
        layer["digest"] = Digest::of(bytes).text();
        layer["size"] = bytes.size();
      }
    });
  };
  auto without_file = [&](const std::string& name) {
    return resign_with(bench, good, [&](Json& manifest) {
      Json kept = Json::array();
      for (const Json& layer : manifest["layers"])
        if (layer["annotations"][std::string(oci::kFilePath)] != name) kept.push_back(layer);
      manifest["layers"] = kept;
    });
  };
  const std::string before = fingerprint(bench.state);
  // Each takes the place of the one before on the stick.
  const std::pair<std::function<std::string()>, std::string> kCases[] = {
      {[&] {
         return with_file("config.json", changed({{"model_type", "llama-of-tomorrow"},
                                                  {"architectures", Json::array({"LlamaOfTomorrow"})}}));
       },
       "LlamaOfTomorrow"},
      {[&] {
         return with_file("config.json", changed({{"hidden_act", "swish9"}}));
       },
       "hidden_act"},
      {[&] {
         return with_file("config.json", changed({{"num_hidden_layers", 2}}));
       },
       "model.layers.1."},
      {[&] { return with_file("tokenizer.json", "{\"model\": {}}"); }, "tokenizer"},
      {[&] { return without_file("tokenizer.json"); }, "tokenizer.json, tokenizer.model or vocab.txt"},
      {[&] { return without_file("config.json"); }, "config.json"},
      {[&] { return without_file("model.safetensors"); }, ""}};
  for (const auto& [make, part] : kCases) {
    SCOPED_TRACE(part);
    const std::string digest = make();
    for (const InstallOptions& options :
         {InstallOptions{.replace = true, .any_version = true}, InstallOptions{.name = "other"}}) {
      auto installed = store.install(bench.stick, digest, options);
      ASSERT_FALSE(installed.has_value());
      const std::string why = installed.error().to_string();
      EXPECT_NE(why.find("m is refused, since this version of Hearth could not run it"), std::string::npos) << why;
      EXPECT_NE(why.find(part), std::string::npos) << why;
      EXPECT_EQ(why.find("incoming"), std::string::npos) << "a path of ours: " << why;
      EXPECT_EQ(fingerprint(bench.state), before);
    }
  }
}

TEST(Pack, HostileSizesAreRefusedEvenWhenSigned) {
  Bench bench;
  std::string digest = bench.make_pack("m", 1, 4096);
  std::string hostile = resign_with(bench, digest, [&](Json& manifest) {
    for (Json& layer : manifest["layers"]) layer["size"] = 1000000000000000000;
  });
  Store store = bench.open();
  expect_refused(bench, store, hostile, {Code::invalid_argument, "limit"});
}

TEST(Pack, ABrokenIndexIsShownAndRefused) {
  Bench bench;
  std::string digest = bench.make_pack("m", 1, 4096);
  Store store = bench.open();
  std::string good = must(read_file(bench.stick / "index.json"));
  for (const std::string& bad :
       {std::string(), std::string("{"), std::string("[]"), std::string(R"({"schemaVersion":2})"),
        std::string(R"({"schemaVersion":1,"manifests":[]})"), std::string(5 << 20, ' '),
        std::string(
            R"({"schemaVersion":2,"manifests":[{"mediaType":"x","size":1,"digest":"sha256:../../../etc/passwd"}]})"),
        std::string(R"({"schemaVersion":2,"manifests":)") + std::string(100000, '[')}) {
    must(write_file(bench.stick / "index.json", bad));
    std::vector<PackSummary> packs = must(store.scan(bench.stick));
    ASSERT_EQ(packs.size(), 1u);
    EXPECT_EQ(packs[0].trust, Trust::damaged);
    EXPECT_NE(packs[0].problem, "");
    expect_refused(bench, store, digest, {Code::invalid_argument, "index.json"});
  }
  must(write_file(bench.stick / "index.json", good));
  ASSERT_OK(store.install(bench.stick, digest));
}

TEST(Pack, ABadKeyFileIsNamed) {
  Bench bench;
  bench.make_pack("m", 1, 4096);
  Store store = bench.open();
  must(write_file(bench.state / "trust" / "bad.pub", "not a key"));
  EXPECT_ERROR(store.scan(bench.stick), Code::invalid_argument, "bad.pub");
  EXPECT_ERROR(store.trust_key(bench.key), Code::invalid_argument, "public key");  // the private key is not one
}

// A full disk. First choice: a store on a tmpfs of a few MiB. Where mounting is not allowed: a limit on file sizes.
TEST(Pack, AFullDiskIsRefusedAndTheStoreUnchanged) {
  Bench bench;
  std::string digest = bench.make_pack("big", 1, 5 << 20);
  fs::path small = bench.folder.path() / "small";
  must(make_folders(small));
  if (::mount("tmpfs", small.c_str(), "tmpfs", 0, "size=3m") != 0)
    GTEST_SKIP() << "mounting is not possible here; see AFileSizeLimitIsLikeAFullDisk";
  fs::copy(bench.state / "trust", small / "trust");
  {
    Store store = must(Store::open(small, Mode::read_write));
    make_model_folder(bench.folder.path() / "first", 3, 64 << 10);
    must(store.import_model(bench.folder.path() / "first"));
    std::string before = fingerprint(small);
    EXPECT_ERROR(store.install(bench.stick, digest), Code::resource_exhausted, "free");
    EXPECT_ERROR(store.import_model(bench.folder.path() / "source-big"), Code::resource_exhausted, "free");
    EXPECT_TRUE(fingerprint(small) == before);
    ASSERT_OK(store.verify("first"));
  }
  ::umount(small.c_str());
}

// Space that vanishes between the check and the copy, at every size: the copy itself must fail cleanly.
TEST(Pack, AFileSizeLimitIsLikeAFullDisk) {
  Bench bench;
  std::string digest = bench.make_pack("m", 1, 4 << 20);
  Store store = bench.open();
  std::string before = fingerprint(bench.state);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit unlimited{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  for (rlim_t limit : {rlim_t{100}, rlim_t{1} << 10, rlim_t{1} << 20, rlim_t{3} << 20}) {
    rlimit small{limit, unlimited.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    auto installed = store.install(bench.stick, digest);
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &unlimited), 0);
    EXPECT_FALSE(installed.has_value());
    EXPECT_TRUE(fingerprint(bench.state) == before);
  }
  ASSERT_OK(store.install(bench.stick, digest));
}

TEST(Pack, CancellingAnInstallChangesNothing) {
  Bench bench;
  std::string digest = bench.make_pack("m", 1, 5 << 20);
  Store store = bench.open();
  std::string before = fingerprint(bench.state);
  std::stop_source stop;
  Control control{[&](uint64_t done, uint64_t) { done > 0 ? (void)stop.request_stop() : (void)0; }, stop.get_token()};
  EXPECT_ERROR(store.install(bench.stick, digest, {}, control), Code::cancelled, "nothing was changed");
  EXPECT_TRUE(fingerprint(bench.state) == before);
}

std::string resign_with(const Bench& bench, const std::string& digest, const std::function<void(Json&)>& change) {
  Json manifest = must(parse_json(must(read_file(blob_in(bench.stick, digest)))));
  change(manifest);
  std::string text = dump_json(manifest);
  PackLayout layout = must(PackLayout::open(bench.stick));
  must(layout.add_document(text));
  oci::Descriptor entry{std::string(oci::kManifestType),
                        std::string(oci::kModelType),
                        Digest::of(text),
                        text.size(),
                        {{std::string(oci::kRefName), "changed"}}};
  SigningKey key = must(SigningKey::load(bench.key));
  PackSignature signature = must(sign_pack(key, entry.digest, "changed"));
  must(layout.add_to_index({entry, must(write_signature(layout, signature, key.public_key().id(), entry))}));
  return entry.digest.text();
}

}  // namespace
}  // namespace hearth::store::pack_test
