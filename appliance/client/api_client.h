// A client of hearthd's API in its own types. For the command line; the desktop has one of its own on Qt.
#pragma once

#include <filesystem>

#include "appliance/api/types.h"
#include "appliance/state/state_dir.h"
#include "base/http/client.h"

namespace hearth {

class ApiClient {
 public:
  explicit ApiClient(std::filesystem::path socket) : socket_(std::move(socket)) {}
  // The service of this state directory, when it answers; else unavailable with what to do.
  static Result<ApiClient> connect(const StateDir& state);

  Result<Json> get(const std::string& path) const;
  Result<Json> post(const std::string& path, const Json& body) const;
  Result<Json> upload(const std::string& path, const std::filesystem::path& file) const;
  Result<Json> remove(const std::string& path) const;

  template <class T>
  Result<T> get_as(const std::string& path) const {
    return from_json<T>(TRY(get(path)));
  }
  template <class T, class Body>
  Result<T> post_as(const std::string& path, const Body& body) const {
    return from_json<T>(TRY(post(path, to_json_value(body))));
  }
  // The member `list` of a document such as {"models": [...]}.
  template <class T>
  Result<std::vector<T>> list(const std::string& path, const std::string& member) const {
    Json document = TRY(get(path));
    std::vector<T> out;
    TRY(read_json_value(TRY(json_get<Json>(document, member)), out, member));
    return out;
  }

  http::ClientRequest request(std::string method, const std::string& path) const;

 private:
  Result<Json> ask(const http::ClientRequest& request) const;
  std::filesystem::path socket_;
};

}  // namespace hearth
