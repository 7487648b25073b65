// HttpChatStream: OpenAI's chunks to delta() and one finished().
#include "gui/client/http_chat_stream.h"

#include "gui/client/http_client.h"

namespace hearth::gui {

namespace {
constexpr int kSilenceLimitMs = 300'000;  // a long prompt is read before the first token

HttpRequest requestOf(const ChatRequest& chat) {
  Json body = {{"model", chat.model},
               {"messages", to_json_value(chat.messages)},
               {"stream", true},
               {"stream_options", {{"include_usage", true}}}};
  if (chat.sampling.temperature) body["temperature"] = *chat.sampling.temperature;
  if (chat.sampling.topP) body["top_p"] = *chat.sampling.topP;
  if (chat.sampling.maxTokens) body["max_tokens"] = *chat.sampling.maxTokens;
  HttpRequest request;
  request.method = "POST";
  request.target = "/v1/chat/completions";
  request.body = QByteArray::fromStdString(dump_json(body));
  request.silenceLimitMs = kSilenceLimitMs;
  return request;
}
}  // namespace

HttpChatStream::HttpChatStream(const Endpoint& endpoint, const ChatRequest& request, QObject* parent)
    : ChatStream(parent), exchange_(new HttpExchange(endpoint, requestOf(request), this)) {
  connect(exchange_, &HttpExchange::bodyArrived, this, &HttpChatStream::read);
  connect(exchange_, &HttpExchange::finished, this, [this](const Result<void>& result) {
    if (!result) return finish(result.error());
    int status = exchange_->response().status();
    if (status >= 400) return finish(refusalIn(status, errorBody_));
    if (!sawEnd_)
      return finish(worded(Code::data_loss, tr("the answer broke off: the model's engine stopped; try again")));
    finish(std::nullopt);
  });
}

void HttpChatStream::stop() {
  if (!isOver_) exchange_->abort();
}

void HttpChatStream::read(const QByteArray& bytes) {
  if (exchange_->response().status() >= 400) {
    if (errorBody_.size() < (1 << 20)) errorBody_ += bytes;
    return;
  }
  auto events = parser_.push(bytes);
  if (!events) return finish(events.error());
  for (const SseEvent& event : *events)
    if (!isOver_) readChunk(event.data);
}

void HttpChatStream::readChunk(const QByteArray& data) {
  if (data == "[DONE]") {
    sawEnd_ = true;
    return;
  }
  auto chunk = parse_json({data.constData(), static_cast<size_t>(data.size())});
  if (!chunk || !chunk->is_object())
    return finish(worded(Code::data_loss, tr("the service sent a chunk that is not JSON; try again")));
  if (chunk->contains("error")) return finish(refusalIn(500, data));
  if (auto usage = chunk->find("usage"); usage != chunk->end() && usage->is_object()) {
    outcome_.promptTokens = json_get_or<int>(*usage, "prompt_tokens", 0).value_or(0);
    outcome_.completionTokens = json_get_or<int>(*usage, "completion_tokens", 0).value_or(0);
  }
  auto choices = chunk->find("choices");
  if (choices == chunk->end() || !choices->is_array() || choices->empty()) return;
  const Json& choice = choices->front();
  if (auto reason = json_get_or<std::string>(choice, "finish_reason", ""); reason && !reason->empty())
    outcome_.finishReason = *reason;
  auto delta = choice.find("delta");
  if (delta == choice.end()) return;
  if (auto text = json_get_or<std::string>(*delta, "reasoning_content", ""); text && !text->empty())
    emit thought(QString::fromStdString(*text));
  if (auto text = json_get_or<std::string>(*delta, "content", ""); text && !text->empty())
    emit this->delta(QString::fromStdString(*text));
}

// The usual refusals have codes, and are said in the desktop's language; of others, the service's words are shown.
Error HttpChatStream::refusalIn(int status, const QByteArray& body) {
  Error refusal = errorOfResponse(status, body);
  const auto json = parse_json({body.constData(), static_cast<size_t>(body.size())});
  if (!json || !json->is_object() || !json->contains("error")) return refusal;
  const std::string code = json_get_or<std::string>((*json)["error"], "code", "").value_or("");
  if (code == "context_length_exceeded")
    return worded(refusal.code,
                  tr("this conversation has become longer than the model can read; begin a new chat, or start "
                     "the model with a longer context"));
  if (code == "model_not_found")
    return worded(refusal.code, tr("this model does not run any more; start it on the Models page, or choose another"));
  return refusal;
}

void HttpChatStream::finish(std::optional<Error> error) {
  if (std::exchange(isOver_, true)) return;
  outcome_.error = std::move(error);
  exchange_->disconnect(this);
  exchange_->abort();
  emit finished(outcome_);
  deleteLater();
}

}  // namespace hearth::gui
