// What hearthd is started with, and how its command line reads.
#pragma once

#include <vector>

#include "appliance/hearthd/deployments.h"
#include "appliance/hearthd/jobs/jobs.h"
#include "appliance/state/state_dir.h"
#include "hwdetect/profile.h"

namespace hearth {

inline constexpr const char* kDefaultListen = "127.0.0.1:8080";

struct ServiceOptions {
  StateDir state;
  std::string listen = kDefaultListen;
  std::filesystem::path bundled_packs;               // empty: none
  std::vector<std::filesystem::path> trust_folders;  // besides <state>/trust
  std::vector<std::string> allowed_hosts;
  int max_requests_per_model = 48;  // under way at one engine, which has 64 workers; more are told to come again (429)
  DeploymentOptions deployments;
  JobOptions jobs;
  bool log_to_state = false;  // also to <state>/log/hearthd.log, for `hearth logs` without a journal
  DetectOptions machine;      // where the free memory is read
};

}  // namespace hearth
