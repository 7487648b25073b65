// /v1/embeddings and /v1/rerank on handlers called directly.
#include "inference/openai/encoder_surface.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/files.h"
#include "base/json.h"

namespace hearth::openai::encoder_surface_test {
namespace {
namespace fs = std::filesystem;

class EncoderSurface : public testing::Test {
 protected:
  void start(const char* name) {
    auto model = load_model(std::filesystem::path(HEARTH_SOURCE_DIR) / "tests/golden" / name);
    ASSERT_TRUE(model) << model.error().to_string();
    auto created = Encoder::create(std::make_shared<const LoadedModel>(std::move(*model)), 1);
    ASSERT_TRUE(created) << created.error().to_string();
    encoder_ = std::move(*created);
    add_encoder_routes(router_, *encoder_, {"tiny", ""});
  }

  Result<Json> call(std::string_view path, const Json& body) {
    const http::Router::Match match = router_.match("POST", path);
    if (!match.route) return error(Code::not_found, "no route");
    http::Request request;
    request.method = "POST";
    request.path = path;
    request.body = body.dump();
    auto response = TRY(match.route->handler(request));
    return Json::parse(response.body);
  }

  std::unique_ptr<Encoder> encoder_;
  http::Router router_;
};

TEST_F(EncoderSurface, ChatIsToldWhatTheModelIs) {
  start("bert_fp32");
  for (const char* path : {"/v1/chat/completions", "/v1/completions"}) {
    auto answer = call(path, {{"model", "tiny"}});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, Code::invalid_argument);
    EXPECT_NE(answer.error().message.find("tiny is an embedder"), std::string::npos) << answer.error().message;
    EXPECT_NE(answer.error().message.find("/v1/embeddings"), std::string::npos) << answer.error().message;
  }
  EXPECT_NE(call("/v1/rerank", {{"model", "tiny"}}).error().message.find("is an embedder"), std::string::npos);
}

TEST_F(EncoderSurface, ARerankerSaysWhatItIs) {
  start("bert_reranker_fp32");
  for (const char* path : {"/v1/chat/completions", "/v1/embeddings"})
    EXPECT_NE(call(path, {{"model", "tiny"}}).error().message.find("is a reranker"), std::string::npos) << path;
}

TEST_F(EncoderSurface, EmbeddingsOfTokenIds) {
  start("bert_fp32");
  auto answer = call("/v1/embeddings", {{"model", "tiny"}, {"input", {{5, 6, 7}, {8, 9}}}});
  ASSERT_TRUE(answer) << answer.error().to_string();
  ASSERT_EQ((*answer)["data"].size(), 2u);
  EXPECT_EQ((*answer)["usage"]["prompt_tokens"], 5);
  const auto vector = (*answer)["data"][1]["embedding"].get<std::vector<float>>();
  ASSERT_EQ(vector.size(), 32u);
  double squares = 0;
  for (const float x : vector) squares += static_cast<double>(x) * x;
  EXPECT_NEAR(squares, 1, 1e-5);

  auto one = call("/v1/embeddings", {{"model", "tiny"}, {"input", {8, 9}}, {"encoding_format", "base64"}});
  ASSERT_TRUE(one) << one.error().to_string();
  const auto text = (*one)["data"][0]["embedding"].get<std::string>();
  ASSERT_EQ(text.size(), (32u * 4 + 2) / 3 * 4);
  EXPECT_TRUE(text.ends_with("="));
}

TEST_F(EncoderSurface, RefusesBadRequestsByName) {
  start("bert_fp32");
  EXPECT_EQ(call("/v1/embeddings", {{"model", "other"}, {"input", {5}}}).error().code, Code::not_found);
  EXPECT_EQ(call("/v1/embeddings", {{"model", "tiny"}}).error().code, Code::invalid_argument);
  EXPECT_EQ(call("/v1/embeddings", {{"model", "tiny"}, {"input", Json::array()}}).error().code, Code::invalid_argument);
  EXPECT_EQ(call("/v1/embeddings", {{"model", "tiny"}, {"input", {5, "x"}}}).error().code, Code::invalid_argument);
  EXPECT_EQ(call("/v1/embeddings", {{"model", "tiny"}, {"input", {99}}}).error().code, Code::invalid_argument);
  EXPECT_EQ(call("/v1/embeddings", {{"model", "tiny"}, {"input", {5}}, {"dimensions", 8}}).error().code,
            Code::invalid_argument);
  EXPECT_FALSE(call("/v1/rerank", {{"model", "tiny"}, {"query", "a"}, {"documents", {"b"}}}));
  EXPECT_FALSE(call("/v1/chat/completions", {{"model", "tiny"}}));
}

TEST_F(EncoderSurface, RerankOrdersAsTheLibraryScores) {
  start("bert_reranker_fp32");
  const fs::path folder = fs::path(HEARTH_SOURCE_DIR) / "tests/golden/bert_reranker_fp32";
  const Json expected = *parse_json(*read_file(folder / "expected_pairs.json"));
  const auto query = expected["query"].get<std::string>();
  Json documents = Json::array();
  std::vector<double> scores;
  for (const Json& pair : expected["pairs"]) {
    auto text = encoder_->pair(query, pair["document"].get<std::string>());
    ASSERT_TRUE(text) << text.error().to_string();
    EXPECT_EQ(text->ids, pair["ids"].get<std::vector<int32_t>>());
    EXPECT_EQ(text->types, pair["types"].get<std::vector<int32_t>>());
    documents.push_back(pair["document"]);
    scores.push_back(1 / (1 + std::exp(-pair["score"].get<double>())));
  }
  auto answer =
      call("/v1/rerank", {{"model", "tiny"}, {"query", query}, {"documents", documents}, {"return_documents", true}});
  ASSERT_TRUE(answer) << answer.error().to_string();
  ASSERT_EQ((*answer)["results"].size(), scores.size());
  double last = 1;
  for (const Json& result : (*answer)["results"]) {
    const auto index = result["index"].get<size_t>();
    EXPECT_NEAR(result["relevance_score"].get<double>(), scores[index], 1e-5);
    EXPECT_EQ(result["document"]["text"], documents[index]);
    EXPECT_LE(result["relevance_score"].get<double>(), last);
    last = result["relevance_score"].get<double>();
  }
  auto two = call("/v1/rerank", {{"model", "tiny"}, {"query", query}, {"documents", documents}, {"top_n", 2}});
  ASSERT_TRUE(two);
  EXPECT_EQ((*two)["results"].size(), 2u);
}

TEST_F(EncoderSurface, RerankNeedsItsFields) {
  start("bert_reranker_fp32");
  EXPECT_EQ(call("/v1/rerank", {{"model", "tiny"}, {"documents", {"b"}}}).error().code, Code::invalid_argument);
  EXPECT_EQ(call("/v1/rerank", {{"model", "tiny"}, {"query", "a"}, {"documents", Json::array()}}).error().code,
            Code::invalid_argument);
  EXPECT_FALSE(call("/v1/embeddings", {{"model", "tiny"}, {"input", {5}}}));
}

}  // namespace
}  // namespace hearth::openai::encoder_surface_test
