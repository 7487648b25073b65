// A service in a temporary state directory, with stand-ins for engine and trainer, and waiting without sleeping.
#pragma once

#include <gtest/gtest.h>

#include "appliance/client/api_client.h"
#include "appliance/hearthd/service.h"
#include "base/files.h"

namespace hearth {

struct ServiceFixture : testing::Test {
  TempFolder folder = std::move(*TempFolder::create("svc"));
  std::unique_ptr<Service> service;

  // A model that transformers wrote, with tokenizer and chat template.
  static std::filesystem::path golden_model() {
    return std::filesystem::path(HEARTH_SOURCE_DIR) / "tests/golden/sharded_tokenizer_bf16";
  }

  ServiceOptions options() const {
    ServiceOptions out;
    out.state = {folder.path() / "state"};
    out.listen = "127.0.0.1:0";
    out.deployments.engine = FAKE_ENGINE;
    out.deployments.first_back_off = std::chrono::milliseconds(5);
    out.deployments.longest_back_off = std::chrono::milliseconds(40);
    out.deployments.health_interval = std::chrono::milliseconds(20);
    out.deployments.stop_grace = std::chrono::milliseconds(2000);
    out.jobs.trainer = FAKE_TRAINER;
    out.jobs.first_back_off = std::chrono::milliseconds(5);
    out.jobs.trainer_grace = std::chrono::milliseconds(200);
    return out;
  }
  void start() { start(options()); }
  void start(ServiceOptions with) {
    service.reset();
    auto started = Service::start(std::move(with));
    ASSERT_TRUE(started) << started.error().to_string();
    service = std::move(*started);
  }
  void engine_does(std::string_view what) { write_to_state("fake_engine.txt", what); }
  void trainer_does(std::string_view what) { write_to_state("fake_trainer.txt", what); }
  void write_to_state(const char* name, std::string_view text) {
    std::filesystem::create_directories(folder.path() / "state");
    ASSERT_TRUE(write_file(folder.path() / "state" / name, text));
  }

  ApiClient api() const { return ApiClient(service->options.state.socket()); }

  // Looks after every event, for at most 20 seconds.
  template <class Condition>
  bool eventually(Condition condition) {
    auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    uint64_t seen = service->events.last_id();
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      service->events.wait_after(seen, std::chrono::milliseconds(50), {});
      seen = service->events.last_id();
    }
    return true;
  }
  bool is_ready(const std::string& model) const {
    auto d = service->deployments.find(model);
    return d && d->state == "ready";
  }
  api::Job wait_for_job(const std::string& id) {
    auto job = [&] { return *service->jobs.find(id); };
    EXPECT_TRUE(eventually([&] { return job().finished_at > 0; })) << job().step;
    return job();
  }
  void import_golden(const std::string& name) {
    auto job = service->jobs.import({.path = golden_model().string(), .name = name});
    ASSERT_TRUE(job) << job.error().to_string();
    ASSERT_STREQ(wait_for_job(job->id).state.text(), "done") << service->jobs.find(job->id)->reason;
  }
};

}  // namespace hearth
