// HttpChatStream: one POST /v1/chat/completions with stream = true.
#pragma once

#include "gui/client/client.h"
#include "gui/client/http_exchange.h"
#include "gui/client/sse_parser.h"

namespace hearth::gui {

class HttpChatStream : public ChatStream {
  Q_OBJECT
 public:
  HttpChatStream(const Endpoint& endpoint, const ChatRequest& request, QObject* parent);
  void stop() override;

 private:
  void read(const QByteArray& bytes);
  void readChunk(const QByteArray& data);
  Error refusalIn(int status, const QByteArray& body);
  void finish(std::optional<Error> error);

  HttpExchange* exchange_;
  SseParser parser_;
  QByteArray errorBody_;
  ChatOutcome outcome_;
  bool sawEnd_ = false, isOver_ = false;
};

}  // namespace hearth::gui
