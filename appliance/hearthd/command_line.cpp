// hearthd's options.
#include "appliance/hearthd/command_line.h"

#include <CLI/CLI.hpp>

#include "appliance/box/programs.h"
#include "base/http/host_check.h"

namespace hearth {

void add_service_options(CLI::App& app, ServiceArguments& a, bool with_state_dir) {
  if (with_state_dir) app.add_option("--state-dir", a.state_dir, "Where all state lives");
  // Checked before anything is started, so that a slip does not cost a running service.
  auto check_listen = [](const std::string& address) {
    auto parsed = http::parse_listen_address(address);
    return parsed ? std::string() : parsed.error().message;
  };
  app.add_option("--listen", a.listen, "IP address and port of the API; port 0 picks a free one")
      ->capture_default_str()
      ->check(check_listen);
  app.add_option("--bundled-packs", a.bundled_packs,
                 "Folder with the packs that came with the box: installed once, the first is deployed");
  app.add_option("--trust", a.trust, "Folder of public keys (*.pub) whose packs are accepted, besides <state>/trust");
  app.add_option("--allowed-host", a.allowed_hosts, "Another host name under which this box is reached");
  app.add_option("--engine", a.engine, "The hearth-engine program");
  app.add_option("--trainer", a.trainer, "The hearth-trainer program");
  app.add_option("--signing-key", a.signing_key, "Private key (PEM) that signs exported packs");
}

ServiceOptions service_options(const ServiceArguments& a) {
  auto absolute = [](const std::string& path) {
    return path.empty() ? std::filesystem::path() : std::filesystem::absolute(path);
  };
  ServiceOptions options;
  options.state = state_dir_from(a.state_dir);
  options.listen = a.listen;
  options.bundled_packs = a.bundled_packs.empty() ? find_shared("packs") : absolute(a.bundled_packs);
  if (std::filesystem::path shared = find_shared("trust"); !shared.empty()) options.trust_folders.push_back(shared);
  for (const std::string& folder : a.trust) options.trust_folders.push_back(absolute(folder));
  options.allowed_hosts = a.allowed_hosts;
  options.deployments.engine = a.engine.empty() ? find_worker("hearth-engine") : absolute(a.engine);
  options.jobs.trainer = a.trainer.empty() ? find_worker("hearth-trainer") : absolute(a.trainer);
  options.jobs.signing_key = absolute(a.signing_key);
  return options;
}

}  // namespace hearth
