// A stand-in for hearth-trainer. It counts its lives in <job>/lives, writes what a trainer writes, and does what stands
// in <state>/fake_trainer.txt:
//   finish FOLDER      copies FOLDER to <job>/result and exits 0
//   fail WORDS         says "error: WORDS" and exits 1
//   crash N FOLDER     dies of SIGSEGV in its first N lives, getting a little further each time, then finishes
//   stuck              dies of SIGSEGV always, without progress
//   stopped S N FOLDER exits with status S in its first N lives, as if stopped or locked out, then finishes
//   wait               runs until it is asked to stop
// With --estimate it fails or waits as above, else it writes an estimate of 7 steps.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <sstream>

#include "base/files.h"

using namespace hearth;
namespace fs = std::filesystem;

// The signal itself ends the process, also where a sanitizer would catch it.
static void die_of_segv() {
  std::signal(SIGSEGV, SIG_DFL);
  ::kill(::getpid(), SIGSEGV);
}

static std::string argument(int argc, char** argv, const char* name) {
  for (int i = 1; i + 1 < argc; ++i)
    if (std::strcmp(argv[i], name) == 0) return argv[i + 1];
  return "";
}

static int finish(const fs::path& job, const fs::path& model) {
  fs::create_directories(job / "checkpoints");
  fs::copy(model, job / "result", fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  return 0;
}

int main(int argc, char** argv) {
  fs::path job = argument(argc, argv, "--job-dir"), state = argument(argc, argv, "--state-dir");
  if (!fs::exists(job / "recipe.toml")) return 9;
  int lives = std::atoi(read_file(job / "lives").value_or("0").c_str()) + 1;
  (void)write_file(job / "lives", std::to_string(lives));
  std::istringstream behaviour(read_file(state / "fake_trainer.txt").value_or("wait"));
  std::string what, rest;
  int n = 0, status = 0;
  behaviour >> what;
  if (what == "stopped") behaviour >> status;
  if (what == "crash" || what == "stopped") behaviour >> n;
  std::getline(behaviour >> std::ws, rest);
  bool is_estimate = argc > 1 && std::strcmp(argv[1], "--estimate") == 0;
  if (is_estimate && what != "fail" && what != "wait") {
    (void)write_file(
        job / "estimate.json",
        R"({"n_steps": 7, "n_tokens": 8, "seconds": 9.5, "peak_memory_bytes": 10, "explanation": "made up"})");
    return 0;
  }
  (void)write_file(job / "metrics.jsonl", "{\"step\": 1, \"loss\": 2.5}\n{\"step\": 2, \"loss\": 2.0}\n{\"step\": 3, \"lo");
  (void)write_file(job / "samples.jsonl", "{\"prompt\": \"p\", \"before\": \"b\", \"after\": \"a\", \"expected\": \"e\"}\n");
  double progress = what == "stuck" ? 0.1 : 0.1 * lives;
  (void)write_file(job / "status.json", "{\"step\": \"step 2\", \"progress\": " + std::to_string(progress) + ", \"loss\": 2.0}");
  if (what == "fail") {
    std::fprintf(stderr, "error: %s\n", rest.c_str());
    return 1;
  }
  if (what == "finish") return finish(job, rest);
  if (what == "stuck") die_of_segv();
  if (what == "crash" && lives <= n) die_of_segv();
  if (what == "stopped" && lives <= n) return status;
  if (what == "crash" || what == "stopped") return finish(job, rest);
  ::pause();
  return 0;
}
