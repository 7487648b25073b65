// The API as a whole: events and their resumption, packs and the bundled model, OpenAPI, limits, metrics.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "appliance/box/visible_path.h"
#include "appliance/hearthd/endpoints/endpoints.h"
#include "appliance/hearthd/testing/service_fixture.h"
#include "model_store/signature.h"

namespace hearth::service_test {
namespace {

struct Whole : ServiceFixture {
  // Exports the golden model as a signed pack to folder/stick; its key goes to folder/trust.
  void make_stick() {
    ASSERT_TRUE(make_folders(folder.path() / "trust"));
    auto store = store::Store::open(folder.path() / "maker", store::Mode::read_write);
    ASSERT_TRUE(store);
    ASSERT_TRUE(store->import_model(golden_model(), {.name = "mini", .version = "1.0", .license = "Apache-2.0"}));
    ASSERT_TRUE(store::generate_signing_key(folder.path() / "key.pem"));
    std::filesystem::copy(folder.path() / "key.pem.pub", folder.path() / "trust" / "maker.pub");
    auto digest =
        store->export_pack("mini", folder.path() / "media" / "stick", {.signing_key = folder.path() / "key.pem"});
    ASSERT_TRUE(digest) << digest.error().to_string();
  }
  // The next version of the same model, to folder/media/update.
  void make_update() {
    auto store = store::Store::open(folder.path() / "maker", store::Mode::read_write);
    ASSERT_TRUE(store);
    ASSERT_TRUE(store->remove("mini"));
    ASSERT_TRUE(store->import_model(golden_model(), {.name = "mini", .version = "2.0", .license = "Apache-2.0"}));
    auto digest =
        store->export_pack("mini", folder.path() / "media" / "update", {.signing_key = folder.path() / "key.pem"});
    ASSERT_TRUE(digest) << digest.error().to_string();
  }
  api::Job install(const char* medium) {
    auto job = service->jobs.install({.path = (folder.path() / "media" / medium).string()});
    EXPECT_TRUE(job);
    return wait_for_job(job->id);
  }
  ServiceOptions trusting() const {
    ServiceOptions out = options();
    out.trust_folders = {folder.path() / "trust"};
    return out;
  }
};

TEST_F(Whole, EventsResumeWhereAClientStopped) {
  start();
  auto open = [&](std::optional<std::string> last_id) {
    http::ClientRequest request{.url = "http://localhost/hearth/v1/events",
                                .unix_socket = service->options.state.socket(),
                                .timeout = std::chrono::seconds(20)};
    if (last_id) request.headers.set("Last-Event-ID", *last_id);
    return *http::ClientStream::open(request);
  };
  auto next = [](http::ClientStream& stream) {
    return *from_json<api::Event>(*parse_json((**stream.next_event()).data));
  };
  http::ClientStream first = open(std::to_string(service->events.last_id()));
  service->events.publish("model", "a", "one");
  service->events.publish("model", "a", "two");
  api::Event one = next(first), two = next(first);
  EXPECT_EQ(one.message, "one");
  EXPECT_EQ(two.id, one.id + 1);
  service->events.publish("model", "a", "three");
  http::ClientStream again = open(std::to_string(one.id));
  EXPECT_EQ(next(again).message, "two");
  EXPECT_EQ(next(again).message, "three");
  http::ClientStream stranger = open("5");  // of another life of the service
  api::Event resync = next(stranger);
  EXPECT_STREQ(resync.kind.text(), "box");
  EXPECT_NE(resync.message.find("read everything again"), std::string::npos);
  EXPECT_EQ(next(stranger).message, "one");
  EXPECT_EQ(http::fetch({.url = "http://localhost/hearth/v1/events?last_event_id=x",
                         .unix_socket = service->options.state.socket()})
                ->status,
            400);
}

TEST_F(Whole, EventRingForgetsTheOldest) {
  EventBus bus(3);
  uint64_t start = bus.last_id();
  for (int i = 0; i < 5; ++i) bus.publish("model", "m", std::to_string(i));
  auto all = bus.wait_after(start, std::chrono::milliseconds(0), {});
  ASSERT_EQ(all.size(), 4u);
  EXPECT_STREQ(all[0].kind.text(), "box");
  EXPECT_EQ(all[1].message, "2");
  EXPECT_EQ(bus.wait_after(start + 2, std::chrono::milliseconds(0), {}).size(), 3u);
  EXPECT_TRUE(bus.wait_after(bus.last_id(), std::chrono::milliseconds(1), {}).empty());
}

TEST_F(Whole, InstallsFromAStick) {
  make_stick();
  ::setenv("HEARTH_MEDIA_ROOTS", (folder.path() / "media").c_str(), 1);
  start(trusting());
  ::unsetenv("HEARTH_MEDIA_ROOTS");
  auto sources = api().list<api::PackSource>("/hearth/v1/packs/sources", "sources");
  ASSERT_EQ(sources->size(), 1u);
  EXPECT_EQ((*sources)[0].label, "stick");
  EXPECT_TRUE((*sources)[0].removable);
  ASSERT_EQ((*sources)[0].packs.size(), 1u);
  EXPECT_EQ((*sources)[0].packs[0].status, "trusted") << (*sources)[0].packs[0].problem;
  EXPECT_FALSE((*sources)[0].packs[0].installed);
  auto job = api().post_as<api::Job>("/hearth/v1/packs/install",
                                     api::InstallRequest{.path = (*sources)[0].path, .deploy = true});
  ASSERT_TRUE(job);
  api::Job done = wait_for_job(job->id);
  EXPECT_STREQ(done.state.text(), "done") << done.reason;
  EXPECT_EQ(done.result_model, "mini");
  EXPECT_TRUE(eventually([&] { return is_ready("mini"); }));
  EXPECT_TRUE(api()
                  .post_as<api::PackSource>("/hearth/v1/packs/scan", api::ScanRequest{(*sources)[0].path})
                  ->packs[0]
                  .installed);
  EXPECT_EQ(api().post("/hearth/v1/packs/scan", {{"path", "/nonexistent"}}).error().code, Code::not_found);
}

TEST_F(Whole, UpdateDoesNotPullAModelFromUnderATraining) {
  make_stick();
  make_update();
  trainer_does("wait");
  start(trusting());
  ASSERT_STREQ(install("stick").state.text(), "done");
  ASSERT_TRUE(write_file(folder.path() / "qa.jsonl",
                         R"({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]})"));
  auto dataset = api().upload("/hearth/v1/datasets?name=qa.jsonl", folder.path() / "qa.jsonl");
  ASSERT_TRUE(dataset);
  api::TrainRequest request{.model = "mini", .dataset = (*dataset)["id"].get<std::string>(), .preset = "quick"};
  auto training = service->train(request);
  ASSERT_TRUE(training) << training.error().to_string();
  std::string digest = service->store().find("mini")->digest;
  api::Job refused = install("update");
  EXPECT_STREQ(refused.state.text(), "failed");
  EXPECT_NE(refused.reason.find("still works with mini"), std::string::npos) << refused.reason;
  EXPECT_EQ(service->store().find("mini")->digest, digest);
  ASSERT_TRUE(service->jobs.cancel(training->id));
  wait_for_job(training->id);

  std::optional<Error> meanwhile;  // asked for while the update is under way
  service->jobs.on_installed = [&](const std::string&, bool, bool) -> Result<void> {
    auto late = service->train(request);
    if (!late) meanwhile = late.error();
    return {};
  };
  EXPECT_STREQ(install("update").state.text(), "done");
  EXPECT_NE(service->store().find("mini")->digest, digest);
  ASSERT_TRUE(meanwhile);
  EXPECT_EQ(meanwhile->code, Code::failed_precondition);
  EXPECT_TRUE(service->train(request));  // now it may
}

TEST_F(Whole, ExceptionsFailTheJobOnly) {
  make_stick();
  start(trusting());
  service->jobs.on_installed = [](const std::string&, bool, bool) -> Result<void> {
    throw std::runtime_error("thrown by a library");
  };
  api::Job failed = install("stick");
  EXPECT_STREQ(failed.state.text(), "failed");
  EXPECT_NE(failed.reason.find("thrown by a library"), std::string::npos) << failed.reason;
  import_golden("another");  // the lane lives
}

// What a user may not read and what is not there get one answer, but for the path.
TEST(VisiblePath, WhatIsClosedIsNotToldFromWhatIsMissing) {
  TempFolder folder = std::move(*TempFolder::create("closed"));
  std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all | std::filesystem::perms::others_exec |
                                                  std::filesystem::perms::others_read);
  const std::filesystem::path closed = folder.path() / "closed";
  ASSERT_TRUE(make_folders(closed / "model"));
  ASSERT_TRUE(write_file(closed / "file.gguf", "x"));
  std::filesystem::permissions(closed, std::filesystem::perms::owner_all);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::getuid() == 0 && ::setuid(65534) != 0) ::_exit(77);
    if (::access(closed.c_str(), R_OK) == 0) ::chmod(closed.c_str(), 0);  // not root: our own folder, closed
    auto answer = [](const std::filesystem::path& path, Wanted wanted) {
      auto seen = check_visible(path, wanted);
      if (seen) return std::string("seen");
      std::string text = seen.error().to_string();
      return text.replace(text.find(path.string()), path.string().size(), "PATH") +
             std::string(code_name(seen.error().code));
    };
    for (Wanted wanted : {Wanted::anything, Wanted::folder}) {
      const std::string missing = answer("/nonexistent/x", wanted);
      for (const auto& path : {closed, closed / "model", closed / "file.gguf", closed / "nothing"})
        if (answer(path, wanted) != missing) ::_exit(1);
      if (missing.find("Home folders") == std::string::npos) ::_exit(2);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "this root may not become another user";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(Whole, OnlyMediaCanBeNamedFromAnotherMachine) {
  make_stick();
  ASSERT_TRUE(make_folders(folder.path() / "private"));
  std::filesystem::create_directory_symlink(folder.path() / "private", folder.path() / "media" / "way-out");
  ::setenv("HEARTH_MEDIA_ROOTS", (folder.path() / "media").c_str(), 1);
  start(trusting());
  ::unsetenv("HEARTH_MEDIA_ROOTS");
  auto status = [&](const char* path, const Json& body, const char* remote) {
    for (const Endpoint& e : all_endpoints(*service)) {
      if (e.path != path || e.method != "POST") continue;
      http::Request request{.method = "POST", .path = path, .body = dump_json(body), .remote = remote};
      auto response = e.handler(request);
      return response ? Code::internal : response.error().code;  // internal: it was taken
    }
    return Code::unimplemented;
  };
  const std::string box = folder.path(), stick = folder.path() / "media" / "stick";
  for (const std::string& path : {box + "/private", box + "/nothing", box + "/media/../private", box + "/media/way-out",
                                  std::string("/etc"), std::string("media/stick")}) {
    EXPECT_EQ(status("/hearth/v1/packs/scan", {{"path", path}}, "192.168.1.7"), Code::permission_denied) << path;
    EXPECT_EQ(status("/hearth/v1/packs/install", {{"path", path}}, "fd00::7"), Code::permission_denied) << path;
    EXPECT_EQ(status("/hearth/v1/packs/export", {{"path", path}, {"model", "mini"}}, "10.0.0.1"),
              Code::permission_denied)
        << path;
    EXPECT_EQ(status("/hearth/v1/models/import", {{"path", path}}, "10.0.0.1"), Code::permission_denied) << path;
  }
  EXPECT_EQ(status("/hearth/v1/packs/scan", {{"path", stick}}, "192.168.1.7"), Code::internal);
  for (const char* remote : {"unix", "127.0.0.1", "::1"})
    EXPECT_EQ(status("/hearth/v1/packs/scan", {{"path", box + "/private"}}, remote), Code::internal) << remote;
}

TEST_F(Whole, AnOlderPackIsInstalledOnlyWhenThatIsSaid) {
  make_stick();
  make_update();
  start(trusting());
  ASSERT_TRUE(install("update").state == "done");
  const std::string digest = service->store().find("mini")->digest;
  api::Job refused = install("stick");
  EXPECT_TRUE(refused.state == "failed");
  EXPECT_NE(refused.reason.find("older than version 2.0"), std::string::npos) << refused.reason;
  EXPECT_EQ(service->store().find("mini")->digest, digest);
  auto job = service->jobs.install({.path = (folder.path() / "media" / "stick").string(), .any_version = true});
  EXPECT_TRUE(wait_for_job(job->id).state == "done");
  EXPECT_EQ(api().get_as<api::Model>("/hearth/v1/models/mini")->version, "1.0");
}

// Neither says which is newer: the second replaces the first only when that is said. The same again is no matter.
TEST_F(Whole, APackWithoutAVersionDoesNotReplaceAnother) {
  make_stick();
  auto make = [&](const char* medium, const std::filesystem::path& from) {
    auto maker = store::Store::open(folder.path() / (std::string("maker-") + medium), store::Mode::read_write);
    ASSERT_TRUE(maker->import_model(from, {.name = "plain"}));
    ASSERT_TRUE(
        maker->export_pack("plain", folder.path() / "media" / medium, {.signing_key = folder.path() / "key.pem"}));
  };
  make("first", golden_model());
  make("second", golden_model() / "model-F16.gguf");
  start(trusting());
  ASSERT_TRUE(install("first").state == "done");
  ASSERT_TRUE(install("first").state == "done");
  const std::string digest = service->store().find("plain")->digest;
  const api::Job refused = install("second");
  EXPECT_TRUE(refused.state == "failed");
  EXPECT_NE(refused.reason.find("has no version, nor has the one that is installed"), std::string::npos)
      << refused.reason;
  EXPECT_NE(refused.reason.find("--any-version"), std::string::npos) << refused.reason;
  EXPECT_EQ(service->store().find("plain")->digest, digest);
  auto job = service->jobs.install({.path = (folder.path() / "media" / "second").string(), .any_version = true});
  EXPECT_TRUE(wait_for_job(job->id).state == "done");
  EXPECT_NE(service->store().find("plain")->digest, digest);
}

TEST_F(Whole, PacksInOtherScriptsHaveTwoNames) {
  make_stick();
  auto maker = store::Store::open(folder.path() / "maker", store::Mode::read_write);
  for (const char* name : {"模型甲", "模型乙"}) {
    auto model = maker->import_model(golden_model(), {.name = name, .version = "1.0"});
    ASSERT_TRUE(model) << model.error().to_string();
    ASSERT_TRUE(
        maker->export_pack(model->name, folder.path() / "media" / name, {.signing_key = folder.path() / "key.pem"}));
  }
  start(trusting());
  for (const char* name : {"模型甲", "模型乙"}) {
    const std::string medium = folder.path() / "media" / name;
    auto seen = api().post_as<api::PackSource>("/hearth/v1/packs/scan", api::ScanRequest{medium});
    EXPECT_EQ(seen->packs[0].display_name, name);
    api::Job done = install(name);
    ASSERT_TRUE(done.state == "done") << done.reason;
    EXPECT_EQ(done.result_model, seen->packs[0].name);
    auto model = api().get_as<api::Model>("/hearth/v1/models/" + done.result_model);
    EXPECT_EQ(model->display_name, name);
  }
  EXPECT_EQ(api().list<api::Model>("/hearth/v1/models", "models")->size(), 2u);
}

TEST_F(Whole, WhatTheStoreTakesAndWhatCanBeFreed) {
  start();
  import_golden("mine");
  ASSERT_TRUE(write_file(service->options.state.root / "blobs" / "sha256" / std::string(64, 'a'), "nobody's"));
  auto use = api().get_as<api::DiskUse>("/hearth/v1/store");
  ASSERT_TRUE(use);
  EXPECT_GT(use->models_bytes, 0u);
  EXPECT_EQ(use->reclaimable_bytes, 8u);
  EXPECT_EQ(api().post_as<api::Freed>("/hearth/v1/store/free", Json::object())->freed_bytes, 8u);
  EXPECT_EQ(api().get_as<api::DiskUse>("/hearth/v1/store")->reclaimable_bytes, 0u);
  EXPECT_EQ(api().get_as<api::DiskUse>("/hearth/v1/store")->models_bytes, use->models_bytes);
}

TEST_F(Whole, UntrustedPackIsRefused) {
  make_stick();
  start();  // without the key
  std::string stick = (folder.path() / "media" / "stick").string();
  EXPECT_EQ(api().post_as<api::PackSource>("/hearth/v1/packs/scan", api::ScanRequest{stick})->packs[0].status,
            "untrusted");
  auto job = api().post_as<api::Job>("/hearth/v1/packs/install", api::InstallRequest{.path = stick});
  api::Job failed = wait_for_job(job->id);
  EXPECT_STREQ(failed.state.text(), "failed");
  EXPECT_NE(failed.reason, "");
  EXPECT_TRUE(service->store().list()->empty());
}

TEST_F(Whole, BundledModelIsInstalledAndDeployedOnce) {
  make_stick();
  ServiceOptions with = trusting();
  with.bundled_packs = folder.path() / "media";
  start(with);
  ASSERT_TRUE(eventually([&] { return is_ready("mini"); }));
  EXPECT_TRUE(api().get_as<api::Model>("/hearth/v1/models/mini")->bundled);
  start(with);
  ASSERT_TRUE(eventually([&] { return is_ready("mini"); }));
  EXPECT_EQ(service->jobs.list().size(), 1u);
  ASSERT_TRUE(api().remove("/hearth/v1/deployments/mini"));
  ASSERT_TRUE(api().remove("/hearth/v1/models/mini"));
  start(with);  // what its owner removed stays away
  EXPECT_EQ(service->jobs.list().size(), 1u);
  EXPECT_TRUE(service->store().list()->empty());
}

TEST_F(Whole, ExportsAPackThatAnotherBoxTakes) {
  make_stick();
  start(trusting());
  import_golden("mine");
  std::string to = (folder.path() / "out").string();
  auto job = api().post_as<api::Job>("/hearth/v1/packs/export", api::ExportRequest{.model = "mine", .path = to});
  ASSERT_TRUE(job);
  EXPECT_STREQ(wait_for_job(job->id).state.text(), "done");
  EXPECT_EQ(api().post_as<api::PackSource>("/hearth/v1/packs/scan", api::ScanRequest{to})->packs[0].name, "mine");
  EXPECT_EQ(api().post("/hearth/v1/packs/export", {{"model", "mine"}, {"path", "relative"}}).error().code,
            Code::invalid_argument);
}

TEST_F(Whole, OpenApiHasEveryEndpoint) {
  start();
  Json document = *api().get("/hearth/v1/openapi.json");
  EXPECT_EQ(document["openapi"], "3.1.0");
  // The contract, as the comment of the types' header states it.
  std::string header = *read_file(std::filesystem::path(HEARTH_SOURCE_DIR) / "appliance/api/types.h");
  int n = 0;
  for (const char* method : {"GET", "POST", "DELETE"}) {
    std::string mark = fmt::format("//   {:<6} /", method);
    for (size_t at = header.find(mark); at != std::string::npos; at = header.find(mark, at + 1)) {
      size_t begin = at + mark.size() - 1, end = header.find_first_of(" ?\n", begin);
      std::string path = header.substr(begin, end - begin), lower = method;
      for (char& c : lower) c = static_cast<char>(c | 0x20);
      EXPECT_TRUE(document["paths"].contains(path) && document["paths"][path].contains(lower)) << method << " " << path;
      ++n;
    }
  }
  EXPECT_EQ(n, 31);
  EXPECT_EQ(
      document["paths"]["/hearth/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]["schema"]["required"],
      Json({"model", "dataset"}));
}

TEST_F(Whole, LimitsAndForeignHosts) {
  start();
  std::string url = "http://" + service->listen;
  http::ClientRequest request{
      .method = "POST", .url = url + "/hearth/v1/deployments", .body = std::string(2 << 20, ' ')};
  EXPECT_EQ(http::fetch(request)->status, 413);
  request = {.url = url + "/hearth/v1/box"};
  request.headers.set("Host", "evil.example");
  EXPECT_EQ(http::fetch(request)->status, 403);
  EXPECT_EQ(http::fetch({.url = url + "/hearth/v1/box"})->status, 200);
  EXPECT_EQ(http::fetch({.url = url + "/hearth/v1/models/..%2f..%2fetc%2fpasswd"})->status, 404);
}

TEST_F(Whole, BoxHealthAndMetrics) {
  start();
  auto box = api().get_as<api::Box>("/hearth/v1/box");
  ASSERT_TRUE(box);
  EXPECT_EQ(box->listen, service->listen);
  EXPECT_GT(box->ram_bytes, box->ram_available_bytes);
  EXPECT_GT(box->disk_free_bytes, 0u);
  EXPECT_EQ((*api().get("/health"))["status"], "ok");
  EXPECT_TRUE((*api().get("/hearth/v1/hardware")).contains("cpu"));
  auto metrics = http::fetch({.url = "http://localhost/metrics", .unix_socket = service->options.state.socket()});
  EXPECT_NE(metrics->body.find("hearth_http_requests_total{method=\"GET\",route=\"/hearth/v1/box\",status=\"200\"} 1"),
            std::string::npos)
      << metrics->body;
}

}  // namespace
}  // namespace hearth::service_test
