// hearth logs [NAME]: last lines of the logs in the state directory: hearthd, the engines, or a job's.
#include <algorithm>
#include <map>

#include "appliance/cli/verbs.h"
#include "base/files.h"

namespace hearth::cli {
namespace {

constexpr uint64_t kMaxLogBytes = uint64_t{32} << 20;

std::string last_lines(const std::string& text, int n) {
  size_t at = text.size();
  for (int i = 0; i <= n && at != std::string::npos && at > 0; ++i) at = text.rfind('\n', at - 1);
  return at == std::string::npos || at == 0 ? text : text.substr(at + 1);
}

std::map<std::string, std::filesystem::path> find_logs(const StateDir& state) {
  std::map<std::string, std::filesystem::path> out;
  std::error_code failed;
  for (const auto& file : std::filesystem::directory_iterator(state.logs(), failed))
    if (file.path().extension() == ".log") out[file.path().stem().string()] = file.path();
  for (const auto& job : std::filesystem::directory_iterator(state.jobs(), failed))
    if (std::filesystem::exists(job.path() / "log", failed))
      out["job-" + job.path().filename().string()] = job.path() / "log";
  return out;
}

// "engine-" and what people call the model stands for its log.
std::string log_named(const Cli& cli, const std::string& given) {
  constexpr std::string_view kEngine = "engine-";
  if (!given.starts_with(kEngine)) return given;
  auto store = cli.open_store(store::Mode::read_only);
  auto name = store ? store->resolve(given.substr(kEngine.size())) : Result<std::string>(store.error());
  return name ? std::string(kEngine) + *name : given;
}

}  // namespace

void declare_logs(Command& command) {
  auto name = std::make_shared<std::string>();
  auto n_lines = std::make_shared<int>(100);
  command.positional("NAME", *name, "hearthd, engine-MODEL or job-ID; default: all but jobs", false);
  command.option("-n,--lines", *n_lines, "How many lines of each");
  command.on_run([=](const Cli& cli) -> Result<void> {
    if (*n_lines < 0) return error(Code::invalid_argument, "--lines must be 0 or more, got {}", *n_lines);
    auto logs = find_logs(cli.state);
    if (!logs.contains(*name)) *name = log_named(cli, *name);
    if (name->empty()) {
      std::erase_if(logs, [](const auto& item) { return item.first.starts_with("job-"); });
    } else if (!logs.contains(*name)) {
      return error(Code::not_found, "no log named {} in {}", *name, cli.state.root.string());
    } else {
      logs = {{*name, logs[*name]}};
    }
    Json document = Json::object();
    std::string human;
    for (const auto& [log, file] : logs) {
      std::string text = last_lines(TRY(read_file(file, kMaxLogBytes)), std::clamp(*n_lines, 0, 100'000));
      document[log] = text;
      human += fmt::format("{}== {} ==\n{}", human.empty() ? "" : "\n", log, text);
    }
    cli.print(document, [&] {
      return human.empty() ? "no logs in " + cli.state.root.string() +
                                 "; a system service's are in the journal: journalctl -u hearthd"
                           : human;
    });
    return {};
  });
}

}  // namespace hearth::cli
