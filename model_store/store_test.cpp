// The store from the outside: import, look, verify, remove.
#include "model_store/store.h"

#include <thread>

#include "model_store/store_test_support.h"

namespace hearth::store::store_test {
namespace {
namespace fs = std::filesystem;
using namespace test;

TEST(Store, ReadersSeeAnEmptyStoreBeforeThereIsOne) {
  TempFolder folder = must(TempFolder::create("store_test"));
  Store store = must(Store::open(folder.path() / "none", Mode::read_only));
  EXPECT_TRUE(must(store.list()).empty());
  EXPECT_ERROR(store.find("x"), Code::not_found, "hearth models");
  EXPECT_FALSE(fs::exists(folder.path() / "none"));
}

TEST(Store, ASecondWriterIsRefusedAndAReaderIsNot) {
  Bench bench;
  Store writer = bench.open();
  EXPECT_ERROR(Store::open(bench.state, Mode::read_write), Code::failed_precondition, "another");
  Store reader = bench.open(Mode::read_only);
  EXPECT_TRUE(must(reader.list()).empty());
  EXPECT_ERROR(reader.remove("x"), Code::failed_precondition, "reading only");
}

TEST(Store, ImportKeepsFilesAndFacts) {
  Bench bench;
  fs::path source = bench.folder.path() / "My Model";
  make_model_folder(source, 1, 64 << 10, 3);
  must(write_file(source / "run.py", "print('never run')"));
  must(write_file(source / "optimizer.pt", "pickle"));
  must(write_file(source / "consolidated.safetensors", "the same again"));
  Store store = bench.open();
  ModelRecord model = must(store.import_model(source));
  EXPECT_EQ(model.name, "My-Model");
  EXPECT_EQ(model.kind, "model");
  EXPECT_EQ(model.family, "llama");
  EXPECT_EQ(model.max_seq_len, 256);
  EXPECT_EQ(model.license, "Apache-2.0");
  EXPECT_EQ(model.files.size(), 7u);  // 3 shards, their index, config, tokenizer, README
  fs::path view = must(store.folder(model.name));
  EXPECT_EQ(must(read_file(view / "config.json")), must(read_file(source / "config.json")));
  EXPECT_EQ(must(read_file(view / "model-00002-of-00003.safetensors")),
            must(read_file(source / "model-00002-of-00003.safetensors")));
  EXPECT_FALSE(fs::exists(view / "run.py"));
  EXPECT_FALSE(fs::exists(view / "optimizer.pt"));
  EXPECT_FALSE(fs::exists(view / "consolidated.safetensors"));
  EXPECT_EQ(must(store.loader_path(model.name)), view);
  ASSERT_OK(store.verify(model.name));
}

TEST(Store, ImportIsTheSameWhenRepeatedAndRefusesAnotherModelOfThatName) {
  Bench bench;
  make_model_folder(bench.folder.path() / "a", 1);
  make_model_folder(bench.folder.path() / "b", 2);
  Store store = bench.open();
  ModelRecord first = must(store.import_model(bench.folder.path() / "a", {.name = "m"}));
  ModelRecord again = must(store.import_model(bench.folder.path() / "a", {.name = "m"}));
  EXPECT_EQ(first.digest, again.digest);
  std::string before = fingerprint(bench.state);
  EXPECT_ERROR(store.import_model(bench.folder.path() / "b", {.name = "m"}), Code::already_exists, "--name");
  EXPECT_TRUE(fingerprint(bench.state) == before);
}

TEST(Store, WhatThisVersionCannotRunIsRefusedAtOnce) {
  Bench bench;
  fs::path folder = bench.folder.path() / "a";
  make_model_folder(folder);
  std::string config = must(read_file(folder / "config.json"));
  for (std::string_view name : {"LlamaForCausalLM", "\"llama\""})
    if (size_t at = config.find(name); at != std::string::npos)
      config.replace(at, name.size(), name[0] == '"' ? "\"gpt2\"" : "GPT2LMHeadModel");
  must(write_file(folder / "config.json", config));
  Store store = bench.open();
  const std::string before = fingerprint(bench.state);
  EXPECT_ERROR(store.import_model(folder, {}), Code::unimplemented, "was not imported");
  EXPECT_EQ(fingerprint(bench.state), before);
}

TEST(Store, TwoModelsShareEqualFiles) {
  Bench bench;
  make_model_folder(bench.folder.path() / "a", 1);
  Store store = bench.open();
  must(store.import_model(bench.folder.path() / "a", {.name = "one"}));
  uint64_t before = must(store.disk_use()).n_blobs;
  must(store.import_model(bench.folder.path() / "a", {.name = "two"}));
  EXPECT_EQ(must(store.disk_use()).n_blobs, before + 2);  // its own manifest and configuration only
  must(store.remove("one"));
  ASSERT_OK(store.verify("two"));
  must(store.remove("two"));
  EXPECT_EQ(must(store.disk_use()).n_blobs, 0u);
}

TEST(Store, WhatIsNoModelIsRefusedWithAReason) {
  Bench bench;
  Store store = bench.open();
  fs::path folder = bench.folder.path() / "x";
  must(make_folders(folder));
  std::string before = fingerprint(bench.state);
  EXPECT_ERROR(store.import_model(bench.folder.path() / "none"), Code::not_found, "does not exist");
  EXPECT_ERROR(store.import_model(folder), Code::invalid_argument, "holds no model");
  must(make_folders(bench.folder.path() / "models--a--b" / "snapshots" / "abc"));
  EXPECT_ERROR(store.import_model(bench.folder.path() / "models--a--b"), Code::invalid_argument, "name the snapshot");
  must(write_file(folder / "pytorch_model.bin", "pickle"));
  EXPECT_ERROR(store.import_model(folder), Code::invalid_argument, "pickled");
  must(write_file(folder / "model.safetensors", "version https://git-lfs.github.com/spec/v1\n"));
  EXPECT_ERROR(store.import_model(folder), Code::invalid_argument, "config.json");
  must(write_file(folder / "config.json", "{}"));
  EXPECT_ERROR(store.import_model(folder), Code::failed_precondition, "git lfs pull");
  EXPECT_ERROR(store.import_model(folder, {.name = "../../etc"}), Code::failed_precondition, "git lfs");
  make_model_folder(bench.folder.path() / "y", 1, 4096, 3);
  fs::remove(bench.folder.path() / "y" / "model-00003-of-00003.safetensors");
  EXPECT_ERROR(store.import_model(bench.folder.path() / "y"), Code::failed_precondition, "not complete");
  make_model_folder(bench.folder.path() / "z");
  EXPECT_ERROR(store.import_model(bench.folder.path() / "z", {.name = "../../etc"}), Code::invalid_argument, "letters");
  EXPECT_TRUE(fingerprint(bench.state) == before);
}

TEST(Store, AdapterNamesItsBaseAndProtectsIt) {
  Bench bench;
  Store store = bench.open();
  make_model_folder(bench.folder.path() / "base");
  make_adapter_folder(bench.folder.path() / "tuned", "/somewhere/base/");
  must(store.import_model(bench.folder.path() / "base"));
  ModelRecord adapter = must(store.import_model(bench.folder.path() / "tuned"));
  EXPECT_EQ(adapter.kind, "adapter");
  EXPECT_EQ(adapter.parent, "base");
  EXPECT_ERROR(store.remove("base"), Code::failed_precondition, "tuned");
  must(store.remove("tuned"));
  ASSERT_OK(store.remove("base"));
}

TEST(Store, CancellingAnImportChangesNothing) {
  Bench bench;
  make_model_folder(bench.folder.path() / "a", 1, 5 << 20);
  Store store = bench.open();
  std::string before = fingerprint(bench.state);
  std::stop_source stop;
  uint64_t last = 0;
  Control control{[&](uint64_t done, uint64_t total) {
                    EXPECT_GE(done, last);
                    EXPECT_LE(done, total);
                    last = done;
                    if (done > 0) stop.request_stop();
                  },
                  stop.get_token()};
  EXPECT_ERROR(store.import_model(bench.folder.path() / "a", {}, control), Code::cancelled, "nothing was changed");
  EXPECT_GT(last, 0u);
  EXPECT_TRUE(fingerprint(bench.state) == before);
}

TEST(Store, VerifyNamesTheDamagedFileAndImportingAgainRepairs) {
  Bench bench;
  make_model_folder(bench.folder.path() / "a", 1);
  Store store = bench.open();
  ModelRecord model = must(store.import_model(bench.folder.path() / "a"));
  for (const ModelFile& file : model.files)
    if (file.name == "model.safetensors") flip_bit(bench.state / "blobs" / "sha256" / file.digest.substr(7), 5000);
  EXPECT_ERROR(store.verify("a"), Code::data_loss, "model.safetensors");
  must(store.import_model(bench.folder.path() / "a"));
  ASSERT_OK(store.verify("a"));
}

TEST(Store, AViewIsRebuiltWhenTamperedWithAndReportsMissingBlobs) {
  Bench bench;
  make_model_folder(bench.folder.path() / "a", 1);
  Store store = bench.open();
  ModelRecord model = must(store.import_model(bench.folder.path() / "a"));
  fs::path view = must(store.folder("a"));
  fs::remove(view / "config.json");
  EXPECT_TRUE(fs::exists(must(store.folder("a")) / "config.json"));
  fs::remove_all(bench.state / "prepared");
  Store reader = bench.open(Mode::read_only);  // readers rebuild too
  EXPECT_TRUE(fs::exists(must(reader.folder("a")) / "config.json"));
  fs::remove(bench.state / "blobs" / "sha256" / model.files[0].digest.substr(7));
  EXPECT_ERROR(store.folder("a"), Code::data_loss, "missing");
}

TEST(Store, ALostCatalogIsMadeAgainFromTheBlobs) {
  Bench bench;
  make_model_folder(bench.folder.path() / "a", 1, 64 << 10, 2);
  make_model_folder(bench.folder.path() / "b", 2);
  ModelRecord a, b;
  {
    Store store = bench.open();
    a = must(
        store.import_model(bench.folder.path() / "a", {.version = "7", .parent = "base", .training_job = "job-1"}));
    b = must(store.import_model(bench.folder.path() / "b"));
  }
  for (const char* name : {"hearth.db", "hearth.db-wal", "hearth.db-shm"}) fs::remove(bench.state / name);
  for (const ModelFile& file : b.files)
    if (file.name == "model.safetensors") fs::remove(bench.state / "blobs" / "sha256" / file.digest.substr(7));
  Store store = bench.open();
  ASSERT_EQ(must(store.list()).size(), 1u);
  ModelRecord again = must(store.find("a"));
  EXPECT_EQ(again.digest, a.digest);
  EXPECT_EQ(again.version, "7");
  EXPECT_EQ(again.parent, "base");
  EXPECT_EQ(again.family, "llama");
  EXPECT_EQ(again.n_params, a.n_params);
  ASSERT_OK(store.verify("a"));
  for (const ModelFile& file : b.files)  // what is left of the other one is not thrown away unasked
    if (file.name != "model.safetensors")
      EXPECT_TRUE(fs::exists(bench.state / "blobs" / "sha256" / file.digest.substr(7))) << file.name;
}

TEST(Store, AnOlderCatalogFromABackupLosesNoModel) {
  Bench bench;
  make_model_folder(bench.folder.path() / "a", 1);
  make_model_folder(bench.folder.path() / "b", 2);
  fs::path backup = bench.folder.path() / "backup.db";
  {
    Store store = bench.open();
    must(store.import_model(bench.folder.path() / "a", {}));
  }
  fs::copy_file(bench.state / "hearth.db", backup);
  {
    Store store = bench.open();
    must(store.remove("a"));
    must(store.import_model(bench.folder.path() / "b", {.name = "a"}));
  }
  for (const char* name : {"hearth.db-wal", "hearth.db-shm"}) fs::remove(bench.state / name);
  fs::copy_file(backup, bench.state / "hearth.db", fs::copy_options::overwrite_existing);
  Store store = bench.open();
  ASSERT_EQ(must(store.list()).size(), 2u);
  ModelRecord adopted = must(store.find("a-2"));  // its manifest says "a", and that name is taken
  EXPECT_STREQ(adopted.origin.kind.text(), "recovered");
  ASSERT_OK(store.verify("a-2"));
  ASSERT_OK(store.remove("a-2"));
  EXPECT_ERROR(store.verify("a"), Code::data_loss, "damaged");  // its files were removed on purpose
}

TEST(Store, OneGgufIsImportedAloneAndOpenedAsAFile) {
  Bench bench;
  const fs::path gguf = fs::path(HEARTH_SOURCE_DIR) / "tests/golden/sharded_tokenizer_bf16/model-Q4_0.gguf";
  Store store = bench.open();
  ModelRecord model = must(store.import_model(gguf, {.name = "g"}));
  EXPECT_EQ(model.files.size(), 1u);
  EXPECT_EQ(must(store.loader_path("g")).extension(), ".gguf");
  EXPECT_EQ(must(read_file(must(store.loader_path("g")))), must(read_file(gguf)));
}

TEST(Store, ReadersListWhileAWriterImports) {
  Bench bench;
  make_model_folder(bench.folder.path() / "a", 1, 8 << 20);
  Store store = bench.open();
  std::jthread writer([&] {
    for (int i = 0; i < 3; ++i) {
      must(store.import_model(bench.folder.path() / "a"));
      must(store.remove("a"));
    }
  });
  Store reader = bench.open(Mode::read_only);
  for (int i = 0; i < 200; ++i) {
    ASSERT_OK(store.list());
    std::vector<ModelRecord> models = must(reader.list());
    ASSERT_LE(models.size(), 1u);
    if (!models.empty()) {
      ASSERT_EQ(models[0].files.size(), 4u);
    }
  }
}

}  // namespace
}  // namespace hearth::store::store_test
