#include "base/error_response.h"

#include "base/json.h"

namespace hearth {
namespace {

Code code_named(std::string_view name, Code otherwise) {
  for (int i = 0; i <= static_cast<int>(Code::internal); ++i)
    if (code_name(static_cast<Code>(i)) == name) return static_cast<Code>(i);
  return otherwise;
}

}  // namespace

Code code_of_status(int status) {
  switch (status) {
    case 401:
      return Code::unauthenticated;
    case 403:
      return Code::permission_denied;
    case 404:
      return Code::not_found;
    case 409:
      return Code::failed_precondition;
    case 422:
      return Code::data_loss;
    case 413:
    case 429:
    case 507:
      return Code::resource_exhausted;
    case 499:
      return Code::cancelled;
    case 501:
      return Code::unimplemented;
    case 502:
    case 503:
      return Code::unavailable;
    case 504:
      return Code::deadline_exceeded;
    default:
      return status >= 400 && status < 500 ? Code::invalid_argument : Code::internal;
  }
}

Error error_from_response(int status, std::string_view body) {
  const Code code = code_of_status(status);
  const auto json = parse_json(body);
  if (!json || !json->is_object() || !json->contains("error") || !(*json)["error"].is_object())
    return error(code, "the service answered with status {}", status);
  const Json& told = (*json)["error"];
  const std::string message = json_get_or<std::string>(told, "message", "").value_or("");
  const std::string name = json_get_or<std::string>(told, "code", "").value_or("");
  if (message.empty()) return error(code_named(name, code), "the service answered with status {}", status);
  return error(code_named(name, code), "{}", message);
}

}  // namespace hearth
