// Messages, routes, host checks, server-sent events: everything of HTTP that needs no socket.
#include "base/http/message.h"

#include <gtest/gtest.h>

#include "base/http/host_check.h"
#include "base/http/router.h"
#include "base/http/sse.h"

namespace hearth::http::message_test {
namespace {

TEST(Message, AFullDiskIsNotARateLimit) {
  Response full = error_response(error(Code::resource_exhausted, "no space left"));
  EXPECT_EQ(full.status, 507);
  EXPECT_EQ((*parse_json(full.body))["error"]["type"], "insufficient_storage_error");
  EXPECT_EQ((*parse_json(full.body))["error"]["code"], "resource_exhausted");
  Response busy = too_many_requests("come again", std::chrono::seconds(3));
  EXPECT_EQ(busy.status, 429);
  EXPECT_EQ(busy.headers.find("Retry-After"), "3");
  EXPECT_EQ((*parse_json(busy.body))["error"]["type"], "rate_limit_error");
}

TEST(Headers, FindWithoutCaseAndReplace) {
  Headers h;
  h.add("Content-Type", "a");
  h.set("content-type", "b");
  EXPECT_EQ(h.find("CONTENT-TYPE"), "b");
  EXPECT_EQ(h.entries().size(), 1u);
  EXPECT_FALSE(h.find("Content-Typ"));
}

TEST(PercentCoding, RoundTripAndBrokenEscapes) {
  std::string text = "a b/ü?&=%";
  EXPECT_EQ(percent_decode(percent_encode(text)), text);
  EXPECT_EQ(percent_decode("%zz%4"), "%zz%4");
  auto query = parse_query("name=my+file%2Ejsonl&flag&&x=1&x=2");
  EXPECT_EQ(query["name"], "my file.jsonl");
  EXPECT_EQ(query["flag"], "");
  EXPECT_EQ(query["x"], "2");
}

TEST(ErrorResponse, HasOpenAiShape) {
  Response r = error_response(error(Code::not_found, "no model named {}", "x"), "model_not_found");
  EXPECT_EQ(r.status, 404);
  Json body = *parse_json(r.body);
  EXPECT_EQ(body["error"]["message"], "no model named x");
  EXPECT_EQ(body["error"]["type"], "invalid_request_error");
  EXPECT_EQ(body["error"]["code"], "model_not_found");
}

TEST(Router, ParamsMethodsAndMisses) {
  Router router;
  auto handler = [](Request&) -> Result<Response> { return Response(); };
  router.add("GET", "/models/{name}", handler);
  router.add("DELETE", "/models/{name}", handler);
  router.add("GET", "/models/{name}/fit", handler);
  auto m = router.match("GET", "/models/a%2Fb");
  ASSERT_TRUE(m.route);
  EXPECT_EQ(m.params["name"], "a/b");
  EXPECT_EQ(router.match("GET", "/models/x/fit").route->pattern, "/models/{name}/fit");
  EXPECT_EQ(router.match("PUT", "/models/x").allowed, "GET, DELETE");
  EXPECT_FALSE(router.match("GET", "/models").route);
  EXPECT_TRUE(router.match("GET", "/models").allowed.empty());
  EXPECT_FALSE(router.match("GET", "").route);
}

TEST(HostCheck, AllowsOwnNamesAndLiteralsOnly) {
  for (const char* good : {"localhost", "LOCALHOST:80", "127.0.0.1:8484", "[::1]:1", "192.168.1.7", "box.example:1"})
    EXPECT_TRUE(check_host(good, {"box.example"})) << good;
  for (const char* bad :
       {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "[::1", "localhost:port", ":80"})
    EXPECT_FALSE(check_host(bad, {})) << bad;
  EXPECT_TRUE(check_origin("http://127.0.0.1:8484", "127.0.0.1:8484"));
  for (const char* bad : {"null", "http://evil.example", "http://127.0.0.1:9999", ""})
    EXPECT_FALSE(check_origin(bad, "127.0.0.1:8484")) << bad;
}

TEST(Sse, FormatsAndParsesInAnyCuts) {
  std::string wire = format_sse({.data = "one\ntwo", .event = "job", .id = "7"}) + ": a comment\r\n\r\n" +
                     "data:x\r\rdata: [DONE]\n\n";
  for (size_t cut = 1; cut < wire.size(); ++cut) {
    SseParser parser;
    std::vector<SseEvent> got;
    for (size_t at = 0; at < wire.size(); at += cut) {
      ASSERT_TRUE(parser.feed(std::string_view(wire).substr(at, cut)));
      while (auto event = parser.next()) got.push_back(*event);
    }
    ASSERT_EQ(got.size(), 3u) << cut;
    EXPECT_EQ(got[0].data, "one\ntwo");
    EXPECT_EQ(got[0].event, "job");
    EXPECT_EQ(got[0].id, "7");
    EXPECT_EQ(got[1].data, "x");
    EXPECT_EQ(got[2].data, "[DONE]");
  }
  SseParser small(16);
  EXPECT_FALSE(small.feed(std::string(17, 'x')));
}

TEST(HostCheck, AddressesToListenOnNameTheWrongPart) {
  EXPECT_EQ(parse_listen_address("127.0.0.1:8080")->port, 8080);
  EXPECT_EQ(parse_listen_address("[::1]:0")->host, "::1");
  EXPECT_EQ(parse_listen_address("localhost:1")->host, "127.0.0.1");
  const char* wrong[][2] = {{"127.0.0.1", "port is missing"},
                            {"[::1]", "port is missing"},
                            {"127.0.0.1:", "the port"},
                            {"127.0.0.1:http", "\"http\" is not a number"},
                            {"127.0.0.1:65536", "65536"},
                            {"127.0.0.1:-1", "the port"},
                            {"::1:80", "brackets"},
                            {"box.example:80", "box.example"},
                            {":80", "IP address"},
                            {"", "port is missing"}};
  for (const auto& [address, what] : wrong) {
    auto parsed = parse_listen_address(address);
    ASSERT_FALSE(parsed) << address;
    EXPECT_NE(parsed.error().message.find(what), std::string::npos) << parsed.error().message;
    EXPECT_NE(parsed.error().message.find("127.0.0.1:8080"), std::string::npos);
  }
}

}  // namespace
}  // namespace hearth::http::message_test
