// Jobs: training by a stand-in trainer, store jobs, datasets, and what a restart keeps.
#include "appliance/hearthd/testing/service_fixture.h"

namespace hearth {
namespace {

struct Training : ServiceFixture {
  api::Dataset dataset;

  void prepare(std::string_view trainer) {
    trainer_does(trainer);
    start();
    import_golden("base");
    dataset = upload("qa.jsonl", R"({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]})");
  }
  api::Dataset upload(const std::string& name, std::string_view text) {
    std::filesystem::path file = folder.path() / "upload";
    EXPECT_TRUE(write_file(file, text));
    auto json = api().upload("/hearth/v1/datasets?name=" + http::percent_encode(name), file);
    EXPECT_TRUE(json) << json.error().to_string();
    return *from_json<api::Dataset>(*json);
  }
  Result<api::Job> train(const std::string& name = "") {
    return api().post_as<api::Job>("/hearth/v1/jobs", api::TrainRequest{.model = "base", .dataset = dataset.id, .preset = "quick", .name = name});
  }
};

TEST_F(Training, ResultIsAModelInTheStore) {
  prepare("finish " + golden_model().string());
  auto job = train();
  ASSERT_TRUE(job) << job.error().to_string();
  api::Job done = wait_for_job(job->id);
  EXPECT_EQ(done.state, "done") << done.reason;
  EXPECT_EQ(done.result_model, "base-qa");
  EXPECT_EQ(done.progress, 1);
  EXPECT_EQ(done.loss, 2.0);
  auto model = api().get_as<api::Model>("/hearth/v1/models/base-qa");
  ASSERT_TRUE(model);
  EXPECT_EQ(model->parent, "base");
  EXPECT_EQ(model->source, "training job " + job->id);
  auto points = api().list<api::MetricPoint>("/hearth/v1/jobs/" + job->id + "/metrics", "points");
  ASSERT_EQ(points->size(), 2u);  // the third line is not whole
  EXPECT_EQ((*points)[1].loss, 2.0);
  auto samples = api().list<api::BeforeAfter>("/hearth/v1/jobs/" + job->id + "/samples", "samples");
  ASSERT_EQ(samples->size(), 1u);
  EXPECT_EQ((*samples)[0].after, "a");
  auto again = train();
  EXPECT_EQ(wait_for_job(again->id).result_model, "base-qa-2");
}

TEST_F(Training, FailureTellsTheTrainersReason) {
  prepare("fail the loss is not a number any more");
  api::Job failed = wait_for_job(train()->id);
  EXPECT_EQ(failed.state, "failed");
  EXPECT_EQ(failed.reason, "the trainer exited with status 1: the loss is not a number any more");
  EXPECT_EQ(failed.n_restarts, 0);
}

TEST_F(Training, KilledTrainerIsStartedAgain) {
  prepare("crash 4 " + golden_model().string());
  api::Job done = wait_for_job(train()->id);
  EXPECT_EQ(done.state, "done") << done.reason;
  EXPECT_EQ(done.n_restarts, 4);
}

TEST_F(Training, TrainerThatComesNoFurtherIsGivenUp) {
  prepare("stuck");
  api::Job failed = wait_for_job(train()->id);
  EXPECT_EQ(failed.state, "failed");
  EXPECT_NE(failed.reason.find("came no further"), std::string::npos) << failed.reason;
  EXPECT_NE(failed.reason.find("signal 11"), std::string::npos) << failed.reason;
}

TEST_F(Training, Cancel) {
  prepare("wait");
  auto running = train(), queued = train("second");
  ASSERT_TRUE(eventually([&] { return service->jobs.find(running->id)->step == "step 2"; }));
  EXPECT_EQ(service->jobs.find(queued->id)->state, "queued");  // one training at a time
  EXPECT_EQ(api().post_as<api::Job>("/hearth/v1/jobs/" + queued->id + "/cancel", Json::object())->state, "cancelled");
  EXPECT_TRUE(api().post("/hearth/v1/jobs/" + running->id + "/cancel", Json::object()));
  EXPECT_EQ(wait_for_job(running->id).state, "cancelled");
  EXPECT_EQ(api().post("/hearth/v1/jobs/" + running->id + "/cancel", Json::object()).error().code, Code::failed_precondition);
}

TEST_F(Training, RestartOfTheServiceResumes) {
  prepare("wait");
  std::string id = train()->id;
  ASSERT_TRUE(eventually([&] { return service->jobs.find(id)->step == "step 2"; }));
  trainer_does("finish " + golden_model().string());
  start();
  api::Job done = wait_for_job(id);
  EXPECT_EQ(done.state, "done") << done.reason;
  EXPECT_EQ(*read_file(service->options.state.job(id) / "lives"), "2");
  EXPECT_EQ(done.n_restarts, 1);
}

TEST_F(Training, RefusesWhatCannotWork) {
  prepare("wait");
  auto code = [&](const api::TrainRequest& r) { return api().post("/hearth/v1/jobs", to_json_value(r)).error().code; };
  EXPECT_EQ(code({.model = "nope", .dataset = dataset.id}), Code::not_found);
  EXPECT_EQ(code({.model = "base", .dataset = "99"}), Code::not_found);
  EXPECT_EQ(code({.model = "base", .dataset = dataset.id, .preset = "heroic"}), Code::not_found);
  EXPECT_EQ(code({.model = "base", .dataset = dataset.id, .name = "base"}), Code::already_exists);
  EXPECT_EQ(code({.model = "base", .dataset = dataset.id, .overrides = {{"optimizer.learning_rate", -1}}}), Code::invalid_argument);
  EXPECT_EQ(code({.model = "base", .dataset = dataset.id, .overrides = {{"data.path", "/etc/shadow"}}}), Code::invalid_argument);
  api::Dataset bad = upload("bad.jsonl", "{\"messages\": [{\"role\": \"usr\", \"content\": \"x\"}]}\n");
  EXPECT_FALSE(bad.valid);
  ASSERT_EQ(bad.problems.size(), 1u);
  EXPECT_EQ(bad.problems[0].line, 1);
  EXPECT_EQ(code({.model = "base", .dataset = bad.id}), Code::failed_precondition);
}

TEST_F(Training, Datasets) {
  prepare("wait");
  api::Dataset text = upload("../../etc/my notes.txt", "First paragraph.\n\nSecond paragraph.\n");
  EXPECT_EQ(text.name, "my notes.txt");
  EXPECT_EQ(text.format, "text");
  auto preview = api().get_as<api::DatasetPreview>("/hearth/v1/datasets/" + text.id + "/preview");
  ASSERT_TRUE(preview);
  ASSERT_FALSE(preview->examples.empty());
  std::string id = train()->id;
  EXPECT_EQ(api().remove("/hearth/v1/datasets/" + dataset.id).error().code, Code::failed_precondition);
  EXPECT_TRUE(api().remove("/hearth/v1/datasets/" + text.id));
  ASSERT_TRUE(write_file(service->options.state.datasets() / "77.jsonl", "left by a crash"));
  start();
  auto left = api().list<api::Dataset>("/hearth/v1/datasets", "datasets");
  ASSERT_EQ(left->size(), 1u);
  EXPECT_EQ((*left)[0].id, dataset.id);
  EXPECT_FALSE(std::filesystem::exists(service->options.state.datasets() / "77.jsonl"));
  EXPECT_TRUE(std::filesystem::is_empty(service->options.state.uploads()));
}

TEST_F(Training, ImportFailuresAreTold) {
  prepare("wait");
  EXPECT_EQ(api().post("/hearth/v1/models/import", {{"path", "/nonexistent"}}).error().code, Code::not_found);
  ASSERT_TRUE(write_file(folder.path() / "model.bin", "pickle"));
  auto job = api().post_as<api::Job>("/hearth/v1/models/import", api::ImportRequest{.path = (folder.path() / "model.bin").string()});
  ASSERT_TRUE(job);
  EXPECT_EQ(wait_for_job(job->id).state, "failed");
  EXPECT_NE(service->jobs.find(job->id)->reason, "");
}

}  // namespace
}  // namespace hearth
