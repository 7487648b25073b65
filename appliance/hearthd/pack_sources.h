// Where packs may be now: sticks and other media that are mounted, found by looking; and a watch that tells when they
// come and go. Nothing here mounts, formats or writes to a medium.
#pragma once

#include <mutex>
#include <set>
#include <thread>

#include "appliance/api/types.h"
#include "appliance/hearthd/event_bus.h"
#include "model_store/store.h"

namespace hearth {

class PackSources {
 public:
  // Roots: $HEARTH_MEDIA_ROOTS (separated by colons), else /media, /run/media and /mnt.
  PackSources(store::Store& store, EventBus& events);
  ~PackSources();
  void start();
  void stop();

  std::vector<api::PackSource> list() const;                 // media that hold packs
  Result<api::PackSource> scan(const std::string& path) const;  // any folder

 private:
  void watch(const std::stop_token& stop);

  store::Store& store_;
  EventBus& events_;
  const std::vector<std::filesystem::path> roots_;
  std::jthread thread_;
};

}  // namespace hearth
