// Whole runs of hearth-trainer: from scratch, then LoRA on the result; refusals; and runs killed at random moments,
// which must end in the same bits as one that was left alone.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>

#include "base/files.h"
#include "model_store/formats/load.h"
#include "trainer/estimate.h"
#include "trainer/exit_codes.h"
#include "trainer/random.h"
#include "trainer/run.h"
#include "trainer/test_model.h"

extern char** environ;

namespace hearth::train::run_test {
namespace {

namespace fs = std::filesystem;

class RunTest : public ::testing::Test {
 protected:
  void SetUp() override {
    make_tiny_folder(path("tiny"));
    ASSERT_TRUE(write_file(path("data.jsonl"), plus_one_jsonl(120)));
  }
  fs::path path(const std::string& name) const { return temp_.path() / name; }

  fs::path job(const std::string& name, const std::string& model, const std::string& rest) {
    fs::create_directory(path(name));
    const std::string recipe = fmt::format("n_threads = 2\n[model]\n{}\n[data]\npath = \"{}\"\nmax_seq_len = 64\n{}",
                                           model, path("data.jsonl").string(), rest);
    EXPECT_TRUE(write_file(path(name) / "recipe.toml", recipe));
    return path(name);
  }
  std::string scratch() const { return fmt::format("from_scratch = \"{}\"", path("tiny").string()); }

  pid_t start(const fs::path& job, const char* flag = nullptr) {
    const std::string job_dir = job.string(), state = path("state").string(), log = (job / "log").string();
    const char* argv[] = {HEARTH_TRAINER, "--job-dir", job_dir.c_str(), "--state-dir", state.c_str(), flag, nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    pid_t pid = -1;
    EXPECT_EQ(posix_spawn(&pid, HEARTH_TRAINER, &actions, nullptr, const_cast<char**>(argv), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
  }
  static int wait_for(pid_t pid) {
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  static std::string text(const fs::path& file) { return read_file(file).value_or(""); }
  static Json summary(const fs::path& job) { return parse_json(text(job / "summary.json")).value_or(Json::object()); }
  // step → loss, every step once.
  static std::map<int, double> losses(const fs::path& job) {
    std::map<int, double> out;
    std::ifstream lines(job / "metrics.jsonl");
    for (std::string line; std::getline(lines, line);) {
      const Json json = *parse_json(line);
      EXPECT_TRUE(out.emplace(json["step"].get<int>(), json["loss"].get<double>()).second) << line;
    }
    return out;
  }
  TempFolder temp_ = *TempFolder::create("trainer-run");
};

constexpr const char* kShort =
    "[schedule]\nn_steps = 40\n[batch]\nrows = 2\n[optimizer]\nlearning_rate = 5e-3\n[checkpoint]\nevery_steps = "
    "7\n[eval]\nevery_steps = 20\nn_samples = 2\nmax_answer_tokens = 8\n[output]\ndtype = \"f32\"\n";

TEST_F(RunTest, FromScratchThenLora) {
  const fs::path first = job("first", scratch(), kShort);
  ASSERT_EQ(wait_for(start(first)), 0) << text(first / "log");
  const Json done = summary(first);
  EXPECT_LT(done["eval_loss_after"].get<double>(), 0.8 * done["eval_loss_before"].get<double>());
  EXPECT_LT(done["parity_max_error"].get<double>(), 5e-3);
  EXPECT_EQ(losses(first).size(), 40u);
  EXPECT_NE(text(first / "samples.jsonl").find("plus one?"), std::string::npos);
  ASSERT_TRUE(load_model(first / "result"));

  const fs::path second = job("second", fmt::format("init = \"{}\"", (first / "result").string()),
                              std::string(kShort) + "[method]\ntype = \"lora\"\nrank = 4\n");
  ASSERT_EQ(wait_for(start(second)), 0) << text(second / "log");
  const Json tuned = summary(second);
  EXPECT_NEAR(tuned["eval_loss_before"].get<double>(), done["eval_loss_after"].get<double>(), 1e-3);
  EXPECT_LT(tuned["eval_loss_after"].get<double>(), tuned["eval_loss_before"].get<double>());
  EXPECT_TRUE(fs::exists(second / "result/adapter/adapter_config.json"));
  EXPECT_TRUE(load_model(second / "result"));
}

TEST_F(RunTest, AFinishedRunAnswersOnlyTheSameRequest) {
  const fs::path first = job("first", scratch(), kShort);
  ASSERT_EQ(wait_for(start(first)), 0) << text(first / "log");
  const std::string summary_before = text(first / "summary.json");
  EXPECT_EQ(wait_for(start(first)), 0) << text(first / "log");  // again: at once, nothing changes
  EXPECT_EQ(text(first / "summary.json"), summary_before);
  std::string other = kShort;
  job("first", scratch(), other.replace(other.find("n_steps = 40"), 12, "n_steps = 41"));
  EXPECT_EQ(wait_for(start(first)), 1);
  EXPECT_NE(text(first / "log").find("another recipe"), std::string::npos) << text(first / "log");
  EXPECT_EQ(text(first / "summary.json"), summary_before);
}

// Answers without any rule: what is learned is learned by heart, and held-out loss rises again.
TEST_F(RunTest, TheBestCheckpointIsTheResult) {
  std::string rows;
  for (int i = 0; i < 60; ++i)
    rows += fmt::format(R"({{"prompt": "What is code {}?", "completion": "It is {}."}})"
                        "\n",
                        i, mix64(static_cast<uint64_t>(i)) % 100000);
  ASSERT_TRUE(write_file(path("data.jsonl"), rows));
  const std::string recipe =
      "eval_fraction = 0.3\n[schedule]\nn_steps = 120\nmin_lr_ratio = 1.0\n[batch]\nrows = "
      "4\n[optimizer]\nlearning_rate = 1e-2\n"
      "[eval]\nevery_steps = 10\nn_samples = 0\n[checkpoint]\nevery_steps = 0\nkeep = 1\n[output]\ndtype = \"f32\"\n";
  const fs::path j = job("best", scratch(), recipe);
  ASSERT_EQ(wait_for(start(j)), 0) << text(j / "log");
  const Json done = summary(j);
  double lowest = 1e9;
  std::ifstream lines(j / "metrics.jsonl");
  for (std::string line; std::getline(lines, line);)
    if (const Json point = *parse_json(line); point["eval_loss"].is_number())
      lowest = std::min(lowest, point["eval_loss"].get<double>());
  EXPECT_EQ(done["eval_loss_after"].get<double>(), lowest);
  EXPECT_GT(done["eval_loss_last"].get<double>(), lowest) << "this test needs data that are learned by heart";
  EXPECT_LT(done["kept_step"].get<int>(), 120);
  const fs::path again = job("again", fmt::format("init = \"{}\"", (j / "result").string()), recipe + "merge = true\n");
  ASSERT_EQ(wait_for(start(again)), 0) << text(again / "log");
  EXPECT_NEAR(summary(again)["eval_loss_before"].get<double>(), lowest, 1e-3);
  EXPECT_EQ(done["data"]["n_held_out"].get<int>(), 18);
}

TEST_F(RunTest, AFolderOfFilesIsTrainedOn) {
  fs::create_directory(path("many"));
  ASSERT_TRUE(write_file(path("many") / "a.jsonl", plus_one_jsonl(30)));
  ASSERT_TRUE(write_file(path("many") / "b.csv", "question,answer\nWhat is 90 plus one?,It is 91.\n"));
  std::string recipe = kShort;
  recipe.replace(recipe.find("n_steps = 40"), 12, "n_steps = 2");
  const fs::path j = job("folder", scratch(), recipe);
  std::string text_of_recipe = text(j / "recipe.toml");
  text_of_recipe.replace(text_of_recipe.find(path("data.jsonl").string()), path("data.jsonl").string().size(),
                         path("many").string());
  ASSERT_TRUE(write_file(j / "recipe.toml", text_of_recipe));
  ASSERT_EQ(wait_for(start(j)), 0) << text(j / "log");
  EXPECT_EQ(summary(j)["data"]["n_examples"].get<int>(), 31);
}

TEST_F(RunTest, DivergenceIsNamed) {
  std::string wild = kShort;
  wild.replace(wild.find("learning_rate = 5e-3"), 20, "learning_rate = 9.0");
  for (const char* more : {"", "grad_clip = 0\n"}) {
    const fs::path j = job("wild" + std::to_string(std::strlen(more)), scratch(),
                           std::string(wild).insert(wild.find("learning_rate"), more));
    EXPECT_EQ(wait_for(start(j)), 1);
    const std::string log = text(j / "log");
    EXPECT_NE(log.find("training diverged"), std::string::npos) << log;
    EXPECT_NE(log.find("the loss became"), std::string::npos) << log;
    EXPECT_NE(log.find("lower optimizer.learning_rate (now 9)"), std::string::npos) << log;
    EXPECT_EQ(log.find("parity"), std::string::npos) << log;
    const auto status = from_json<RunStatus>(*parse_json(text(j / "status.json")));
    ASSERT_TRUE(status) << status.error().to_string();
    EXPECT_EQ(status->cause.code, "diverged");
    EXPECT_TRUE(status->cause.values.contains("step") && status->cause.values.contains("loss"));
    EXPECT_FALSE(fs::exists(j / "result"));
  }
}

TEST_F(RunTest, EstimateIsAFile) {
  const fs::path asked = job("asked", scratch(), kShort);
  ASSERT_EQ(wait_for(start(asked, "--estimate")), 0) << text(asked / "log");
  const auto estimate = from_json<Estimate>(*parse_json(text(asked / "estimate.json")));
  ASSERT_TRUE(estimate) << estimate.error().to_string();
  EXPECT_EQ(estimate->n_steps, 40);
  EXPECT_GT(estimate->peak_memory_bytes, 0u);
  EXPECT_FALSE(fs::exists(asked / "summary.json"));
}

TEST_F(RunTest, LockedFolderIsTold) {
  const fs::path locked = job("locked", scratch(), kShort);
  const auto lock = LockFile::acquire(locked / "lock");
  ASSERT_TRUE(lock);
  EXPECT_EQ(wait_for(start(locked)), kExitBusy) << text(locked / "log");
}

TEST_F(RunTest, KilledAtRandomMomentsEndsInTheSameBits) {
  const fs::path whole = job("whole", scratch(), kShort);
  const auto start_time = std::chrono::steady_clock::now();
  ASSERT_EQ(wait_for(start(whole)), 0) << text(whole / "log");
  const auto usual =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - start_time);
  const std::string expected = text(whole / "result/model.safetensors");
  const auto seed = static_cast<uint64_t>(getpid());
  Random random(seed);
  int n_kills = 0;
  for (int round = 0; n_kills < 50; ++round) {
    const fs::path killed = job("killed-" + std::to_string(round), scratch(), kShort);
    for (int in_a_row = 0; in_a_row < 25; ++in_a_row) {
      const pid_t pid = start(killed);
      std::this_thread::sleep_for(
          std::chrono::microseconds(random.below(static_cast<uint64_t>(usual.count()))));  // the random moment
      kill(pid, SIGKILL);
      if (wait_for(pid) != -SIGKILL) break;  // it was done before
      ++n_kills;
    }
    ASSERT_EQ(wait_for(start(killed)), 0) << text(killed / "log");
    ASSERT_EQ(text(killed / "result/model.safetensors"), expected)
        << "seed " << seed << ", after " << n_kills << " kills";
    ASSERT_EQ(losses(killed), losses(whole)) << "seed " << seed;
  }
}

// A run that ends before the signal comes is tried again with twice the steps.
TEST_F(RunTest, StopsWithACheckpointAndGoesOn) {
  fs::path j;
  size_t n_steps = 40;
  int code = 0;
  for (; code == 0; n_steps *= 2) {
    ASSERT_LE(n_steps, 40u << 8U) << "the signal never stops a run";
    std::string recipe = kShort;
    recipe.replace(recipe.find("n_steps = 40"), 12, fmt::format("n_steps = {}", n_steps));
    j = job("stopped-" + std::to_string(n_steps), scratch(), recipe);
    const pid_t pid = start(j);
    while (text(j / "metrics.jsonl").empty()) std::this_thread::yield();
    kill(pid, SIGTERM);
    code = wait_for(pid);
  }
  n_steps /= 2;
  EXPECT_EQ(code, kExitStopped);
  EXPECT_NE(text(j / "log").find("error: "), std::string::npos);
  EXPECT_FALSE(fs::exists(j / "result"));
  const size_t n_before = losses(j).size();
  ASSERT_EQ(wait_for(start(j)), 0) << text(j / "log");
  EXPECT_GE(losses(j).size(), n_before);
  EXPECT_EQ(losses(j).size(), n_steps);
  EXPECT_EQ(wait_for(start(j)), 0);  // finished: at once, and nothing changes
}

TEST_F(RunTest, WhatIsWrongIsSaidOnTheLastLine) {
  const auto last_line = [&](const fs::path& j) {
    EXPECT_EQ(wait_for(start(j)), 1);
    std::string log = text(j / "log"), line, last;
    std::istringstream lines(log);
    while (std::getline(lines, line)) last = line;
    return last;
  };
  EXPECT_NE(last_line(job("a", scratch(), "[optimizer]\nlearning_rat = 1\n"))
                .find("did you mean \"optimizer.learning_rate\""),
            std::string::npos);
  EXPECT_NE(last_line(job("b", scratch(), std::string(kShort) + "[data]\n")).find("error: "), std::string::npos);
  ASSERT_TRUE(write_file(path("data.jsonl"), "{\"messages\": [{\"role\": \"user\"}]}\n"));
  const std::string bad = last_line(job("d", scratch(), kShort));
  EXPECT_NE(bad.find("line 1"), std::string::npos) << bad;
  EXPECT_NE(bad.find("messages[0].content"), std::string::npos) << bad;
}

}  // namespace
}  // namespace hearth::train::run_test
