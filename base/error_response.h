// Errors that come back over HTTP: the reverse of http_status() (base/result.h), for every client.
#pragma once

#include <string_view>

#include "base/result.h"

namespace hearth {

// Several codes share a status; the one that says most is meant.
Code code_of_status(int status);

// Of a body in OpenAI's shape, {"error": {"message", "code"}}: the service's own code and words where it has them.
Error error_from_response(int status, std::string_view body);

}  // namespace hearth
