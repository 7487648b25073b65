// The client over the service's Unix socket.
#include "appliance/client/api_client.h"

namespace hearth {

constexpr std::chrono::seconds kAnswerTime{120};
constexpr std::chrono::seconds kHealthTime{5};

http::ClientRequest ApiClient::request(std::string method, const std::string& path) const {
  http::ClientRequest out{.method = std::move(method), .url = "http://localhost" + path, .unix_socket = socket_, .timeout = kAnswerTime};
  return out;
}

Result<ApiClient> ApiClient::connect(const StateDir& state) {
  ApiClient client(state.socket());
  http::ClientRequest probe = client.request("GET", "/health");
  probe.timeout = kHealthTime;
  if (Result<http::ClientResponse> answer = http::fetch(probe); !answer)
    return error(Code::unavailable, "no Hearth service answers on {}; start it with `hearth serve` or `systemctl start hearthd`, or name its --state-dir",
                 state.socket().string());
  return client;
}

Result<Json> ApiClient::ask(const http::ClientRequest& request) const {
  http::ClientResponse answer = TRY(http::expect_ok(http::fetch(request)));
  return TRY_WITH(parse_json(answer.body), "in the service's answer");
}

Result<Json> ApiClient::get(const std::string& path) const { return ask(request("GET", path)); }
Result<Json> ApiClient::remove(const std::string& path) const { return ask(request("DELETE", path)); }

Result<Json> ApiClient::post(const std::string& path, const Json& body) const {
  http::ClientRequest out = request("POST", path);
  out.headers.set("Content-Type", "application/json");
  out.body = dump_json(body);
  return ask(out);
}

Result<Json> ApiClient::upload(const std::string& path, const std::filesystem::path& file) const {
  http::ClientRequest out = request("POST", path);
  out.timeout = {};
  out.body_file = file;
  return ask(out);
}

}  // namespace hearth
