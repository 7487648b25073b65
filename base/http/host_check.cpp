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
  bool port_ok =
      port.empty() || (port.front() == ':' && port.size() <= 6 &&
                       std::all_of(port.begin() + 1, port.end(), [](char c) { return c >= '0' && c <= '9'; }));
  if (name.empty() || !port_ok) return std::nullopt;
  return std::string(name);
}

static bool is_ip_literal(const std::string& name) {
  unsigned char address[sizeof(in6_addr)];
  return inet_pton(AF_INET, name.c_str(), address) == 1 || inet_pton(AF_INET6, name.c_str(), address) == 1;
}

Result<ListenAddress> parse_listen_address(const std::string& address) {
  auto wrong = [&](const std::string& what) {
    return error(Code::invalid_argument,
                 "\"{}\" is not an address to listen on: {}; required: IP:PORT, for example 127.0.0.1:8080", address,
                 what);
  };
  const size_t colon = address.rfind(':'), bracket = address.rfind(']');
  if (colon == std::string::npos || (bracket != std::string::npos && colon < bracket))
    return wrong("the port is missing");
  std::string host = address.substr(0, colon);
  const std::string port = address.substr(colon + 1);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return wrong("an IPv6 address stands in brackets, as in [::1]:8080");
  }
  const bool is_number = !port.empty() && port.size() <= 5 && port.find_first_not_of("0123456789") == std::string::npos;
  if (!is_number || std::stoi(port) > 65535)
    return wrong(fmt::format("the port \"{}\" is not a number from 0 to 65535", port));
  if (host == "localhost") host = "127.0.0.1";
  if (host.empty() || !is_ip_literal(host))
    return wrong(fmt::format("\"{}\" is neither an IP address nor localhost", host));
  return ListenAddress{host, static_cast<uint16_t>(std::stoi(port))};
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
  return error(
      Code::permission_denied,
      "requests for host \"{}\" are refused (protection against DNS rebinding); use the box's own name or address",
      *name);
}

Result<void> check_origin(std::string_view origin, std::string_view host) {
  size_t scheme = origin.find("://");
  std::string_view authority = scheme == std::string_view::npos ? std::string_view() : origin.substr(scheme + 3);
  if (!authority.empty() && equal_ignoring_case(authority, host)) return {};
  return error(Code::permission_denied, "requests made by web pages of other sites are refused (Origin \"{}\")",
               origin);
}

}  // namespace hearth::http
