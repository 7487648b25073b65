// Statuses back to codes: the reverse of http_status() for every code, and whatever else a server may answer.
#include "base/error_response.h"

#include <gtest/gtest.h>

namespace hearth::error_response_test {
namespace {

TEST(ErrorResponse, EveryCodeComesBackAsOneOfItsStatus) {
  for (int i = 0; i <= static_cast<int>(Code::internal); ++i) {
    const auto code = static_cast<Code>(i);
    EXPECT_EQ(http_status(code_of_status(http_status(code))), http_status(code)) << code_name(code);
  }
}

TEST(ErrorResponse, OtherStatuses) {
  EXPECT_EQ(code_of_status(413), Code::resource_exhausted);
  EXPECT_EQ(code_of_status(429), Code::resource_exhausted);
  EXPECT_EQ(code_of_status(502), Code::unavailable);
  EXPECT_EQ(code_of_status(418), Code::invalid_argument);
  EXPECT_EQ(code_of_status(599), Code::internal);
  EXPECT_EQ(code_of_status(302), Code::internal);
}

TEST(ErrorResponse, TheServicesOwnCodeAndWordsAreTaken) {
  const Error told = error_from_response(409, R"({"error": {"message": "taken", "code": "already_exists"}})");
  EXPECT_EQ(told.code, Code::already_exists);
  EXPECT_EQ(told.message, "taken");
  const Error foreign = error_from_response(404, R"({"error": {"message": "what?", "code": "model_not_found"}})");
  EXPECT_EQ(foreign.code, Code::not_found);
  EXPECT_EQ(foreign.message, "what?");
}

TEST(ErrorResponse, AnythingElseStillSaysTheStatus) {
  for (const char* body : {"", "<html>", "[]", "{}", R"({"error": "text"})", R"({"error": {"code": 7}})",
                           R"({"error": {"message": 1}})"}) {
    const Error plain = error_from_response(503, body);
    EXPECT_EQ(plain.code, Code::unavailable) << body;
    EXPECT_NE(plain.message.find("503"), std::string::npos) << body;
  }
}

}  // namespace
}  // namespace hearth::error_response_test
