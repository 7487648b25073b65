// The options that hearthd and `hearth serve` share.
#pragma once

#include "appliance/hearthd/service.h"

namespace CLI {
class App;
}

namespace hearth {

struct ServiceArguments {
  std::string state_dir, listen = kDefaultListen, bundled_packs, engine, trainer, signing_key;
  std::vector<std::string> trust, allowed_hosts;
};

void add_service_options(CLI::App& app, ServiceArguments& arguments, bool with_state_dir = true);
ServiceOptions service_options(const ServiceArguments& arguments);

}  // namespace hearth
