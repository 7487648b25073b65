// HTTP messages: header lookup, ready-made responses, percent coding.
#include "base/http/message.h"

#include <algorithm>

namespace hearth::http {

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Entry& e : entries_)
    if (equal_ignoring_case(e.name, name)) return e.value;
  return std::nullopt;
}

void Headers::set(std::string_view name, std::string_view value) {
  std::erase_if(entries_, [&](const Entry& e) { return equal_ignoring_case(e.name, name); });
  add(name, value);
}

void Headers::add(std::string_view name, std::string_view value) { entries_.push_back({std::string(name), std::string(value)}); }

Response text_response(std::string_view text, std::string_view content_type) {
  Response r;
  r.headers.set("Content-Type", content_type);
  r.body = text;
  return r;
}

Response json_response(const Json& json, int status) {
  Response r = text_response(dump_json(json), "application/json");
  r.status = status;
  return r;
}

static std::string_view error_type(int status) {
  switch (status) {
    case 401: return "authentication_error";
    case 403: return "permission_error";
    case 429: return "rate_limit_error";
    case 507:
      return "insufficient_storage_error";
    default: return status < 500 ? "invalid_request_error" : "server_error";
  }
}

Response error_response(const Error& error, std::string_view openai_code) {
  int status = http_status(error.code);
  Json body = {{"error",
                {{"message", error.to_string()},
                 {"type", error_type(status)},
                 {"param", nullptr},
                 {"code", openai_code.empty() ? code_name(error.code) : openai_code}}}};
  return json_response(body, status);
}

Response too_many_requests(std::string_view message, std::chrono::seconds retry_after) {
  constexpr int kStatus = 429;
  Json body = {
      {"error",
       {{"message", message}, {"type", error_type(kStatus)}, {"param", nullptr}, {"code", "rate_limit_exceeded"}}}};
  Response r = json_response(body, kStatus);
  r.headers.set("Retry-After", std::to_string(retry_after.count()));
  return r;
}

Response stream_response(std::string_view content_type, StreamBody body) {
  Response r;
  r.headers.set("Content-Type", content_type);
  r.headers.set("Cache-Control", "no-cache");
  r.stream = std::move(body);
  return r;
}

Result<Json> json_body(const Request& request) {
  if (request.body.empty()) return error(Code::invalid_argument, "the request has no body; a JSON object is required");
  return TRY_WITH(parse_json(request.body), "in the request's body");
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    int high = -1, low = -1;
    if (text[i] == '%' && i + 2 < text.size()) {
      high = hex_digit(text[i + 1]);
      low = hex_digit(text[i + 2]);
    }
    if (high >= 0 && low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (unsigned char c : text) {
    bool unreserved = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.' ||
                      c == '_' || c == '~';
    if (unreserved) {
      out += static_cast<char>(c);
    } else {
      out += fmt::format("%{:02X}", c);
    }
  }
  return out;
}

std::map<std::string, std::string> parse_query(std::string_view query) {
  std::map<std::string, std::string> out;
  while (!query.empty()) {
    std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.empty()) continue;
    size_t equals = pair.find('=');
    std::string_view value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    out[percent_decode(pair.substr(0, equals), true)] = percent_decode(value, true);
  }
  return out;
}

std::string_view status_text(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 499: return "Client Closed Request";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 507: return "Insufficient Storage";
    default: return "Status";
  }
}

}  // namespace hearth::http
