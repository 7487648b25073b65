// Waiting for a deployment, for `deploy` and `chat`.
#pragma once

#include "appliance/cli/cli.h"

namespace hearth::cli {

// Until the model answers. Also while a job that installs it is still under way. An Error when it failed, is not
// deployed, or takes more than ten minutes.
Result<api::Deployment> wait_until_ready(const ApiClient& service, const std::string& given);

}  // namespace hearth::cli
