#include "base/result.h"

namespace hearth {

std::string_view code_name(Code code) {
  switch (code) {
    case Code::invalid_argument: return "invalid_argument";
    case Code::not_found: return "not_found";
    case Code::already_exists: return "already_exists";
    case Code::failed_precondition: return "failed_precondition";
    case Code::permission_denied: return "permission_denied";
    case Code::unauthenticated: return "unauthenticated";
    case Code::resource_exhausted: return "resource_exhausted";
    case Code::data_loss: return "data_loss";
    case Code::cancelled: return "cancelled";
    case Code::unavailable: return "unavailable";
    case Code::deadline_exceeded: return "deadline_exceeded";
    case Code::unimplemented: return "unimplemented";
    case Code::internal: return "internal";
  }
  return "internal";
}

int http_status(Code code) {
  switch (code) {
    case Code::invalid_argument: return 400;
    case Code::unauthenticated: return 401;
    case Code::permission_denied: return 403;
    case Code::not_found: return 404;
    case Code::already_exists:
    case Code::failed_precondition: return 409;
    case Code::data_loss:
      return 422;
    case Code::cancelled: return 499;
    case Code::internal: return 500;
    case Code::unimplemented: return 501;
    case Code::unavailable: return 503;
    case Code::deadline_exceeded: return 504;
    case Code::resource_exhausted:
      return 507;  // a rate limit is not an Error: http::too_many_requests
  }
  return 500;
}

int exit_code(Code) { return 1; }

std::string Error::to_string() const {
  std::string out;
  for (auto it = context.rbegin(); it != context.rend(); ++it) out += *it + ": ";
  return out + message;
}

}  // namespace hearth
