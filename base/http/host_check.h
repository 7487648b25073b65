// Which Host and Origin headers are believed: the guard against DNS rebinding and requests forged by web pages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth::http {

// "127.0.0.1:8080", "[::1]:0" or "localhost:8080" in parts; an Error says which part is wrong.
struct ListenAddress {
  std::string host;  // without brackets
  uint16_t port = 0;
};
Result<ListenAddress> parse_listen_address(const std::string& address);

// A name in Host is allowed when it is an IP literal, localhost, this box's own host name (also with .local), or in
// `extra`. Any other name may be an attacker's, pointed at us through DNS.
Result<void> check_host(std::string_view host, const std::vector<std::string>& extra);

// A browser names the page that makes it ask in Origin. Only pages that came from this very host and port may.
Result<void> check_origin(std::string_view origin, std::string_view host);

// "name:80" → "name", "[::1]:80" → "::1"; nullopt when malformed.
std::optional<std::string> host_name_of(std::string_view host);

}  // namespace hearth::http
