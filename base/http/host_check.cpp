// Host and Origin checks.
#include "base/http/host_check.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "base/http/message.h"

namespace hearth::http {

std::optional<std::string> host_name_of(std::string_view host) {
  std::string_view name, port;
  if (!host.empty() && host.front() == '[') {
    size_t end = host.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    name = host.substr(1, end - 1);
    port = host.substr(end + 1);
  } else {
    name = host.substr(0, host.find(':'));
    port = host.substr(name.size());
  }
  bool port_ok = port.empty() || (port.front() == ':' && port.size() <= 6 &&
                                  std::all_of(port.begin() + 1, port.end(), [](char c) { return c >= '0' && c <= '9'; }));
  if (name.empty() || !port_ok) return std::nullopt;
  return std::string(name);
}

static bool is_ip_literal(const std::string& name) {
  unsigned char address[sizeof(in6_addr)];
  return inet_pton(AF_INET, name.c_str(), address) == 1 || inet_pton(AF_INET6, name.c_str(), address) == 1;
}

static std::string own_host_name() {
  char name[HOST_NAME_MAX + 1] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "";
}

Result<void> check_host(std::string_view host, const std::vector<std::string>& extra) {
  std::optional<std::string> name = host_name_of(host);
  if (!name) return error(Code::invalid_argument, "the Host header is missing or malformed");
  if (is_ip_literal(*name) || equal_ignoring_case(*name, "localhost")) return {};
  std::string own = own_host_name();
  if (!own.empty() && (equal_ignoring_case(*name, own) || equal_ignoring_case(*name, own + ".local"))) return {};
  for (const std::string& allowed : extra)
    if (equal_ignoring_case(*name, allowed)) return {};
  return error(Code::permission_denied,
               "requests for host \"{}\" are refused (protection against DNS rebinding); use the box's own name or address",
               *name);
}

Result<void> check_origin(std::string_view origin, std::string_view host) {
  size_t scheme = origin.find("://");
  std::string_view authority = scheme == std::string_view::npos ? std::string_view() : origin.substr(scheme + 3);
  if (!authority.empty() && equal_ignoring_case(authority, host)) return {};
  return error(Code::permission_denied, "requests made by web pages of other sites are refused (Origin \"{}\")", origin);
}

}  // namespace hearth::http
