// Looks every two seconds; a kernel's news of mounts would say nothing of what is on them.
#include "appliance/hearthd/pack_sources.h"

#include <condition_variable>
#include <map>
#include <mutex>

namespace hearth {
namespace fs = std::filesystem;

constexpr std::chrono::seconds kLookEvery{2};

PackSources::~PackSources() {
  stop();
}

void PackSources::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
}

void PackSources::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void PackSources::watch(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  auto look = [this] {
    std::map<std::string, std::string> out;
    for (const fs::path& medium : find_media(roots)) out[medium.string()] = fingerprint_of(medium);
    return out;
  };
  std::map<std::string, std::string> before = look();
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex);
      never.wait_for(lock, stop, kLookEvery, [] { return false; });
    }
    std::map<std::string, std::string> now = look();
    for (const auto& [path, print] : now)
      if (!before.contains(path) || before[path] != print)
        events_.publish("pack_source", path, "packs found on " + path);
    for (const auto& [path, print] : before)
      if (!now.contains(path)) events_.publish("pack_source", path, path + " was removed");
    before = std::move(now);
  }
}

}  // namespace hearth
