// A watch that tells when media with packs come and go (box/media.h says which do).
#pragma once

#include <thread>

#include "appliance/box/media.h"
#include "appliance/hearthd/event_bus.h"

namespace hearth {

class PackSources {
 public:
  explicit PackSources(EventBus& events) : events_(events) {}
  ~PackSources();
  void start();
  void stop();

  const std::vector<std::filesystem::path> roots = media_roots();  // where media are looked for

 private:
  void watch(const std::stop_token& stop);

  EventBus& events_;
  std::jthread thread_;
};

}  // namespace hearth
