// SIGKILL of a real engine, a real trainer and a real hearthd at random moments, with work under way. Nothing that was
// accepted is lost, what is desired comes back, answers are the same as before, and every model in the store verifies.
// HEARTH_KILLS sets how often each of them dies: 50 for the full run, 4 otherwise.
#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

#include "appliance/hearthd/testing/service_fixture.h"
#include "base/http/client.h"

namespace hearth::kill_test {
namespace {
namespace fs = std::filesystem;
using namespace std::chrono_literals;
using std::chrono::milliseconds;

int n_kills() {
  const char* wanted = std::getenv("HEARTH_KILLS");
  return wanted ? std::atoi(wanted) : 4;
}

template <class Condition>
bool within(std::chrono::seconds limit, Condition condition) {
  auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(5ms);  // between two looks
  }
  return true;
}

// The children of `parent` whose program has this name.
std::vector<pid_t> children(pid_t parent, const std::string& name) {
  std::vector<pid_t> out;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    pid_t pid = std::atoi(entry.path().filename().c_str());
    auto stat = pid > 0 ? read_file(entry.path() / "stat").value_or("") : "";
    size_t end = stat.rfind(')');
    if (end == std::string::npos) continue;
    char state = 0;
    int its_parent = 0;
    if (std::sscanf(stat.c_str() + end + 1, " %c %d", &state, &its_parent) != 2 || its_parent != parent || state == 'Z')
      continue;
    if (read_file(entry.path() / "comm").value_or("").starts_with(name.substr(0, 15))) out.push_back(pid);
  }
  return out;
}

// One greedy answer; the text is the same for ever.
Result<std::string> ask(const fs::path& socket, const std::string& model) {
  Json body = {{"model", model},
               {"temperature", 0},
               {"max_tokens", 24},
               {"messages", {{{"role", "user"}, {"content", "hello"}}}}};
  http::ClientRequest request{.method = "POST",
                              .url = "http://localhost/v1/chat/completions",
                              .body = dump_json(body),
                              .unix_socket = socket,
                              .timeout = 60s};
  request.headers.set("Content-Type", "application/json");
  auto response = TRY(http::expect_ok(http::fetch(request)));
  Json answer = TRY(parse_json(response.body));
  return answer["choices"][0]["message"]["content"].get<std::string>();
}

std::string training_data() {
  std::string out;
  for (int i = 0; i < 60; ++i)
    out += fmt::format(
        "{{\"messages\": [{{\"role\": \"user\", \"content\": \"What is {}?\"}}, {{\"role\": \"assistant\", "
        "\"content\": \"It is {}.\"}}]}}\n",
        i, i);
  return out;
}

const std::map<std::string, Json> kShortTraining = {{"schedule.n_steps", 40},      {"checkpoint.every_steps", 4},
                                                    {"data.max_seq_len", 64},      {"eval.n_samples", 1},
                                                    {"eval.max_answer_tokens", 4}, {"eval.every_steps", 20}};

struct Kill : ServiceFixture {
  std::mt19937 random{20240229};
  milliseconds moment(int at_most_ms) { return milliseconds(random() % static_cast<unsigned>(at_most_ms)); }

  ServiceOptions real() const {
    ServiceOptions out = options();
    out.deployments.engine = HEARTH_ENGINE;
    out.deployments.stable_after = 1h;
    out.deployments.max_failed_starts = 1000;  // dying while it starts is part of the game here
    out.deployments.health_interval = 1s;
    out.jobs.trainer = HEARTH_TRAINER;
    out.jobs.trainer_grace = 20s;
    out.jobs.longest_back_off = 20ms;
    out.jobs.max_restarts_without_progress = 1000;
    return out;
  }
  fs::path socket() const { return folder.path() / "state" / "run" / "hearthd.sock"; }
  std::string upload_data() {
    EXPECT_TRUE(write_file(folder.path() / "qa.jsonl", training_data()));
    auto dataset = api().upload("/hearth/v1/datasets?name=qa.jsonl", folder.path() / "qa.jsonl");
    EXPECT_TRUE(dataset) << dataset.error().to_string();
    return dataset ? (*dataset)["id"].get<std::string>() : "";
  }
  api::TrainRequest training(const std::string& dataset, const std::string& name) const {
    return {.model = "base", .dataset = dataset, .preset = "quick", .name = name, .overrides = kShortTraining};
  }
  void expect_store_sound() {
    service.reset();  // gives the lock back
    auto store = store::Store::open(folder.path() / "state", store::Mode::read_write);
    ASSERT_TRUE(store) << store.error().to_string();
    auto models = store->list();
    ASSERT_TRUE(models) << models.error().to_string();
    for (const store::ModelRecord& model : *models) {
      auto intact = store->verify(model.name);
      EXPECT_TRUE(intact) << intact.error().to_string();
    }
    EXPECT_EQ(store->disk_use()->reclaimable_bytes, 0u);
    EXPECT_TRUE(fs::is_empty(folder.path() / "state" / "blobs" / "incoming"));
  }
};

TEST_F(Kill, AnEngineComesBackWithTheSameAnswers) {
  start(real());
  import_golden("base");
  ASSERT_TRUE(service->deploy({.model = "base"}));
  ASSERT_TRUE(within(60s, [&] { return is_ready("base"); })) << service->deployments.find("base")->reason;
  auto expected = ask(socket(), "base");
  ASSERT_TRUE(expected) << expected.error().to_string();
  for (int round = 0; round < n_kills(); ++round) {
    SCOPED_TRACE(round);
    std::jthread client([&] {  // a request that the death may or may not hit: it is answered as always, or it fails
      auto answer = ask(socket(), "base");
      if (answer) {
        EXPECT_EQ(*answer, *expected);
      }
    });
    std::this_thread::sleep_for(moment(120));
    auto deployment = service->deployments.find("base");
    ASSERT_TRUE(deployment);
    if (deployment->pid > 0) ::kill(deployment->pid, SIGKILL);
    client.join();
    ASSERT_TRUE(within(60s, [&] {
      auto now = service->deployments.find("base");
      return now->state == "ready" && now->pid != deployment->pid;
    })) << service->deployments.find("base")->reason;
    auto answer = ask(socket(), "base");
    ASSERT_TRUE(answer) << answer.error().to_string();
    EXPECT_EQ(*answer, *expected);
  }
  EXPECT_GE(service->deployments.find("base")->n_restarts, n_kills());
  expect_store_sound();
}

TEST_F(Kill, ATrainingJobGoesOnUntilItIsDone) {
  start(real());
  import_golden("base");
  std::string dataset = upload_data();
  int n_killed = 0;
  for (int run = 0; n_killed < n_kills(); ++run) {
    std::string name = "tuned-" + std::to_string(run);
    auto job = service->jobs.train(training(dataset, name));
    ASSERT_TRUE(job) << job.error().to_string();
    auto now = [&] { return *service->jobs.find(job->id); };
    while (now().finished_at == 0) {
      std::this_thread::sleep_for(moment(700));
      std::vector<pid_t> trainers = children(::getpid(), "hearth-trainer");
      if (trainers.empty() || n_killed == n_kills()) continue;
      ::kill(trainers[0], SIGKILL);
      ++n_killed;
    }
    ASSERT_STREQ(now().state.text(), "done") << now().reason;
    EXPECT_EQ(now().result_model, name);
    ASSERT_TRUE(now().eval_loss_after && now().eval_loss_before);
    EXPECT_LT(*now().eval_loss_after, *now().eval_loss_before);
    EXPECT_EQ(service->jobs.metrics(job->id)->size(), 40u);  // every step once, however often it died
  }
  ASSERT_TRUE(service->deploy({.model = "tuned-0"}));
  EXPECT_TRUE(within(60s, [&] { return is_ready("tuned-0"); })) << service->deployments.find("tuned-0")->reason;
  expect_store_sound();
}

// hearthd as a process of its own.
struct KillService : Kill {
  pid_t hearthd = -1;

  void launch() {
    std::string state = (folder.path() / "state").string(), log = (folder.path() / "hearthd.log").string();
    hearthd = ::fork();
    if (hearthd == 0) {
      int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
      ::dup2(fd, 1);
      ::dup2(fd, 2);
      ::execl(HEARTHD, HEARTHD, "--state-dir", state.c_str(), "--listen", "127.0.0.1:0", "--engine", HEARTH_ENGINE,
              "--trainer", HEARTH_TRAINER, nullptr);
      ::_exit(127);
    }
    ASSERT_TRUE(within(60s, [&] { return bool(client().get("/hearth/v1/box")); })) << read_file(log).value_or("");
  }
  void end(int signal) {
    if (hearthd > 0) {
      ::kill(hearthd, signal);
      ::waitpid(hearthd, nullptr, 0);
    }
    hearthd = -1;
  }
  ~KillService() override { end(SIGKILL); }
  ApiClient client() const { return ApiClient(socket()); }
  api::Job job(const std::string& id) const { return client().get_as<api::Job>("/hearth/v1/jobs/" + id).value_or({}); }
  bool is_over(const std::string& id) const { return job(id).finished_at > 0; }
};

TEST_F(KillService, TheServiceTakesUpEverything) {
  launch();
  auto post = [&](const std::string& path, const auto& body) {
    auto made = client().post_as<api::Job>(path, body);
    EXPECT_TRUE(made) << made.error().to_string();
    return made ? made->id : "";
  };
  std::string base = post("/hearth/v1/models/import", api::ImportRequest{golden_model().string(), "base"});
  ASSERT_TRUE(within(60s, [&] { return is_over(base); }));
  ASSERT_TRUE(client().post("/hearth/v1/deployments", {{"model", "base"}}));
  ASSERT_TRUE(within(60s, [&] { return bool(ask(socket(), "base")); }));
  std::string expected = *ask(socket(), "base");
  ASSERT_TRUE(write_file(folder.path() / "qa.jsonl", training_data()));
  auto dataset = client().upload("/hearth/v1/datasets?name=qa.jsonl", folder.path() / "qa.jsonl");
  ASSERT_TRUE(dataset) << dataset.error().to_string();
  std::string dataset_id = (*dataset)["id"];

  std::vector<std::string> accepted{post("/hearth/v1/jobs", training(dataset_id, "tuned"))};
  ASSERT_NE(accepted[0], "");
  for (int round = 0; round < n_kills(); ++round) {
    accepted.push_back(
        post("/hearth/v1/models/import", api::ImportRequest{golden_model().string(), "copy-" + std::to_string(round)}));
    std::this_thread::sleep_for(moment(1500));
    std::vector<pid_t> workers = children(hearthd, "hearth-engine");
    for (pid_t trainer : children(hearthd, "hearth-trainer")) workers.push_back(trainer);
    end(SIGKILL);
    for (pid_t worker : workers)
      EXPECT_TRUE(within(20s, [&] { return ::kill(worker, 0) != 0; })) << "a worker outlived hearthd";
    launch();
  }
  for (const std::string& id : accepted) {
    EXPECT_TRUE(within(180s, [&] { return is_over(id); })) << job(id).title << ": " << job(id).step;
    EXPECT_STREQ(job(id).state.text(), "done") << job(id).title << ": " << job(id).reason;
  }
  EXPECT_TRUE(within(60s, [&] { return bool(ask(socket(), "base")); }));
  EXPECT_EQ(ask(socket(), "base").value_or(""), expected);
  EXPECT_EQ(client().list<api::Model>("/hearth/v1/models", "models")->size(), static_cast<size_t>(n_kills()) + 3)
      << "the base, a copy a kill, the trained model and its adapter";
  end(SIGTERM);
  expect_store_sound();
}

}  // namespace
}  // namespace hearth::kill_test
