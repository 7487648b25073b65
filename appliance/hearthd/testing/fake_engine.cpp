// A stand-in for hearth-engine in tests of the supervisor. What it does stands in <state>/fake_engine.txt:
//   serve                  answers as an engine would
//   exit N WORDS           says "error: WORDS" and exits with status N
//   deaf                   lives, but does not listen
//   stubborn               answers, and takes no notice of SIGTERM
//   die-in-stream          answers, but in a streamed answer waits after the first word for <state>/die, and dies
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "base/files.h"
#include "base/http/server.h"
#include "base/http/sse.h"

using namespace hearth;

static std::string argument(int argc, char** argv, const char* name) {
  for (int i = 1; i + 1 < argc; ++i)
    if (std::strcmp(argv[i], name) == 0) return argv[i + 1];
  return "";
}

static Result<void> stream_words(http::StreamWriter& out, const std::string& die_when) {
  for (const char* word : {"one", "two", "three"}) {
    Json chunk = {{"choices", {{{"index", 0}, {"delta", {{"content", word}}}}}}};
    if (!out.write(http::format_sse({.data = dump_json(chunk)}))) return {};
    if (die_when.empty()) continue;
    while (!std::filesystem::exists(die_when) && !out.gone()) ::usleep(1000);
    std::signal(SIGSEGV, SIG_DFL);  // also where a sanitizer would catch it
    std::raise(SIGSEGV);            // this very thread: nothing more is said
  }
  out.write(http::format_sse({.data = "[DONE]"}));
  return {};
}

static http::Router make_router(const std::string& model, const std::string& die_when) {
  http::Router router;
  router.add("GET", "/health", [](http::Request&) -> Result<http::Response> {
    return http::json_response({{"status", "ok"},
                                {"max_seq_len", 77},
                                {"device", "cpu"},
                                {"device_reason", "the driver sleeps"},
                                {"device_note", "half of it stays"}});
  });
  router.add("POST", "/v1/chat/completions", [model, die_when](http::Request& r) -> Result<http::Response> {
    Json body = TRY(http::json_body(r));
    if (json_get_or<bool>(body, "stream", false).value_or(false))
      return http::stream_response("text/event-stream",
                                   [die_when](http::StreamWriter& out) { return stream_words(out, die_when); });
    return http::json_response({{"model", model}, {"echo", body}});
  });
  router.add("POST", "/v1/completions",
             [](http::Request&) -> Result<http::Response> { return error(Code::invalid_argument, "no prompt"); });
  return router;
}

int main(int argc, char** argv) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  std::string state = argument(argc, argv, "--state-dir");
  std::istringstream behaviour(read_file(state + "/fake_engine.txt").value_or("serve"));
  std::string what, words;
  int status = 0;
  behaviour >> what;
  if (what == "exit") {
    behaviour >> status;
    std::getline(behaviour >> std::ws, words);
    std::fprintf(stderr, "error: %s\n", words.c_str());
    return status;
  }
  auto server =
      http::Server::create(make_router(argument(argc, argv, "--model"), what == "die-in-stream" ? state + "/die" : ""));
  if (what != "deaf" && !(*server)->listen_unix(argument(argc, argv, "--socket"), 0600)) return 4;
  if (what == "stubborn")
    while (true) ::pause();
  int signal = 0;
  ::sigwait(&signals, &signal);
  return 0;
}
