// Adapters in the store: they find their base or say which is missing, are listed with what they have from it, load
// merged, keep their base alive through removals and updates; and files that are adopted, not copied.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/json.h"
#include "model_store/formats/adapters/adapter.h"
#include "model_store/store_test_support.h"

namespace hearth::store::adapters_test {
namespace {
using namespace test;
namespace fs = std::filesystem;

struct AdapterBench : Bench {
  fs::path base = folder.path() / "base", tuned = folder.path() / "tuned";
  AdapterBench() {
    make_model_folder(base);
    make_adapter_folder(tuned, "/somewhere/base/");
  }
  // The maker's next version, alone on the stick.
  std::string next_pack(int seed, const std::string& version) const {
    fs::remove_all(stick);
    fs::remove_all(folder.path() / "maker");
    return make_pack("base", seed, 64 << 10, 1, version);
  }
  void set(const char* key, const Json& value) const {
    Json json = *parse_json(*read_file(tuned / "adapter_config.json"));
    json[key] = value;
    must(write_file(tuned / "adapter_config.json", dump_json(json)));
  }
};

TEST(StoreAdapters, HaveFamilyContextAndTemplateOfTheirBase) {
  AdapterBench bench;
  Store store = bench.open();
  must(store.import_model(bench.base));
  must(store.import_model(bench.tuned));
  const ModelRecord base = must(store.find("base")), found = must(store.find("tuned"));
  EXPECT_EQ(found.kind, "adapter");
  EXPECT_EQ(found.family, base.family);
  EXPECT_EQ(found.max_seq_len, base.max_seq_len);
  EXPECT_LT(found.n_params, 10'000u) << "its own";
  const auto listed = must(store.list());
  ASSERT_EQ(listed.size(), 2u);
  EXPECT_EQ(listed[1].family, base.family);
}

TEST(StoreAdapters, LeadALoaderToTheirBase) {
  AdapterBench bench;
  Store store = bench.open();
  must(store.import_model(bench.base));
  must(store.import_model(bench.tuned));
  const fs::path path = must(store.loader_path("tuned"));
  EXPECT_TRUE(is_adapter_folder(path));
  EXPECT_EQ(must(base_of_adapter(path)), fs::canonical(must(store.loader_path("base"))));
  ASSERT_OK(read_adapter(path, must(load_config(path))));
  // A reader makes what is disposable again.
  fs::remove_all(bench.state / "prepared");
  const Store reader = bench.open(Mode::read_only);
  EXPECT_TRUE(base_of_adapter(must(reader.loader_path("tuned"))).has_value());
}

TEST(StoreAdapters, FindTheirBaseByNamePathOrByBeingTold) {
  AdapterBench bench;
  Store store = bench.open();
  EXPECT_ERROR(store.import_model(bench.tuned), Code::failed_precondition, "--base");
  EXPECT_ERROR(store.import_model(bench.tuned), Code::failed_precondition, "/somewhere/base/");
  must(store.import_model(bench.base, {.name = "other"}));
  EXPECT_ERROR(store.import_model(bench.tuned), Code::failed_precondition, "there are: other");
  EXPECT_ERROR(store.import_model(bench.tuned, {.parent = "nobody"}), Code::failed_precondition, "\"nobody\"");
  EXPECT_EQ(must(store.import_model(bench.tuned, {.name = "told", .parent = "other"})).parent, "other");
  EXPECT_ERROR(store.import_model(bench.tuned, {.name = "b", .parent = "told"}), Code::failed_precondition, "told");
  bench.set("base_model_name_or_path", bench.base.string());
  EXPECT_EQ(must(store.import_model(bench.tuned, {.name = "by-path"})).parent, "other");
  bench.set("base_model_name_or_path", "someone/other");
  EXPECT_EQ(must(store.import_model(bench.tuned, {.name = "by-name"})).parent, "other");
  bench.set("base_model_name_or_path", nullptr);
  EXPECT_ERROR(store.import_model(bench.tuned), Code::failed_precondition, "does not say");
}

TEST(StoreAdapters, OfANameThatSeveralHaveAskWhichItIs) {
  AdapterBench bench;
  Store store = bench.open();
  must(store.import_model(bench.base, {.name = "one", .display_name = "base"}));
  must(store.import_model(bench.base, {.name = "two", .version = "2", .display_name = "base"}));
  EXPECT_ERROR(store.import_model(bench.tuned), Code::failed_precondition,
               "2 models here are called \"base\": one, two");
  EXPECT_ERROR(store.import_model(bench.tuned), Code::failed_precondition, "--base");
  EXPECT_ERROR(store.import_model(bench.tuned, {.parent = "base"}), Code::invalid_argument, "one, two");
  EXPECT_EQ(must(store.import_model(bench.tuned, {.name = "told", .parent = "two"})).parent, "two");
  fs::create_directories(bench.folder.path() / "elsewhere");
  fs::copy(bench.base, bench.folder.path() / "elsewhere" / "base", fs::copy_options::recursive);
  bench.set("base_model_name_or_path", (bench.folder.path() / "elsewhere" / "base").string());
  must(store.import_model(bench.folder.path() / "elsewhere" / "base", {.name = "three", .version = "3"}));
  EXPECT_EQ(must(store.import_model(bench.tuned, {.name = "by-path"})).parent, "three") << "a path is of one";
}

TEST(StoreImport, OnlyAnAdapterHasABase) {
  AdapterBench bench;
  Store store = bench.open();
  must(store.import_model(bench.base));
  for (const char* base : {"base", "nobody"})
    EXPECT_ERROR(store.import_model(bench.base, {.name = "second", .parent = base}), Code::invalid_argument,
                 "leave out --base");
  EXPECT_EQ(must(store.list()).size(), 1u);
  const ImportOptions trained{.name = "trained", .parent = "base", .training_job = "job-1"};
  EXPECT_EQ(must(store.import_model(bench.base, trained)).parent, "base") << "what it was trained from";
}

TEST(StoreAdapters, ThatDoNotFitOrAreOfAnotherKindAreRefusedAtImport) {
  AdapterBench bench;
  Store store = bench.open();
  must(store.loader_path(must(store.import_model(bench.base)).name));  // its links are made when it is first read
  const std::string before = fingerprint(bench.state);
  bench.set("r", 3);
  EXPECT_ERROR(store.import_model(bench.tuned), Code::data_loss, "expected [3, 64]");
  bench.set("r", 4);
  bench.set("use_qalora", true);
  EXPECT_ERROR(store.import_model(bench.tuned), Code::unimplemented, "use_qalora");
  bench.set("use_qalora", false);
  bench.set("peft_type", "IA3");
  EXPECT_ERROR(store.import_model(bench.tuned), Code::unimplemented, "merge_and_unload");
  EXPECT_EQ(fingerprint(bench.state), before);
  bench.set("peft_type", "LORA");
  must(store.import_model(bench.tuned / "adapter_model.safetensors", {.name = "by-its-weights"}));
}

TEST(StoreAdapters, KeepTheOldFilesOfABaseThatIsUpdated) {
  AdapterBench bench;
  Store store = bench.open();
  const ModelRecord old = must(store.install(bench.stick, bench.next_pack(1, "1.0")));
  must(store.import_model(bench.tuned));
  const std::string fresh = bench.next_pack(2, "2.0");
  must(store.install(bench.stick, fresh, {.replace = true}));
  EXPECT_EQ(must(store.find("base")).digest, fresh);
  EXPECT_EQ(must(store.find("tuned")).parent, "base-1.0");
  EXPECT_EQ(must(store.find("base-1.0")).digest, old.digest);
  ASSERT_OK(store.verify("base-1.0"));
  EXPECT_EQ(must(base_of_adapter(must(store.loader_path("tuned")))),
            fs::canonical(must(store.loader_path("base-1.0"))));
  must(store.remove("tuned"));
  must(store.remove("base-1.0"));
}

TEST(StoreAdapters, AnUpdateWithoutAdaptersKeepsNothing) {
  AdapterBench bench;
  Store store = bench.open();
  must(store.install(bench.stick, bench.next_pack(1, "1.0")));
  must(store.install(bench.stick, bench.next_pack(2, "2.0"), {.replace = true}));
  EXPECT_EQ(must(store.list()).size(), 1u);
}

ino_t inode_of(const fs::path& path) {
  struct stat st {};
  EXPECT_EQ(::stat(path.c_str(), &st), 0) << path;
  return st.st_ino;
}

TEST(StoreImport, AdoptedFilesAreNotCopied) {
  Bench bench;
  const fs::path made = bench.state / "jobs/1/result";
  Store store = bench.open();
  make_model_folder(made, 1, 1 << 20);
  const ino_t weights = inode_of(made / "model.safetensors");
  must(store.import_model(made, {.name = "trained", .adopt = true}));
  const fs::path view = must(store.loader_path("trained"));
  EXPECT_EQ(inode_of(view / "model.safetensors"), weights);
  EXPECT_EQ(fs::status(view / "model.safetensors").permissions() & fs::perms::owner_write, fs::perms::none);
  must(store.import_model(made, {.name = "trained", .adopt = true}));  // again, after a service that was killed
  fs::remove_all(made);
  ASSERT_OK(store.verify("trained"));
  // Without it, whoever goes on writing to the file changes nothing here.
  make_model_folder(made, 2);
  must(store.import_model(made, {.name = "copied"}));
  EXPECT_NE(inode_of(must(store.loader_path("copied")) / "model.safetensors"), inode_of(made / "model.safetensors"));
}

}  // namespace
}  // namespace hearth::store::adapters_test
