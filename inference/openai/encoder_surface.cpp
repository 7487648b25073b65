// Routes of encoders: parse, tokenise, encode, answer.
#include "inference/openai/encoder_surface.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <numeric>

#include "base/json.h"
#include "inference/openai/other_tasks.h"

namespace hearth::openai {
namespace {

constexpr uint64_t kMaxTextsBytes = uint64_t{64} << 20;
constexpr std::chrono::seconds kEncodeTimeLimit{600};

std::string base64(std::span<const float> values) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const auto* bytes = reinterpret_cast<const unsigned char*>(values.data());
  const size_t n = values.size() * sizeof(float);
  std::string out;
  for (size_t i = 0; i < n; i += 3) {
    const unsigned group = (bytes[i] << 16U) | (i + 1 < n ? bytes[i + 1] << 8U : 0U) | (i + 2 < n ? bytes[i + 2] : 0U);
    for (unsigned k = 0; k < 4; ++k) out += i + k > n ? '=' : kAlphabet[(group >> (18 - 6 * k)) & 63U];
  }
  return out;
}

// Ids of one text, as OpenAI allows in place of it.
Result<EncoderText> ids_of(const Json& list) {
  EncoderText out;
  for (const Json& id : list) {
    if (!id.is_number_integer() || id < 0 || id > INT32_MAX)
      return error(Code::invalid_argument, "\"input\" holds a token id that is not one");
    out.ids.push_back(id.get<int32_t>());
  }
  return out;
}

size_t count_tokens(std::span<const EncoderText> texts) {
  return std::accumulate(texts.begin(), texts.end(), size_t{0},
                         [](size_t n, const EncoderText& t) { return n + t.ids.size(); });
}

class EncoderSurface {
 public:
  EncoderSurface(Encoder& encoder, ServedName names) : encoder_(encoder), names_(std::move(names)) {}

  Result<http::Response> embeddings(http::Request& http_request) {
    const Json body = TRY(http::json_body(http_request));
    TRY(check_model(body));
    const std::vector<EncoderText> texts = TRY(inputs(body));
    const std::string format = TRY(json_get_or<std::string>(body, "encoding_format", "float"));
    if (format != "float" && format != "base64")
      return error(Code::invalid_argument, "\"encoding_format\" must be float or base64, got {}", format.substr(0, 40));
    const int n_wanted = TRY(json_get_or<int>(body, "dimensions", encoder_.model().config.d_model));
    if (n_wanted != encoder_.model().config.d_model)
      return error(Code::invalid_argument, "\"dimensions\" must be {}, the width of this model, got {}",
                   encoder_.model().config.d_model, n_wanted);
    const auto vectors = TRY(encoder_.embed(texts));
    count(texts);
    Json data = Json::array();
    for (size_t i = 0; i < vectors.size(); ++i) {
      Json item = {{"object", "embedding"}, {"index", i}};
      item["embedding"] = format == "base64" ? Json(base64(vectors[i])) : Json(vectors[i]);
      data.push_back(std::move(item));
    }
    return http::json_response(
        {{"object", "list"}, {"model", names_.name}, {"data", std::move(data)}, {"usage", usage_of(texts)}});
  }

  Result<http::Response> rerank(http::Request& http_request) {
    const Json body = TRY(http::json_body(http_request));
    TRY(check_model(body));
    const auto query = TRY(json_get<std::string>(body, "query"));
    const std::vector<std::string> documents = TRY(documents_of(body));
    std::vector<EncoderText> pairs;
    for (const std::string& document : documents) pairs.push_back(TRY(encoder_.pair(query, document)));
    const std::vector<float> scores = TRY(encoder_.score(pairs));
    count(pairs);
    std::vector<size_t> order(scores.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
    const auto n_documents = static_cast<int>(documents.size());
    const int n_wanted = TRY(json_get_or<int>(body, "top_n", n_documents));
    if (n_wanted < 1) return error(Code::invalid_argument, "\"top_n\" must be at least 1, got {}", n_wanted);
    order.resize(static_cast<size_t>(std::min(n_wanted, n_documents)));
    const bool with_documents = TRY(json_get_or<bool>(body, "return_documents", false));
    Json results = Json::array();
    for (const size_t i : order) {
      Json item = {{"index", i}, {"relevance_score", 1 / (1 + std::exp(-static_cast<double>(scores[i])))}};
      if (with_documents) item["document"] = {{"text", documents[i]}};
      results.push_back(std::move(item));
    }
    return http::json_response(
        {{"object", "list"}, {"model", names_.name}, {"results", std::move(results)}, {"usage", usage_of(pairs)}});
  }

  Result<http::Response> models() const {
    return http::json_response(
        {{"object", "list"},
         {"data", Json::array({{{"id", names_.name}, {"object", "model"}, {"created", 0}, {"owned_by", "hearth"}}})}});
  }
  Result<http::Response> health() const {
    return http::json_response({{"status", "ok"},
                                {"model", names_.name},
                                {"max_seq_len", encoder_.max_seq_len()},
                                {"device", encoder_.device().name},
                                {"device_reason", encoder_.device().reason}});
  }
  Result<http::Response> metrics() const {
    std::string out;
    auto line = [&](const char* name, const char* help, uint64_t value) {
      out +=
          fmt::format("# HELP {0} {1}\n# TYPE {0} counter\n{0}{{model=\"{2}\"}} {3}\n", name, help, names_.name, value);
    };
    line("hearth_engine_requests_total", "Requests answered.", n_requests_);
    line("hearth_engine_prompt_tokens_total", "Tokens read.", n_tokens_);
    return http::text_response(out, "text/plain; version=0.0.4");
  }

 private:
  Result<void> check_model(const Json& body) const {
    const auto name = TRY(json_get<std::string>(body, "model"));
    if (names_.is(name)) return {};
    return error(Code::not_found, "the model \"{}\" is not served here; this engine serves \"{}\"", name, names_.name);
  }

  // A text, texts, ids, or lists of ids.
  Result<std::vector<EncoderText>> inputs(const Json& body) const {
    const Json input = TRY(json_get<Json>(body, "input"));
    std::vector<EncoderText> out;
    if (input.is_string() || (input.is_array() && !input.empty() && input[0].is_number())) {
      out.push_back(TRY(input.is_string() ? encoder_.text(input.get<std::string>()) : ids_of(input)));
      return out;
    }
    if (!input.is_array() || input.empty() || input.size() > Encoder::kMaxTexts)
      return error(Code::invalid_argument, "\"input\" must be a text or a list of 1 to {} texts", Encoder::kMaxTexts);
    for (const Json& item : input) {
      if (!item.is_string() && !item.is_array())
        return error(Code::invalid_argument, "\"input\" must hold texts or lists of token ids, got {}",
                     item.type_name());
      out.push_back(TRY(item.is_string() ? encoder_.text(item.get<std::string>()) : ids_of(item)));
    }
    return out;
  }

  // Texts, or objects that hold one as "text".
  Result<std::vector<std::string>> documents_of(const Json& body) const {
    const Json list = TRY(json_get<Json>(body, "documents"));
    if (!list.is_array() || list.empty() || list.size() > Encoder::kMaxTexts)
      return error(Code::invalid_argument, "\"documents\" must be a list of 1 to {} texts", Encoder::kMaxTexts);
    std::vector<std::string> out;
    for (const Json& item : list) {
      if (item.is_string())
        out.push_back(item.get<std::string>());
      else
        out.push_back(TRY_WITH(json_get<std::string>(item, "text"), "in \"documents\""));
    }
    return out;
  }

  Json usage_of(std::span<const EncoderText> texts) const {
    const size_t n = count_tokens(texts);
    return {{"prompt_tokens", n}, {"total_tokens", n}};
  }
  void count(std::span<const EncoderText> texts) {
    ++n_requests_;
    n_tokens_ += count_tokens(texts);
  }

  Encoder& encoder_;
  ServedName names_;
  std::atomic<uint64_t> n_requests_{0}, n_tokens_{0};
};

}  // namespace

void add_encoder_routes(http::Router& router, Encoder& encoder, const ServedName& names) {
  auto surface = std::make_shared<EncoderSurface>(encoder, names);
  const http::RouteOptions options{.max_body_bytes = kMaxTextsBytes, .time_limit = kEncodeTimeLimit};
  if (encoder.task() == ModelTask::embed)
    router.add(
        "POST", "/v1/embeddings", [surface](http::Request& r) { return surface->embeddings(r); }, options);
  else
    router.add(
        "POST", "/v1/rerank", [surface](http::Request& r) { return surface->rerank(r); }, options);
  add_other_tasks(router, encoder.task(), names.name);
  router.add("GET", "/v1/models", [surface](http::Request&) { return surface->models(); });
  router.add("GET", "/health", [surface](http::Request&) { return surface->health(); }, {.quick = true});
  router.add("GET", "/metrics", [surface](http::Request&) { return surface->metrics(); }, {.quick = true});
}

}  // namespace hearth::openai
