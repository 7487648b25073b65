// What a pack is known by: its publisher and its name for people, in any script. And what makes it an update: the same
// identity and a version that is not older.
#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <map>

#include "base/json.h"
#include "model_store/digest.h"
#include "model_store/store_test_support.h"

namespace hearth::store::pack_identity_test {
namespace {
namespace fs = std::filesystem;
using namespace test;

struct PackIdentity : ::testing::Test {
  Bench bench;
  int n_packs = 0;

  std::string other_key() {
    const fs::path key = bench.folder.path() / "other.pem";
    if (!fs::exists(key)) must(generate_signing_key(key));
    must(bench.open().trust_key(key.string() + ".pub"));
    return key;
  }
  // A pack in a layout of its own.
  fs::path pack(const std::string& name, const std::string& version = "1.0", const std::string& key = "") {
    const int n = ++n_packs;
    const fs::path source = bench.folder.path() / ("source-" + std::to_string(n));
    fs::path layout = bench.folder.path() / ("layout-" + std::to_string(n));
    make_model_folder(source, n, 4096);
    Store maker = must(Store::open(bench.folder.path() / ("maker-" + std::to_string(n)), Mode::read_write));
    const ModelRecord model = must(maker.import_model(source, {.name = name, .version = version}));
    must(maker.export_pack(model.name, layout, {.signing_key = key.empty() ? bench.key.string() : key}));
    return layout;
  }
  static Result<ModelRecord> update(Store& store, const fs::path& layout, bool any_version = false) {
    return store.install(layout, "", {.replace = true, .any_version = any_version});
  }
  static std::vector<std::string> display_names(const Store& store) {
    std::vector<std::string> out;
    for (const ModelRecord& model : must(store.list())) out.push_back(model.display_name);
    std::sort(out.begin(), out.end());
    return out;
  }
};

TEST_F(PackIdentity, NamesOfEveryScriptStayApart) {
  const std::vector<std::string> names = {"模型甲", "模型乙", "Модель", "نموذج", "🙂", "🙃", "llama", "llаma"};
  std::map<std::string, fs::path> layouts;
  for (const std::string& name : names) layouts[name] = pack(name);
  Store store = bench.open();
  for (const std::string& name : names) ASSERT_OK(update(store, layouts[name]));
  std::vector<std::string> wanted = names;
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(display_names(store), wanted);
  for (const ModelRecord& model : must(store.list())) {
    ASSERT_OK(store.verify(model.name));
    EXPECT_EQ(must(store.scan(layouts[model.display_name]))[0].display_name, model.display_name);
    EXPECT_EQ(must(store.scan(layouts[model.display_name]))[0].name, model.name);
  }
}

TEST_F(PackIdentity, AnUpdateFindsItsModelUnderAnyName) {
  const fs::path one = pack("模型甲", "1.0"), two = pack("模型甲", "2.0"), three = pack("模型甲", "3.0");
  Store store = bench.open();
  const std::string name = must(update(store, one)).name;
  EXPECT_EQ(must(update(store, two)).name, name);
  EXPECT_EQ(must(store.list()).size(), 1u);
  must(store.remove(name));
  EXPECT_EQ(must(store.install(one, "", {.name = "mine"})).name, "mine");
  EXPECT_EQ(must(update(store, three)).name, "mine");
  EXPECT_EQ(must(store.find("mine")).version, "3.0");
  EXPECT_EQ(must(store.find("mine")).display_name, "模型甲");
}

TEST_F(PackIdentity, NamesThatDifferOnlyInWhatIsLostStayApart) {
  const fs::path one = pack("模型 (v1)"), two = pack("模型 [v1]");
  Store store = bench.open();
  const ModelRecord first = must(update(store, one)), second = must(update(store, two));
  EXPECT_NE(first.name, second.name);
  EXPECT_EQ(must(store.list()).size(), 2u);
  const fs::path upper = pack("Llama"), lower = pack("llama");
  const ModelRecord third = must(update(store, upper)), fourth = must(update(store, lower));
  EXPECT_EQ(third.name, "Llama");
  EXPECT_TRUE(fourth.name.starts_with("llama-")) << fourth.name;
  EXPECT_EQ(must(update(store, lower)).name, fourth.name);  // the same again
}

TEST_F(PackIdentity, ComposedAndDecomposedAreOneName) {
  const fs::path one = pack("caf\xC3\xA9", "1.0"), two = pack("cafe\xCC\x81", "2.0");
  Store store = bench.open();
  must(update(store, one));
  must(update(store, two));
  EXPECT_EQ(must(store.list()).size(), 1u);
  EXPECT_EQ(must(store.list())[0].version, "2.0");
}

TEST_F(PackIdentity, AnotherPublisherReplacesNothing) {
  const std::string foreign = other_key();
  for (const std::string name : {"m", "模型甲"}) {
    const fs::path ours = pack(name, "1.0"), theirs = pack(name, "2.0", foreign);
    Store store = bench.open();
    const ModelRecord model = must(update(store, ours));
    EXPECT_ERROR(update(store, theirs), Code::failed_precondition, "another publisher");
    EXPECT_ERROR(update(store, theirs, true), Code::failed_precondition, "another publisher");
    EXPECT_ERROR(store.install(theirs, "", {.name = model.name, .replace = true}), Code::failed_precondition, "--name");
    EXPECT_EQ(must(store.find(model.name)).digest, model.digest);
    EXPECT_EQ(must(store.install(theirs, "", {.name = "theirs-" + std::to_string(n_packs)})).display_name, name);
  }
}

// The same pack with a signature of somebody else's over it: it stays its first publisher's, who goes on updating it.
TEST_F(PackIdentity, SigningAnothersPackTakesNothingOver) {
  const fs::path ours = pack("m", "1.0"), next = pack("m", "2.0"), theirs = bench.folder.path() / "theirs";
  const std::string foreign = other_key();
  Store store = bench.open();
  const ModelRecord model = must(update(store, ours));
  must(must(Store::open(bench.folder.path() / "maker-1", Mode::read_write))
           .export_pack(model.name, theirs, {.signing_key = foreign}));
  for (const std::string& name : {std::string(), model.name}) {
    const ModelRecord after = must(store.install(theirs, "", {.name = name, .replace = true}));
    EXPECT_EQ(after.name, model.name);
    EXPECT_EQ(after.signer, model.signer);
    EXPECT_EQ(must(store.find(model.name)).signer, model.signer);
  }
  EXPECT_EQ(must(update(store, next)).name, model.name);
}

TEST_F(PackIdentity, AnImportIsNotReplacedByAPack) {
  const fs::path layout = pack("m", "2.0");
  Store store = bench.open();
  make_model_folder(bench.folder.path() / "m", 99, 4096);
  must(store.import_model(bench.folder.path() / "m"));
  EXPECT_ERROR(update(store, layout), Code::failed_precondition, "nobody");
}

TEST_F(PackIdentity, OnlyAVersionThatIsNotOlderIsAnUpdate) {
  struct Case {
    const char *installed, *offered, *refusal;  // null: it is an update
  };
  const Case cases[] = {{"v1.9", "v2.0", nullptr},
                        {"v2.0", "v1.9", "older than version v2.0"},
                        {"2025-06-01", "2025-01-01", "older"},
                        {"2025-01-01", "2025-06-01", nullptr},
                        {"2.0", "2.0-rc1", "older"},
                        {"2.0-rc1", "2.0", nullptr},
                        {"1.9", "1.10", nullptr},
                        {"1.0", "1.0", nullptr},
                        {"2.0", "2025-06-01", "cannot be told"},
                        {"2.0", "latest", "cannot be told"},
                        {"2.0", "", "cannot be told"},
                        {"", "2.0", "cannot be told"},
                        {"", "", "cannot be told"},
                        {"1.0", "２.０", "cannot be told"}};
  int n = 0;
  for (const Case& c : cases) {
    SCOPED_TRACE(fmt::format("{} over {}", c.offered, c.installed));
    const std::string name = "m" + std::to_string(++n);
    const fs::path one = pack(name, c.installed), two = pack(name, c.offered);
    Store store = bench.open();
    const std::string before = must(update(store, one)).digest;
    if (!c.refusal) {
      ASSERT_OK(update(store, two));
      continue;
    }
    EXPECT_ERROR(update(store, two), Code::failed_precondition, c.refusal);
    EXPECT_ERROR(update(store, two), Code::failed_precondition, "--any-version");
    EXPECT_EQ(must(store.find(name)).digest, before);
    ASSERT_OK(update(store, two, /*any_version=*/true));
    EXPECT_NE(must(store.find(name)).digest, before);
  }
}

// The same files under other documents are no other model: nothing is done, unless the version says otherwise.
TEST_F(PackIdentity, EqualContentIsNotInstalledAgain) {
  make_model_folder(bench.folder.path() / "source", 1, 4096);
  int n = 0;
  auto described = [&](const std::string& version, const std::string& description) {
    fs::path layout = bench.folder.path() / ("described-" + std::to_string(++n));
    Store maker = must(Store::open(bench.folder.path() / ("describer-" + std::to_string(n)), Mode::read_write));
    must(maker.import_model(bench.folder.path() / "source",
                            {.name = "m", .version = version, .description = description}));
    must(maker.export_pack("m", layout, {.signing_key = bench.key}));
    return layout;
  };
  const fs::path one = described("", "one"), two = described("", "two"), old = described("0.9", "three");
  Store store = bench.open();
  must(update(store, one));
  const std::string before = fingerprint(bench.state);
  const ModelRecord again = must(update(store, two));
  EXPECT_EQ(again.name, "m");
  EXPECT_EQ(again.description, "one");
  for (const fs::path& same : {one, two}) {  // so that nothing is offered which installing would not change
    EXPECT_TRUE(must(store.scan(same))[0].installed) << same;
    EXPECT_TRUE(must(store.check_pack(same, "")).installed) << same;
    EXPECT_EQ(must(store.scan(same))[0].name, "m");
  }
  EXPECT_FALSE(must(store.scan(old))[0].installed);
  n_packs = 7;  // other files
  EXPECT_FALSE(must(store.scan(pack("m", "")))[0].installed);
  EXPECT_EQ(fingerprint(bench.state), before);
  EXPECT_ERROR(update(store, old), Code::failed_precondition, "cannot be told");
  EXPECT_EQ(must(update(store, one)).description, "one");
  EXPECT_EQ(must(update(store, two, /*any_version=*/true)).description, "two");
  EXPECT_EQ(must(store.find("m")).description, "two");
  EXPECT_EQ(must(store.list()).size(), 1u);
  ASSERT_OK(store.verify("m"));
}

TEST_F(PackIdentity, PeopleFindAModelByItsNameUnlessSeveralHaveIt) {
  const fs::path ours = pack("模型甲"), theirs = pack("模型甲", "1.0", other_key());
  Store store = bench.open();
  const std::string name = must(update(store, ours)).name;
  EXPECT_EQ(must(store.resolve("模型甲")), name);
  EXPECT_EQ(must(store.resolve(name)), name);
  EXPECT_ERROR(store.resolve("模型乙"), Code::not_found, "模型乙");
  must(store.install(theirs, "", {.name = "theirs"}));
  EXPECT_ERROR(store.resolve("模型甲"), Code::invalid_argument, name + ", theirs");
  must(store.remove(name));
  EXPECT_EQ(must(must(Store::open(bench.state, Mode::read_only)).resolve("模型甲")), "theirs");
  EXPECT_ERROR(must(Store::open(bench.folder.path() / "empty", Mode::read_only)).resolve("m"), Code::not_found,
               "\"m\"");
}

TEST_F(PackIdentity, FoldersWhoseSafeNamesMeetAreTwoModels) {
  Store store = bench.open();
  const char* folders[] = {"My adapter", "My (adapter)", "模型甲", "模型乙", "Tiny", "tiny", "x.", "x"};
  std::map<std::string, std::string> digests;
  int seed = 0;
  for (const char* folder : folders) {
    make_model_folder(bench.folder.path() / folder, ++seed, 4096);
    const ModelRecord model = must(store.import_model(bench.folder.path() / folder));
    EXPECT_EQ(model.display_name, folder);
    digests[model.name] = model.digest;
  }
  EXPECT_EQ(digests.size(), std::size(folders));
  for (const char* folder : folders)  // the same again is the same
    EXPECT_TRUE(digests.contains(must(store.import_model(bench.folder.path() / folder)).name));
  EXPECT_EQ(must(store.list()).size(), std::size(folders));
  make_model_folder(bench.folder.path() / "again" / "My adapter", 77, 4096);
  EXPECT_ERROR(store.import_model(bench.folder.path() / "again" / "My adapter"), Code::already_exists,
               "My-adapter (My adapter)");
  EXPECT_EQ(must(store.import_model(bench.folder.path() / "again" / "My adapter", {.number_if_taken = true})).name,
            "My-adapter-2");
  EXPECT_ERROR(store.import_model(bench.folder.path() / "x", {.name = "TINY"}), Code::already_exists, "case");
}

TEST_F(PackIdentity, AStickKeepsWhatAnotherPutThere) {
  const std::string foreign = other_key();
  const fs::path ours = pack("m", "1.0"), theirs = pack("m", "1.0", foreign), newer = pack("m", "2.0");
  const fs::path stick = bench.folder.path() / "shared";
  auto carry = [&](const fs::path& layout, const char* box) {
    const fs::path state = bench.folder.path() / box;
    fs::create_directories(state);
    fs::copy(bench.state / "trust", state / "trust", fs::copy_options::skip_existing | fs::copy_options::recursive);
    Store store = must(Store::open(state, Mode::read_write));
    must(store.install(layout, "", {.replace = true}));
    must(store.export_pack("m", stick));
  };
  carry(ours, "box-1");
  carry(theirs, "box-2");
  EXPECT_EQ(must(bench.open().scan(stick)).size(), 2u);
  carry(newer, "box-1");  // takes the place of our older one
  std::vector<std::string> versions;
  for (const PackSummary& there : must(bench.open().scan(stick))) {
    EXPECT_EQ(there.trust, Trust::trusted) << there.problem;
    versions.push_back(there.version);
  }
  std::sort(versions.begin(), versions.end());
  EXPECT_EQ(versions, (std::vector<std::string>{"1.0", "2.0"}));
}

// The catalog is lost: what is found again is still its publisher's, and takes updates.
TEST_F(PackIdentity, AnAdoptedModelKeepsItsPublisher) {
  const fs::path one = pack("模型甲", "1.0"), two = pack("模型甲", "2.0");
  const ModelRecord before = [&] {
    Store store = bench.open();
    return must(update(store, one));
  }();
  for (const char* file : {"hearth.db", "hearth.db-wal", "hearth.db-shm"}) fs::remove(bench.state / file);
  Store store = bench.open();
  const ModelRecord adopted = must(store.find(before.name));
  EXPECT_EQ(adopted.signer, before.signer);
  EXPECT_EQ(adopted.display_name, "模型甲");
  const fs::path out = bench.folder.path() / "out";
  must(store.export_pack(adopted.name, out));
  EXPECT_EQ(must(store.scan(out))[0].trust, Trust::trusted);
  EXPECT_EQ(must(update(store, two)).name, before.name);
  EXPECT_EQ(must(store.list()).size(), 1u);
  must(store.remove(before.name));
  EXPECT_TRUE(fs::is_empty(bench.state / "blobs" / "signatures"));
}

TEST_F(PackIdentity, ACatalogOfTheVersionBeforeIsBroughtUpToDate) {
  const fs::path one = pack("模型甲", "1.0"), two = pack("模型甲", "2.0");
  const std::string name = [&] {
    Store store = bench.open();
    return must(update(store, one)).name;
  }();
  {
    SQLite::Database db((bench.state / "hearth.db").string(), SQLite::OPEN_READWRITE);
    db.exec("ALTER TABLE models DROP COLUMN display_name");
    db.exec("ALTER TABLE models DROP COLUMN origin");
    db.exec("UPDATE models SET source='pack from ' || source");
    db.exec("UPDATE schema_versions SET version=1 WHERE component='store'");
    fs::remove_all(bench.state / "blobs" / "signatures");
  }
  EXPECT_EQ(must(must(Store::open(bench.state, Mode::read_only)).find(name)).display_name, name);  // not known yet
  Store store = bench.open();
  EXPECT_EQ(must(store.find(name)).display_name, "模型甲");
  EXPECT_EQ(must(store.find(name)).origin, (Origin{"pack", one.string()}));
  EXPECT_FALSE(fs::is_empty(bench.state / "blobs" / "signatures"));
  EXPECT_EQ(must(update(store, two)).name, name);
}

// Where a model came from was a sentence once; readers of such a catalog understand it, and a writer keeps the kind.
TEST_F(PackIdentity, SentencesOfTheVersionBeforeBecomeKinds) {
  const std::pair<const char*, Origin> kCases[] = {{"bundled", {"bundled", ""}},
                                                   {"pack from /media/pack from a", {"pack", "/media/pack from a"}},
                                                   {"import of /data/模型", {"import", "/data/模型"}},
                                                   {"training job 17", {"training", "17"}},
                                                   {"recovered: the catalog was lost", {"recovered", ""}},
                                                   {"", {"unknown", ""}},
                                                   {"a friend", {"unknown", "a friend"}}};
  make_model_folder(bench.folder.path() / "m", 1, 4096);
  must(bench.open().import_model(bench.folder.path() / "m"));
  const fs::path file = bench.state / "hearth.db";
  for (const auto& [sentence, origin] : kCases) {
    SCOPED_TRACE(sentence);
    {
      SQLite::Database db(file.string(), SQLite::OPEN_READWRITE);
      db.exec("ALTER TABLE models DROP COLUMN origin");
      SQLite::Statement put(db, "UPDATE models SET source=?");
      put.bind(1, sentence);
      put.exec();
      db.exec("UPDATE schema_versions SET version=2 WHERE component='store'");
    }
    EXPECT_EQ(must(bench.open(Mode::read_only).find("m")).origin, origin);
    EXPECT_EQ(must(bench.open().find("m")).origin, origin);
    EXPECT_EQ(must(bench.open(Mode::read_only).find("m")).origin, origin);
    if (*sentence && origin.kind != "unknown") {
      EXPECT_EQ(in_words(origin), sentence);
    }
  }
}

// Counts how often each file of a folder is opened.
class Openings {
 public:
  explicit Openings(const fs::path& folder) : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    EXPECT_GE(::inotify_add_watch(fd_.get(), folder.c_str(), IN_OPEN), 0);
  }
  std::map<std::string, int> count() const {
    std::map<std::string, int> out;
    alignas(inotify_event) char buffer[1 << 16];
    ssize_t n = 0;
    while ((n = ::read(fd_.get(), buffer, sizeof buffer)) > 0)
      for (ssize_t at = 0; at < n;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
        if (event->len > 0 && (event->mask & IN_ISDIR) == 0) ++out[event->name];
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      }
    return out;
  }

 private:
  Fd fd_;
};

TEST_F(PackIdentity, AnUpdateReadsEachDocumentOnce) {
  const fs::path one = pack("m", "1.0"), two = pack("m", "2.0");
  Store store = bench.open();
  must(update(store, one));
  const Openings openings(two / "blobs" / "sha256");
  PackToInstall opened = must(store.open_pack(two, "", {.replace = true}));
  ASSERT_TRUE(opened.replaces());
  EXPECT_EQ(opened.replaces()->version, "1.0");
  EXPECT_EQ(opened.model().version, "2.0");
  const ModelRecord model = must(store.install(std::move(opened)));
  std::map<std::string, int> count = openings.count();
  for (const ModelFile& file : model.files) count.erase(file.digest.substr(7));  // payload is looked at, then copied
  EXPECT_EQ(count.size(), 5u);  // manifest, configuration; the signature's manifest, configuration and payload
  for (const auto& [name, n] : count) EXPECT_EQ(n, 1) << name;
}

}  // namespace
}  // namespace hearth::store::pack_identity_test
