// The engines' supervisor and the way to them: crashes, back-off, reasons, restarts, routing.
#include <signal.h>

#include <future>

#include "appliance/hearthd/testing/service_fixture.h"
#include "hwdetect/fake_tree.h"

namespace hearth::deployments_test {
namespace {

using Deploying = ServiceFixture;

http::ClientRequest chat(const Service& service, const std::string& model, bool stream) {
  http::ClientRequest out{
      .method = "POST", .url = "http://localhost/v1/chat/completions", .unix_socket = service.options.state.socket()};
  out.body = dump_json({{"model", model}, {"messages", Json::array()}, {"stream", stream}});
  return out;
}

TEST_F(Deploying, RoutesToTheEngineByModel) {
  start();
  import_golden("a");
  import_golden("b");
  ASSERT_TRUE(service->deploy({.model = "a"}));
  ASSERT_TRUE(service->deploy({.model = "b"}));
  ASSERT_TRUE(eventually([&] { return is_ready("a") && is_ready("b"); }));
  EXPECT_EQ(service->deployments.find("a")->max_seq_len, 77);
  EXPECT_GT(service->deployments.find("a")->memory_bytes, 0u);
  for (const char* model : {"a", "b"}) {
    auto answer = http::fetch(chat(*service, model, false));
    ASSERT_TRUE(answer) << answer.error().to_string();
    EXPECT_EQ((*parse_json(answer->body))["model"], model);
    EXPECT_EQ((*parse_json(answer->body))["echo"]["model"], model);
  }
  auto models = api().get("/v1/models");
  ASSERT_EQ((*models)["data"].size(), 2u);
  EXPECT_EQ((*models)["data"][0]["id"], "a");
}

// Every way in takes what people call a model, in either form of Unicode, and the limits are the same model's.
TEST_F(Deploying, AModelIsFoundByWhatPeopleCallIt) {
  start();
  import_golden("caf\xC3\xA9 模型/甲");
  const std::string name = service->store().list()->at(0).name;
  for (const std::string called : {"caf\xC3\xA9 模型/甲", "cafe\xCC\x81 模型/甲"}) {
    SCOPED_TRACE(called);
    const std::string path = "/hearth/v1/models/" + http::percent_encode(called);
    EXPECT_EQ(api().get_as<api::Model>(path)->name, name);
    EXPECT_EQ(api().get_as<api::Fit>(path + "/fit")->model, name);
    auto deployed = api().post_as<api::Deployment>("/hearth/v1/deployments", api::DeployRequest{.model = called});
    ASSERT_TRUE(deployed) << deployed.error().to_string();
    EXPECT_EQ(deployed->model, name);
    ASSERT_TRUE(eventually([&] { return is_ready(name); }));
    auto answer = http::fetch(chat(*service, called, false));
    ASSERT_TRUE(answer) << answer.error().to_string();
    EXPECT_EQ((*parse_json(answer->body))["model"], name);
    EXPECT_EQ((*api().get("/v1/models/" + http::percent_encode(called)))["id"], name);
    EXPECT_EQ(api().remove(path).error().code, Code::failed_precondition) << "deployed";
    ASSERT_TRUE(api().remove("/hearth/v1/deployments/" + http::percent_encode(called)));
    EXPECT_FALSE(service->deployments.find(name));
    EXPECT_EQ(http::fetch(chat(*service, called, false))->status, 404);
  }
  ASSERT_TRUE(api().remove("/hearth/v1/models/" + http::percent_encode("cafe\xCC\x81 模型/甲")));
  EXPECT_TRUE(service->store().list()->empty());
}

TEST_F(Deploying, SeveralModelsOfOneNameAreNamedAndNotGuessed) {
  {
    auto store = store::Store::open(folder.path() / "state", store::Mode::read_write);
    for (const char* name : {"one", "two"})
      ASSERT_TRUE(store->import_model(golden_model(), {.name = name, .version = name, .display_name = "模型甲"}));
  }
  start();
  const std::string called = http::percent_encode("模型甲");
  ASSERT_TRUE(service->deploy({.model = "one"}));
  ASSERT_TRUE(eventually([&] { return is_ready("one"); }));
  const auto answer = http::fetch(chat(*service, "模型甲", false));
  EXPECT_EQ(answer->status, 400);
  EXPECT_NE(answer->body.find("one, two"), std::string::npos) << answer->body;
  for (const Error& refused :
       {api().get("/hearth/v1/models/" + called).error(), api().remove("/hearth/v1/models/" + called).error(),
        service->deploy({.model = "模型甲"}).error()}) {
    EXPECT_EQ(refused.code, Code::invalid_argument);
    EXPECT_NE(refused.message.find("one, two"), std::string::npos) << refused.message;
  }
  EXPECT_EQ(service->store().list()->size(), 2u);
}

TEST_F(Deploying, UnknownModelIsNotAnsweredByAnother) {
  start();
  import_golden("a");
  import_golden("spare");
  ASSERT_TRUE(service->deploy({.model = "a"}));
  ASSERT_TRUE(eventually([&] { return is_ready("a"); }));
  auto unknown = http::fetch(chat(*service, "gpt-4o", false));
  EXPECT_EQ(unknown->status, 404);
  Json failed = (*parse_json(unknown->body))["error"];
  EXPECT_EQ(failed["code"], "model_not_found");
  EXPECT_EQ(failed["type"], "invalid_request_error");
  EXPECT_NE(failed["message"].get<std::string>().find("deployed now: a"), std::string::npos);
  auto installed = http::fetch(chat(*service, "spare", false));
  EXPECT_EQ(installed->status, 404);
  EXPECT_NE(installed->body.find("not deployed"), std::string::npos);
  EXPECT_EQ(api().get("/v1/models/gpt-4o").error().code, Code::not_found);
}

TEST_F(Deploying, StreamsAndPassesErrorsOn) {
  start();
  import_golden("a");
  ASSERT_TRUE(service->deploy({.model = "a"}));
  ASSERT_TRUE(eventually([&] { return is_ready("a"); }));
  auto stream = http::ClientStream::open(chat(*service, "a", true));
  ASSERT_TRUE(stream);
  EXPECT_EQ(stream->headers().find("Content-Type"), "text/event-stream");
  std::vector<std::string> data;
  while (auto event = *stream->next_event()) data.push_back(event->data);
  ASSERT_EQ(data.size(), 4u);
  EXPECT_EQ(data.back(), "[DONE]");
  http::ClientRequest bad = chat(*service, "a", false);
  bad.url = "http://localhost/v1/completions";
  EXPECT_EQ(http::fetch(bad)->status, 400);
  bad.body = "{not json";
  EXPECT_EQ(http::fetch(bad)->status, 400);
  bad.body = "{}";
  EXPECT_NE(http::fetch(bad)->body.find("\\\"model\\\" is missing"), std::string::npos);
}

TEST_F(Deploying, EngineThatDiesInAnAnswerIsToldInTheStream) {
  engine_does("die-in-stream");
  start();
  import_golden("a");
  ASSERT_TRUE(service->deploy({.model = "a"}));
  ASSERT_TRUE(eventually([&] { return is_ready("a"); }));
  auto stream = http::ClientStream::open(chat(*service, "a", true));
  ASSERT_TRUE(stream);
  EXPECT_NE((*stream->next_event())->data.find("one"), std::string::npos);
  write_to_state("die", "");
  std::string last;  // what came before the death is passed on first
  while (true) {     // then the stream ends in an error, as the engine's did
    auto event = stream->next_event();
    if (!event || !*event) break;
    last = (*event)->data;
  }
  EXPECT_NE(last.find("stopped answering"), std::string::npos) << last;
  ASSERT_TRUE(eventually([&] { return service->deployments.find("a")->n_restarts == 1 && is_ready("a"); }));
}

TEST_F(Deploying, ReasonOfDeathAndGivingUp) {
  engine_does("exit 3 the weights do not fit into memory");
  start();
  import_golden("a");
  ASSERT_TRUE(service->deploy({.model = "a"}));
  ASSERT_TRUE(eventually([&] { return service->deployments.find("a")->state == "failed"; }));
  api::Deployment d = *service->deployments.find("a");
  EXPECT_EQ(d.reason, "exited with status 3: the weights do not fit into memory");
  EXPECT_EQ(d.n_restarts, 4);  // five starts
  auto refused = http::fetch(chat(*service, "a", false));
  EXPECT_EQ(refused->status, 503);
  EXPECT_NE(refused->body.find("do not fit"), std::string::npos);
  engine_does("serve");
  ASSERT_TRUE(service->deploy({.model = "a"}));  // a new chance
  ASSERT_TRUE(eventually([&] { return is_ready("a"); }));
  EXPECT_EQ(service->deployments.find("a")->reason, "");
}

TEST_F(Deploying, WhatCanOnlyFailAgainIsNotTriedAgain) {
  engine_does("exit 78 it has no tokenizer");
  start();
  import_golden("a");
  ASSERT_TRUE(service->deploy({.model = "a"}));
  ASSERT_TRUE(eventually([&] { return service->deployments.find("a")->state == "failed"; }));
  EXPECT_EQ(service->deployments.find("a")->n_restarts, 0);
  EXPECT_NE(service->deployments.find("a")->reason.find("no tokenizer"), std::string::npos);
}

TEST_F(Deploying, BackOffGrowsAndStops) {
  engine_does("exit 1 no");
  ServiceOptions with = options();
  with.deployments.max_failed_starts = 7;
  start(with);
  import_golden("a");
  uint64_t before = service->events.last_id();
  ASSERT_TRUE(service->deploy({.model = "a"}));
  ASSERT_TRUE(eventually([&] { return service->deployments.find("a")->state == "failed"; }));
  std::vector<double> ends;
  for (const api::Event& e : service->events.wait_after(before, std::chrono::milliseconds(0), {}))
    if (e.deployment && (e.deployment->state == "restarting" || e.deployment->state == "failed")) ends.push_back(e.at);
  ASSERT_EQ(ends.size(), 7u);
  double waits[] = {0.005, 0.010, 0.020, 0.040, 0.040, 0.040};
  for (size_t i = 0; i < 6; ++i) EXPECT_GE(ends[i + 1] - ends[i], waits[i] * 0.9) << i;
}

TEST_F(Deploying, KilledEngineIsRestarted) {
  start();
  import_golden("a");
  ASSERT_TRUE(service->deploy({.model = "a"}));
  ASSERT_TRUE(eventually([&] { return is_ready("a"); }));
  int pid = service->deployments.find("a")->pid;
  uint64_t before = service->events.last_id();
  ::kill(pid, SIGKILL);
  ASSERT_TRUE(eventually([&] { return service->deployments.find("a")->n_restarts == 1 && is_ready("a"); }));
  EXPECT_NE(service->deployments.find("a")->pid, pid);
  bool told = false;
  for (const api::Event& e : service->events.wait_after(before, std::chrono::milliseconds(0), {}))
    told |=
        e.deployment && e.deployment->state == "restarting" && e.deployment->reason.starts_with("killed by signal 9");
  EXPECT_TRUE(told);
}

TEST_F(Deploying, EngineThatDoesNotAnswerIsReplaced) {
  engine_does("deaf");
  ServiceOptions with = options();
  with.deployments.start_limit = std::chrono::milliseconds(100);
  with.deployments.stop_grace = std::chrono::milliseconds(50);
  with.deployments.max_failed_starts = 1;
  start(with);
  import_golden("a");
  ASSERT_TRUE(service->deploy({.model = "a"}));
  ASSERT_TRUE(eventually([&] { return service->deployments.find("a")->state == "failed"; }));
  EXPECT_NE(service->deployments.find("a")->reason.find("was not ready within"), std::string::npos);
}

TEST_F(Deploying, WhatDoesNotFitIsRefusedWithFigures) {
  FakeTree machine;
  machine.file("proc/meminfo", "MemTotal: 4096 kB\nMemAvailable: 1024 kB\n");
  ServiceOptions with = options();
  with.machine = machine.options();
  start(with);
  import_golden("a");
  EXPECT_EQ(service->fit("a")->verdict, "too_large");
  api::DeployRequest request{.model = "a"};
  auto refused = api().post("/hearth/v1/deployments", to_json_value(request));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::resource_exhausted);
  for (const char* part : {"weights", "1 MiB available", "--force"})
    EXPECT_NE(refused.error().message.find(part), std::string::npos) << part << ": " << refused.error().message;
  EXPECT_TRUE(service->deployments.list().empty());
  request.force = true;
  ASSERT_TRUE(api().post("/hearth/v1/deployments", to_json_value(request)));
  EXPECT_TRUE(eventually([&] { return is_ready("a"); }));
}

TEST_F(Deploying, SaysWhatComputesAndRefusesOtherDevices) {
  start();
  import_golden("a");
  const auto refused = service->deploy({.model = "a", .device = "gpu"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
  EXPECT_NE(refused.error().message.find("\"gpu\""), std::string::npos) << refused.error().message;
  ASSERT_TRUE(service->deploy({.model = "a", .device = "cpu"}));
  ASSERT_TRUE(eventually([&] { return is_ready("a"); }));
  EXPECT_EQ(service->deployments.list().front().device, "cpu");
  EXPECT_EQ(service->deployments.list().front().device_reason, "the driver sleeps");  // as the engine says
  EXPECT_EQ(service->deployments.list().front().device_note, "half of it stays");
}

// What is deployed will take its memory, whether it has read its weights yet or not.
TEST_F(Deploying, AContextThatTheModelDoesNotHaveStopsNothing) {
  start();
  import_golden("a");
  ASSERT_TRUE(service->deploy({.model = "a"}));
  ASSERT_TRUE(eventually([&] { return is_ready("a"); }));
  for (int context : {0, -5, 10'000'000}) {
    const auto refused = service->deploy({.model = "a", .max_seq_len = context});
    ASSERT_FALSE(refused) << context;
    EXPECT_EQ(refused.error().code, Code::invalid_argument);
  }
  EXPECT_TRUE(is_ready("a"));
}

TEST_F(Deploying, WhatOthersWillNeedIsNotFree) {
  start();
  import_golden("a");
  import_golden("b");
  const uint64_t needed = service->fit("a")->total_bytes;
  FakeTree machine;
  machine.file("proc/meminfo", fmt::format("MemTotal: {0} kB\nMemAvailable: {0} kB\n", needed * 3 / 2 / 1024));
  ServiceOptions with = options();
  with.machine = machine.options();
  start(with);
  EXPECT_EQ(service->fit("b")->verdict, "fits");
  engine_does("deaf");
  ASSERT_TRUE(service->deploy({.model = "a"}));
  EXPECT_LT(service->fit("b")->available_bytes, needed);
  EXPECT_EQ(service->deploy({.model = "b"}).error().code, Code::resource_exhausted);
  EXPECT_TRUE(service->deploy({.model = "b", .device = "cuda"})) << "a GPU's memory is its engine's to judge";
  EXPECT_TRUE(service->deploy({.model = "a", .n_threads = 1})) << "again: what it holds itself is given back";
}

TEST_F(Deploying, ModelInUseIsNotRemoved) {
  start();
  import_golden("a");
  ASSERT_TRUE(service->deploy({.model = "a"}));
  ASSERT_TRUE(eventually([&] { return is_ready("a"); }));
  EXPECT_STREQ(api().get_as<api::Model>("/hearth/v1/models/a")->state.text(), "deployed");
  auto refused = api().remove("/hearth/v1/models/a");
  EXPECT_EQ(refused.error().code, Code::failed_precondition);
  int pid = service->deployments.find("a")->pid;
  ASSERT_TRUE(api().remove("/hearth/v1/deployments/a"));
  EXPECT_NE(::kill(pid, 0), 0);  // ended and reaped when undeploying returns
  EXPECT_TRUE(api().remove("/hearth/v1/models/a"));
  EXPECT_EQ(api().get("/hearth/v1/models/a").error().code, Code::not_found);
  EXPECT_EQ(api().remove("/hearth/v1/deployments/a").error().code, Code::not_found);
  EXPECT_EQ(api().post("/hearth/v1/deployments", {{"model", "a"}}).error().code, Code::not_found);
  EXPECT_EQ(api().post("/hearth/v1/deployments", {{"modell", "a"}}).error().code, Code::invalid_argument);
}

// DELETE while an engine takes its time to stop, then POST for the same model: both are answered, and what was asked
// last is so, also after a restart.
TEST_F(Deploying, DeployedAgainWhileItStops) {
  engine_does("stubborn");
  ServiceOptions with = options();
  with.deployments.stop_grace = std::chrono::milliseconds(400);
  start(with);
  import_golden("a");
  ASSERT_TRUE(service->deploy({.model = "a"}));
  ASSERT_TRUE(eventually([&] { return is_ready("a"); }));
  auto undeployed = std::async(std::launch::async, [&] { return service->deployments.undeploy("a"); });
  ASSERT_TRUE(eventually([&] { return service->deployments.find("a")->state == "stopping"; }));
  ASSERT_TRUE(service->deploy({.model = "a"}));
  ASSERT_EQ(undeployed.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  Result<void> answer = undeployed.get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::failed_precondition);
  EXPECT_TRUE(eventually([&] { return is_ready("a"); }));
  start(with);
  EXPECT_TRUE(service->deployments.request_of("a"));
}

// Many of both at once: when all are answered, what runs is what hearth.db says.
TEST_F(Deploying, RowsAndEnginesAgree) {
  start();
  import_golden("a");
  auto toggle = [&] {
    for (int i = 0; i < 10; ++i) {
      (void)service->deploy({.model = "a", .n_threads = i});
      (void)service->deployments.undeploy("a");
    }
  };
  std::vector<std::future<void>> all;
  for (int i = 0; i < 3; ++i) all.push_back(std::async(std::launch::async, toggle));
  for (auto& one : all) one.get();
  bool runs = service->deployments.find("a").has_value();
  start();
  EXPECT_EQ(service->deployments.request_of("a").has_value(), runs);
}

TEST_F(Deploying, UndeployingEndsWithTheService) {
  engine_does("stubborn");
  ServiceOptions with = options();
  with.deployments.stop_grace = std::chrono::milliseconds(1000);
  start(with);
  import_golden("a");
  ASSERT_TRUE(service->deploy({.model = "a"}));
  ASSERT_TRUE(eventually([&] { return is_ready("a"); }));
  std::stop_source client;
  auto undeployed =
      std::async(std::launch::async, [&] { return service->deployments.undeploy("a", client.get_token()); });
  ASSERT_TRUE(eventually([&] { return service->deployments.find("a")->state == "stopping"; }));
  client.request_stop();
  EXPECT_TRUE(undeployed.get());
  EXPECT_TRUE(service->deployments.find("a"));  // it is still stopping
}

TEST_F(Deploying, BusyEngineIsNotAskedForMore) {
  engine_does("die-in-stream");
  ServiceOptions with = options();
  with.max_requests_per_model = 2;
  start(with);
  import_golden("a");
  ASSERT_TRUE(service->deploy({.model = "a"}));
  ASSERT_TRUE(eventually([&] { return is_ready("a"); }));
  auto first = http::ClientStream::open(chat(*service, "a", true));
  {
    auto second = http::ClientStream::open(chat(*service, "a", true));
    ASSERT_TRUE(first && second);
    auto third = http::fetch(chat(*service, "a", false));
    ASSERT_TRUE(third);
    EXPECT_EQ(third->status, 429);
    EXPECT_TRUE(third->headers.find("Retry-After"));
    EXPECT_EQ((*parse_json(third->body))["error"]["type"], "rate_limit_error");
  }
  EXPECT_TRUE(eventually([&] { return http::fetch(chat(*service, "a", false))->status == 200; }));  // a slot came back
}

TEST_F(Deploying, SurvivesARestartOfTheService) {
  start();
  import_golden("a");
  ASSERT_TRUE(service->deploy({.model = "a", .n_threads = 1}));
  ASSERT_TRUE(eventually([&] { return is_ready("a"); }));
  int pid = service->deployments.find("a")->pid;
  start();
  EXPECT_NE(::kill(pid, 0), 0);
  ASSERT_TRUE(eventually([&] { return is_ready("a"); }));
  EXPECT_EQ(service->deployments.request_of("a")->n_threads, 1);
}

TEST_F(Deploying, OneServiceOnAStateDirectory) {
  start();
  auto second = Service::start(options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::failed_precondition);
}

}  // namespace
}  // namespace hearth::deployments_test
