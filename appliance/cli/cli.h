// What every verb gets: where the box is, how to print, and how to ask the service.
#pragma once

#include <functional>

#include <chrono>
#include "appliance/client/api_client.h"
#include "appliance/state/state_dir.h"

#include "base/json.h"
#include "model_store/store.h"

namespace hearth::cli {

struct Cli {
  StateDir state;
  bool json = false;

  // One document with --json, else `human`'s text. Both end with a line break.
  void print(const Json& document, const std::function<std::string()>& human) const;

  Result<ApiClient> service() const { return ApiClient::connect(state); }
  // For verbs that change the store while no service does.
  Result<store::Store> open_store(store::Mode mode) const;
  // N: a path that exists, or a model in the store by either of its names. A Hugging Face folder or a file.
  Result<std::filesystem::path> model_path(const std::string& n) const;
  // Of the model that N names; not_found where model_path takes N as a path, whatever models are called.
  static Result<store::ModelRecord> record(const store::Store& store, const std::string& n);
};

std::string human_bytes(uint64_t bytes);    // "1.2 GiB"
std::string human_count(uint64_t n);        // "1.1 B"
std::string human_seconds(double seconds);  // "3 min 20 s"
std::string human_time(double since_1970);  // "2026-01-31 12:00", local
// A line for each held-out loss that is known: before, of the model that is kept, and after the last step.
std::string held_out_text(std::optional<double> before, std::optional<double> kept, std::optional<double> last,
                          int kept_step);
// Columns aligned; the first row is the head.
std::string table(const std::vector<std::vector<std::string>>& rows);

// Follows a job to its end with a progress bar on a terminal. An Error when it did not end well.
Result<api::Job> follow_job(const ApiClient& service, const std::string& id);

// A bar on stderr when that is a terminal; with --json an object a line there, twice a second at most
// ({"event": "progress", "progress": 0.25, "text": "importing 5.2 GB"}); else nothing.
class ProgressBar {
 public:
  static inline bool as_events = false;  // set once, by main
  ProgressBar();
  ~ProgressBar();  // clears the line
  void show(double progress, const std::string& text);
  store::Control control(std::string_view doing);  // for the store's own operations; valid while the bar lives

 private:
  void print_event(double progress, const std::string& text);
  bool is_terminal_, shown_ = false;
  std::chrono::steady_clock::time_point last_event_{};
};

}  // namespace hearth::cli
