// hearthd killed with SIGKILL at random moments: nothing accepted is lost, nothing is half done, no worker is left
// over. HEARTH_KILLS sets how often (default 12).
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>

#include "appliance/client/api_client.h"
#include "base/files.h"
#include "model_store/store.h"

namespace hearth::kill_test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

bool is_running(pid_t pid) {
  auto stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  return stat && stat->find(") Z") == std::string::npos;
}

template <class Condition>
bool within(std::chrono::milliseconds limit, Condition condition) {
  auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    ::usleep(2000);  // between two looks
  }
  return true;
}

struct Killing : testing::Test {
  TempFolder folder = std::move(*TempFolder::create("kill"));
  StateDir state{folder.path() / "s"};
  pid_t hearthd = -1;

  void start() {
    hearthd = ::fork();
    if (hearthd == 0) {
      Fd log = *open_file(folder.path() / "hearthd.log", O_WRONLY | O_CREAT | O_APPEND);
      ::dup2(log.get(), 1);
      ::dup2(log.get(), 2);
      ::execl(HEARTHD, HEARTHD, "--state-dir", state.root.c_str(), "--listen", "127.0.0.1:0", "--engine", FAKE_ENGINE,
              "--trainer", FAKE_TRAINER, nullptr);
      ::_exit(127);
    }
    ASSERT_TRUE(within(20s, [&] { return bool(ApiClient::connect(state)); }))
        << read_file(folder.path() / "hearthd.log").value_or("");
  }
  void kill() {
    ::kill(hearthd, SIGKILL);
    ::waitpid(hearthd, nullptr, 0);
    hearthd = -1;
  }
  ~Killing() override {
    if (hearthd > 0) kill();
  }
  ApiClient api() const { return ApiClient(state.socket()); }
  std::optional<api::Deployment> deployment(const std::string& model) {
    auto all = api().list<api::Deployment>("/hearth/v1/deployments", "deployments");
    if (!all) return std::nullopt;
    for (api::Deployment& d : *all)
      if (d.model == model) return d;
    return std::nullopt;
  }
  api::Job job(const std::string& id) { return api().get_as<api::Job>("/hearth/v1/jobs/" + id).value_or({}); }
  bool all_have_ended(const std::vector<std::string>& ids) {
    return within(60s, [&] {
      return std::all_of(ids.begin(), ids.end(),
                         [&](const std::string& id) { return job(id).state == "done" || job(id).state == "failed"; });
    });
  }
};

TEST_F(Killing, NothingIsLost) {
  const int n_kills = std::getenv("HEARTH_KILLS") ? std::atoi(std::getenv("HEARTH_KILLS")) : 12;
  const std::string golden = std::string(HEARTH_SOURCE_DIR) + "/tests/golden/sharded_tokenizer_bf16";
  std::minstd_rand random(12345);
  start();
  auto first = api().post_as<api::Job>("/hearth/v1/models/import", api::ImportRequest{golden, "base"});
  ASSERT_TRUE(first);
  ASSERT_TRUE(within(20s, [&] { return job(first->id).state == "done"; })) << job(first->id).reason;
  ASSERT_TRUE(api().post("/hearth/v1/deployments", {{"model", "base"}}));
  ASSERT_TRUE(write_file(folder.path() / "qa.jsonl",
                         R"({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]})"));
  ASSERT_TRUE(api().upload("/hearth/v1/datasets?name=qa.jsonl", folder.path() / "qa.jsonl"));
  auto training =
      api().post_as<api::Job>("/hearth/v1/jobs", api::TrainRequest{.model = "base", .dataset = "1", .preset = "quick"});
  ASSERT_TRUE(training) << training.error().to_string();

  std::vector<std::string> accepted;
  for (int round = 0; round < n_kills; ++round) {
    ASSERT_TRUE(within(20s, [&] { return deployment("base") && deployment("base")->state == "ready"; })) << round;
    pid_t engine = deployment("base")->pid;
    auto import = api().post_as<api::Job>("/hearth/v1/models/import",
                                          api::ImportRequest{golden, "copy-" + std::to_string(round)});
    ASSERT_TRUE(import) << import.error().to_string();
    accepted.push_back(import->id);
    if (round % 5 == 4) {
      ASSERT_TRUE(all_have_ended(accepted));  // an import that no end lets come further is given up
    }
    ::usleep(random() % 40'000);  // the random moment
    kill();
    EXPECT_TRUE(within(5s, [&] { return !is_running(engine); })) << "an engine outlived hearthd";
    start();
  }
  ASSERT_TRUE(all_have_ended(accepted));
  for (const std::string& id : accepted) EXPECT_STREQ(job(id).state.text(), "done") << job(id).reason;
  auto models = api().list<api::Model>("/hearth/v1/models", "models");
  ASSERT_TRUE(models);
  EXPECT_EQ(models->size(), static_cast<size_t>(n_kills) + 1);
  EXPECT_EQ(api().list<api::Dataset>("/hearth/v1/datasets", "datasets")->size(), 1u);
  EXPECT_STREQ(job(training->id).state.text(), "running");
  kill();
  auto store = store::Store::open(state.root, store::Mode::read_only);
  ASSERT_TRUE(store);
  for (const api::Model& m : *models) EXPECT_TRUE(store->verify(m.name)) << m.name;
}

TEST_F(Killing, TerminatesOnSigterm) {
  start();
  ::kill(hearthd, SIGTERM);
  int status = 0;
  ASSERT_EQ(::waitpid(hearthd, &status, 0), hearthd);
  hearthd = -1;
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_FALSE(fs::exists(state.socket()));
  start();  // the lock is free
}

}  // namespace
}  // namespace hearth::kill_test
