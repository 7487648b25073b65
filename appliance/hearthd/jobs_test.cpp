// Jobs: training by a stand-in trainer, store jobs, datasets, and what a restart keeps.
#include <future>

#include "appliance/hearthd/jobs/job_run.h"
#include "appliance/hearthd/jobs/train_request.h"
#include "appliance/hearthd/testing/service_fixture.h"
#include "base/disk_space.h"
#include "model_store/formats/adapters/adapter.h"

namespace hearth::jobs_test {
namespace {

struct Training : ServiceFixture {
  api::Dataset dataset;

  void prepare(std::string_view trainer) {
    trainer_does(trainer);
    start();
    import_golden("base");
    dataset = upload("qa.jsonl",
                     R"({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]})");
  }
  api::Dataset upload(const std::string& name, std::string_view text) {
    std::filesystem::path file = folder.path() / "upload";
    EXPECT_TRUE(write_file(file, text));
    auto json = api().upload("/hearth/v1/datasets?name=" + http::percent_encode(name), file);
    EXPECT_TRUE(json) << json.error().to_string();
    return *from_json<api::Dataset>(*json);
  }
  Result<api::Job> train(const std::string& name = "") {
    return api().post_as<api::Job>(
        "/hearth/v1/jobs", api::TrainRequest{.model = "base", .dataset = dataset.id, .preset = "quick", .name = name});
  }
};

TEST_F(Training, ResultIsAModelInTheStore) {
  prepare("finish " + golden_model().string());
  auto job = train();
  ASSERT_TRUE(job) << job.error().to_string();
  api::Job done = wait_for_job(job->id);
  EXPECT_STREQ(done.state.text(), "done") << done.reason;
  EXPECT_EQ(done.result_model, "base-qa");
  EXPECT_EQ(service->store().find("base-qa")->description, "base, trained on qa.jsonl");
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

TEST_F(Training, ResultsMayBeNamedInAnyScript) {
  prepare("finish " + golden_model().string());
  std::vector<std::string> names;
  for (const char* called : {"客服助手", "客服助手二"}) {
    auto job = train(called);
    ASSERT_TRUE(job) << job.error().to_string();
    api::Job done = wait_for_job(job->id);
    ASSERT_TRUE(done.state == "done") << done.reason;
    EXPECT_EQ(api().get_as<api::Model>("/hearth/v1/models/" + done.result_model)->display_name, called);
    names.push_back(done.result_model);
  }
  EXPECT_NE(names[0], names[1]);
  EXPECT_EQ(train("客服助手").error().code, Code::already_exists);
  dataset = upload("问答.jsonl",
                   R"({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]})");
  EXPECT_EQ(service->store().find(wait_for_job(train()->id).result_model)->display_name, "base-问答");
}

TEST_F(Training, WhatTheStoreHasIsNotKeptTwice) {
  prepare("finish " + golden_model().string());
  std::string id = train()->id;
  ASSERT_STREQ(wait_for_job(id).state.text(), "done");
  std::filesystem::path job = service->options.state.job(id);
  EXPECT_FALSE(std::filesystem::exists(job / "result"));
  EXPECT_FALSE(std::filesystem::exists(job / "checkpoints"));
  EXPECT_TRUE(std::filesystem::exists(job / "metrics.jsonl"));
}

// A result as the trainer leaves it: a model, or none, and an adapter of `base`.
std::filesystem::path result_folder(const std::filesystem::path& folder, bool has_model) {
  const ModelConfig config = *load_config(ServiceFixture::golden_model());
  Tensor a({Dtype::f32, {2, config.d_model}}), b({Dtype::f32, {config.n_heads * config.head_dim, 2}});
  a.f32()[0] = b.f32()[0] = 1;
  LoraAdapter adapter{.rank = 2, .alpha = 4, .base_model = "base"};
  adapter.weights = {{"layers.0.wq.lora_a", a.view()}, {"layers.0.wq.lora_b", b.view()}};
  if (has_model) std::filesystem::copy(ServiceFixture::golden_model(), folder);
  auto saved = save_peft_adapter(folder / "adapter", config, adapter);
  EXPECT_TRUE(saved) << saved.error().to_string();
  EXPECT_TRUE(link_base(folder / "adapter", ServiceFixture::golden_model()));
  return folder;
}

TEST_F(Training, TheAdapterIsKeptBesideTheModel) {
  prepare("finish " + result_folder(folder.path() / "made", true).string());
  const api::Job done = wait_for_job(train("mine")->id);
  ASSERT_STREQ(done.state.text(), "done") << done.reason;
  EXPECT_EQ(done.result_model, "mine");
  EXPECT_EQ(done.result_adapter, "mine-adapter");
  auto adapter = api().get_as<api::Model>("/hearth/v1/models/mine-adapter");
  ASSERT_TRUE(adapter) << adapter.error().to_string();
  EXPECT_STREQ(adapter->kind.text(), "adapter");
  EXPECT_EQ(adapter->parent, "base");
  EXPECT_EQ(adapter->family, "llama");
  EXPECT_STREQ(api().get_as<api::Model>("/hearth/v1/models/mine")->kind.text(), "model");
  auto fit = api().get_as<api::Fit>("/hearth/v1/models/mine-adapter/fit");
  ASSERT_TRUE(fit) << fit.error().to_string();
  EXPECT_GT(fit->weights_bytes, api().get_as<api::Fit>("/hearth/v1/models/base/fit")->weights_bytes);
  EXPECT_EQ(api().remove("/hearth/v1/models/base").error().code, Code::failed_precondition);
}

// For programs: why it failed, as a code; nothing is left of it where the next try succeeds.
TEST_F(Training, AnAdapterWithoutItsBaseIsNamedAsThat) {
  prepare("finish " + golden_model().string());
  const std::filesystem::path adapter = result_folder(folder.path() / "from_elsewhere", false) / "adapter";
  std::filesystem::remove(adapter / "base_model");
  std::string config = *read_file(adapter / "adapter_config.json");
  const size_t at = config.find("\"base\"");
  ASSERT_NE(at, std::string::npos) << config;
  ASSERT_TRUE(write_file(adapter / "adapter_config.json", config.replace(at, 6, "\"someone/elsewhere\"")));
  api::ImportRequest request{.path = adapter.string(), .name = "theirs"};
  const auto asked = api().post_as<api::Job>("/hearth/v1/models/import", request);
  ASSERT_TRUE(asked) << asked.error().to_string();
  const api::Job failed = wait_for_job(asked->id);
  ASSERT_STREQ(failed.state.text(), "failed");
  EXPECT_EQ(failed.cause, (Phrase{"base_not_here", {{"path", adapter.string()}}})) << failed.reason;
  request.base = "base";
  request.version = "1.2", request.description = "how they answer", request.license = "Apache-2.0";
  const auto again = api().post_as<api::Job>("/hearth/v1/models/import", request);
  ASSERT_TRUE(again) << again.error().to_string();
  const api::Job done = wait_for_job(again->id);
  ASSERT_STREQ(done.state.text(), "done") << done.reason;
  EXPECT_EQ(done.cause, Phrase{});
  const auto theirs = service->store().find("theirs");
  ASSERT_TRUE(theirs) << theirs.error().to_string();
  EXPECT_EQ(std::tuple(theirs->version, theirs->description, theirs->license),
            std::tuple("1.2", "how they answer", "Apache-2.0"));
}

TEST_F(Training, WithoutMergeTheResultIsTheAdapterAndItCanBeTrainedAndDeployed) {
  prepare("finish " + result_folder(folder.path() / "made", false).string());
  api::TrainRequest request{.model = "base", .dataset = dataset.id, .name = "small"};
  request.overrides["output.merge"] = false;
  const api::Job done = wait_for_job(api().post_as<api::Job>("/hearth/v1/jobs", request)->id);
  ASSERT_STREQ(done.state.text(), "done") << done.reason;
  EXPECT_EQ(done.result_model, "small");
  EXPECT_EQ(done.result_adapter, "");
  EXPECT_STREQ(api().get_as<api::Model>("/hearth/v1/models/small")->kind.text(), "adapter");
  request.model = "small", request.name = "further";  // its base is the parent again, not the adapter
  const api::Job further = wait_for_job(api().post_as<api::Job>("/hearth/v1/jobs", request)->id);
  ASSERT_STREQ(further.state.text(), "done") << further.reason;
  EXPECT_EQ(api().get_as<api::Model>("/hearth/v1/models/further")->parent, "base");

  auto refused = api().post("/v1/chat/completions", {{"model", "small"}, {"messages", Json::array()}});
  EXPECT_NE(refused.error().message.find("the adapter small (of base)"), std::string::npos) << refused.error().message;
  auto deployed = api().post_as<api::Deployment>("/hearth/v1/deployments", api::DeployRequest{.model = "small"});
  ASSERT_TRUE(deployed) << deployed.error().to_string();
  EXPECT_TRUE(eventually([&] { return is_ready("small"); }));
}

TEST_F(Training, JobsThatAreOverCanBeRemoved) {
  prepare("wait");
  std::string id = train()->id;
  ASSERT_TRUE(eventually([&] { return service->jobs.find(id)->step == "step 2"; }));
  EXPECT_EQ(api().remove("/hearth/v1/jobs/" + id).error().code, Code::failed_precondition);
  ASSERT_TRUE(service->jobs.cancel(id));
  wait_for_job(id);
  std::filesystem::path job = service->options.state.job(id);
  EXPECT_TRUE(std::filesystem::exists(job));
  ASSERT_TRUE(api().remove("/hearth/v1/jobs/" + id));
  EXPECT_FALSE(std::filesystem::exists(job));
  EXPECT_EQ(api().get("/hearth/v1/jobs/" + id).error().code, Code::not_found);
  EXPECT_EQ(api().remove("/hearth/v1/jobs/" + id).error().code, Code::not_found);
  ASSERT_TRUE(make_folders(service->options.state.job("999999")));  // left by a crash
  start();
  EXPECT_FALSE(service->jobs.find(id));
  EXPECT_FALSE(std::filesystem::exists(service->options.state.job("999999")));
}

TEST_F(Training, StoppedAndLockedOutTrainersAreStartedAgain) {
  for (const char* status : {"75", "76"}) {
    prepare(std::string("stopped ") + status + " 2 " + golden_model().string());
    api::Job done = wait_for_job(train()->id);
    EXPECT_STREQ(done.state.text(), "done") << status << ": " << done.reason;
    EXPECT_EQ(done.n_restarts, 2) << status;
  }
}

TEST_F(Training, EstimatesAreTheTrainers) {
  prepare("finish");
  api::TrainRequest request{.model = "base", .dataset = dataset.id, .preset = "quick"};
  auto estimate = api().post_as<api::TrainEstimate>("/hearth/v1/jobs/estimate", request);
  ASSERT_TRUE(estimate) << estimate.error().to_string();
  EXPECT_EQ(estimate->n_steps, 7);
  EXPECT_EQ(estimate->seconds, 9.5);
  EXPECT_TRUE(estimate->fits);
  EXPECT_EQ(estimate->explanation, "made up");
  trainer_does("fail there is no such tokenizer");
  auto failed = api().post("/hearth/v1/jobs/estimate", to_json_value(request));
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("there is no such tokenizer"), std::string::npos) << failed.error().message;
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(service->options.state.jobs()), {}), 0);
}

TEST_F(Training, EstimatesHaveALimitAndEndWithTheirClient) {
  prepare("wait");
  ServiceOptions with = options();
  with.jobs.estimate_limit = std::chrono::milliseconds(150);
  start(with);
  api::TrainRequest request{.model = "base", .dataset = dataset.id, .preset = "quick"};
  EXPECT_EQ(service->jobs.estimate(request).error().code, Code::deadline_exceeded);
  start();
  std::stop_source gone;
  gone.request_stop();
  EXPECT_EQ(service->jobs.estimate(request, gone.get_token()).error().code, Code::cancelled);
}

TEST_F(Training, ResultNamesAreCheckedAndHeldAtOnce) {
  prepare("wait");
  for (const char* bad : {"my model/../x", "../x", "-x", ".x", "a b"})
    EXPECT_EQ(train(bad).error().code, Code::invalid_argument) << bad;
  auto first = train(), second = train();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(train("base-qa").error().code, Code::already_exists);    // the first one's
  EXPECT_EQ(train("base-qa-2").error().code, Code::already_exists);  // the second one's
  EXPECT_EQ(service->jobs.import({.path = golden_model().string(), .name = "base-qa"}).error().code,
            Code::already_exists);
  std::vector<std::future<bool>> same;
  for (int i = 0; i < 8; ++i) same.push_back(std::async(std::launch::async, [&] { return train("same").has_value(); }));
  int n_accepted = 0;
  for (auto& one : same) n_accepted += one.get();
  EXPECT_EQ(n_accepted, 1);
}

TEST_F(Training, NeedsRoomOnTheDisk) {
  train::Recipe recipe;
  recipe.method.type = "full";
  recipe.checkpoint.keep = 2;
  uint64_t full = training_disk_bytes(recipe, {.dtype = "bf16", .n_params = 1000});
  EXPECT_EQ(full, 4u * 12'000 + 2000) << "two kept, the best, the one being written; the result is not copied";
  recipe.method.type = "lora";
  EXPECT_LT(training_disk_bytes(recipe, {.dtype = "bf16", .n_params = 1000}), full);
  uint64_t too_much = training_disk_bytes(recipe, {.dtype = "bf16", .n_params = uint64_t{1} << 50});
  EXPECT_EQ(check_disk_space(folder.path(), too_much).error().code, Code::resource_exhausted);
}

// Jobs that end the service are not taken up for ever; an orderly end counts for nothing.
TEST_F(Training, JobThatKeepsEndingTheServiceIsGivenUp) {
  prepare("finish " + golden_model().string());
  service.reset();
  StateDir state = options().state;
  auto killed_with = [&](int n_interrupted, const std::string& name) {
    auto db = ServiceDb::open(state.database());
    JobRow row{{.kind = "import", .state = "running", .n_interrupted = n_interrupted},
               to_json_value(api::ImportRequest{golden_model().string(), name})};
    return *(*db)->add_job(row);
  };
  std::string often = killed_with(10, "often"), seldom = killed_with(9, "seldom");
  start();
  api::Job failed = wait_for_job(often);
  EXPECT_STREQ(failed.state.text(), "failed");
  EXPECT_NE(failed.reason.find("the service ended 11 times"), std::string::npos) << failed.reason;
  EXPECT_STREQ(wait_for_job(seldom).state.text(), "done");
  start();
  EXPECT_STREQ(service->jobs.find(often)->state.text(), "failed");
}

TEST_F(Training, TrainingThatCameFurtherIsTakenUp) {
  prepare("finish " + golden_model().string());
  service.reset();
  StateDir state = options().state;
  auto db = ServiceDb::open(state.database());
  JobRow row{{.kind = "train", .state = "running", .progress = 0.2, .n_interrupted = 20},
             to_json_value(TrainParams{{.model = "base", .dataset = dataset.id}, "# a recipe", "again"})};
  std::string id = *(*db)->add_job(row);
  db->reset();
  ASSERT_TRUE(make_folders(state.job(id)));
  ASSERT_TRUE(write_file(state.job(id) / "status.json", R"({"step": "x", "progress": 0.3})"));
  start();
  api::Job done = wait_for_job(id);
  EXPECT_STREQ(done.state.text(), "done") << done.reason;
  EXPECT_EQ(done.n_interrupted, 1);
}

// The last that is heard of a job is how it ended.
TEST_F(Training, NothingIsHeardAfterTheEnd) {
  prepare("wait");
  for (int i = 0; i < 5; ++i) {
    uint64_t before = service->events.last_id();
    std::string id = train()->id;
    ASSERT_TRUE(eventually([&] { return service->jobs.find(id)->step == "step 2"; }));
    std::vector<std::future<void>> all;
    for (int k = 0; k < 4; ++k) all.push_back(std::async(std::launch::async, [&] { (void)service->jobs.cancel(id); }));
    for (auto& one : all) one.get();
    wait_for_job(id);
    std::string last;
    for (const api::Event& e : service->events.wait_after(before, std::chrono::milliseconds(0), {}))
      if (e.job && e.job->id == id) last = e.job->state.text();
    EXPECT_EQ(last, "cancelled");
    EXPECT_EQ(service->jobs.find(id)->step, "cancelled");
  }
}

TEST_F(Training, FailureTellsTheTrainersReason) {
  prepare("fail the loss is not a number any more");
  api::Job failed = wait_for_job(train()->id);
  EXPECT_STREQ(failed.state.text(), "failed");
  EXPECT_EQ(failed.reason, "the trainer exited with status 1: the loss is not a number any more");
  EXPECT_EQ(failed.n_restarts, 0);
}

TEST_F(Training, KilledTrainerIsStartedAgain) {
  prepare("crash 4 " + golden_model().string());
  api::Job done = wait_for_job(train()->id);
  EXPECT_STREQ(done.state.text(), "done") << done.reason;
  EXPECT_EQ(done.n_restarts, 4);
}

// How a trainer died that was started again and finished is not why the job failed.
TEST_F(Training, TheCauseIsOfTheFailureNotOfAnEarlierDeath) {
  const std::filesystem::path broken = folder.path() / "broken";
  std::filesystem::create_directories(broken);
  ASSERT_TRUE(write_file(broken / "model.safetensors", "no model"));
  prepare("crash 1 " + broken.string());
  const api::Job failed = wait_for_job(train()->id);
  EXPECT_STREQ(failed.state.text(), "failed");
  EXPECT_EQ(failed.n_restarts, 1);
  EXPECT_NE(failed.reason.find("while adding the result to the store"), std::string::npos) << failed.reason;
  EXPECT_EQ(failed.cause, Phrase{}) << failed.cause.code;
}

TEST_F(Training, TrainerThatComesNoFurtherIsGivenUp) {
  prepare("stuck");
  api::Job failed = wait_for_job(train()->id);
  EXPECT_STREQ(failed.state.text(), "failed");
  EXPECT_NE(failed.reason.find("came no further"), std::string::npos) << failed.reason;
  EXPECT_NE(failed.reason.find("signal 11"), std::string::npos) << failed.reason;
  EXPECT_EQ(failed.cause.code, "worker_crashed");
}

TEST_F(Training, Cancel) {
  prepare("wait");
  auto running = train(), queued = train("second");
  ASSERT_TRUE(eventually([&] { return service->jobs.find(running->id)->step == "step 2"; }));
  EXPECT_STREQ(service->jobs.find(queued->id)->state.text(), "queued");  // one training at a time
  EXPECT_STREQ(api().post_as<api::Job>("/hearth/v1/jobs/" + queued->id + "/cancel", Json::object())->state.text(),
               "cancelled");
  EXPECT_TRUE(api().post("/hearth/v1/jobs/" + running->id + "/cancel", Json::object()));
  EXPECT_STREQ(wait_for_job(running->id).state.text(), "cancelled");
  EXPECT_EQ(api().post("/hearth/v1/jobs/" + running->id + "/cancel", Json::object()).error().code,
            Code::failed_precondition);
}

TEST_F(Training, RestartOfTheServiceResumes) {
  prepare("wait");
  std::string id = train()->id;
  ASSERT_TRUE(eventually([&] { return service->jobs.find(id)->step == "step 2"; }));
  trainer_does("finish " + golden_model().string());
  start();
  api::Job done = wait_for_job(id);
  EXPECT_STREQ(done.state.text(), "done") << done.reason;
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
  EXPECT_EQ(code({.model = "base", .dataset = dataset.id, .overrides = {{"optimizer.learning_rate", -1}}}),
            Code::invalid_argument);
  EXPECT_EQ(code({.model = "base", .dataset = dataset.id, .overrides = {{"data.path", "/etc/shadow"}}}),
            Code::invalid_argument);
  api::Dataset bad = upload("bad.jsonl", "{\"messages\": [{\"role\": \"usr\", \"content\": \"x\"}]}\n");
  EXPECT_FALSE(bad.valid);
  ASSERT_EQ(bad.problems.size(), 1u);
  EXPECT_EQ(bad.problems[0].line, 1);
  EXPECT_EQ(code({.model = "base", .dataset = bad.id}), Code::failed_precondition);
}

TEST_F(Training, Datasets) {
  prepare("wait");
  api::Dataset loud = upload("NOTES.TXT", "One.\n\nTwo.\n");
  EXPECT_EQ(loud.format, "text");
  EXPECT_EQ(service->datasets.file(loud).extension(), ".txt");
  EXPECT_TRUE(api().get("/hearth/v1/datasets/" + loud.id + "/preview"));
  std::filesystem::rename(service->datasets.file(loud),
                          service->options.state.datasets() / (loud.id + ".jsonl"));  // as it once was
  start();
  EXPECT_TRUE(std::filesystem::exists(service->datasets.file(loud)));
  EXPECT_TRUE(api().remove("/hearth/v1/datasets/" + loud.id));
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

TEST_F(Training, ADatasetGoesWithAllCopiesOfItsTexts) {
  prepare("finish " + golden_model().string());
  api::Dataset other = upload("other.jsonl", R"({"question": "q2", "answer": "a2", "source": "x"})");
  std::string first = train()->id;
  wait_for_job(first);
  const auto samples = [&](const std::string& job) { return service->options.state.job(job) / "samples.jsonl"; };
  ASSERT_TRUE(std::filesystem::exists(samples(first)));
  dataset = other;
  std::string second = train()->id;
  wait_for_job(second);
  EXPECT_TRUE(api().remove("/hearth/v1/datasets/" + other.id));
  EXPECT_FALSE(std::filesystem::exists(samples(second)));
  EXPECT_TRUE(std::filesystem::exists(samples(first)));  // of the dataset that stays
  EXPECT_TRUE(api().list<api::BeforeAfter>("/hearth/v1/jobs/" + second + "/samples", "samples")->empty());
  EXPECT_EQ(api().remove("/hearth/v1/datasets/" + other.id).error().code, Code::not_found);
}

TEST_F(Training, ADatasetIsDescribedAsItWasUnderstood) {
  prepare("wait");
  api::Dataset pairs =
      upload("pairs.csv", "question,answer,source\nIs it open?,Yes.,x\nIs it open?,Yes.,y\nWhen?,Now.,z\n");
  EXPECT_TRUE(pairs.valid);
  EXPECT_EQ(pairs.format, "pairs");
  EXPECT_EQ(pairs.n_examples, 3);
  EXPECT_EQ(pairs.n_distinct, 2);
  ASSERT_EQ(pairs.unused_keys.size(), 1u);
  EXPECT_EQ(pairs.unused_keys[0].name, "source");
  EXPECT_EQ(pairs.unused_keys[0].n_rows, 3);
  EXPECT_EQ(pairs.characters.longest, 15);
  api::Dataset weighted = upload(
      "w.jsonl",
      R"({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "no", "weight": 0}, {"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "reasoning_content": "r"}]})");
  auto preview = api().get_as<api::DatasetPreview>("/hearth/v1/datasets/" + weighted.id + "/preview");
  ASSERT_TRUE(preview) << preview.error().to_string();
  EXPECT_FALSE(preview->examples[0].messages[1].is_learned);
  EXPECT_EQ(preview->examples[0].messages[3].reasoning, "r");
  ASSERT_TRUE(write_file(folder.path() / "sheet", "PK\x03\x04" + std::string(40, '\0')));
  auto sheet = api().upload("/hearth/v1/datasets?name=prices.xlsx", folder.path() / "sheet");
  ASSERT_FALSE(sheet);
  EXPECT_NE(sheet.error().message.find("prices.xlsx is an Excel workbook"), std::string::npos) << sheet.error().message;
}

TEST_F(Training, ImportFailuresAreTold) {
  prepare("wait");
  EXPECT_EQ(api().post("/hearth/v1/models/import", {{"path", "/nonexistent"}}).error().code, Code::not_found);
  ASSERT_TRUE(write_file(folder.path() / "model.bin", "pickle"));
  auto job = api().post_as<api::Job>("/hearth/v1/models/import",
                                     api::ImportRequest{.path = (folder.path() / "model.bin").string()});
  ASSERT_TRUE(job);
  EXPECT_STREQ(wait_for_job(job->id).state.text(), "failed");
  EXPECT_NE(service->jobs.find(job->id)->reason, "");
}

}  // namespace
}  // namespace hearth::jobs_test
