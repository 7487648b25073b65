// Which paths of this box a request may name. Who is on the box may name any; who is on another machine only media, so
// that nobody out there can ask what the box's own disks hold (docs/decisions/0012).
#pragma once

#include "appliance/hearthd/service.h"
#include "base/http/message.h"

namespace hearth {

Result<void> check_may_name(const http::Request& request, const Service& service, const std::string& path);

}  // namespace hearth
