// Conversation: what was said, as plain data.
#pragma once

#include <QString>

#include <vector>

#include "gui/client/sampling.h"

namespace hearth::gui {

struct ChatMessage {
  int id = 0;    // grows within the conversation
  QString role;  // user | assistant
  QString text;
  QString model;  // who answered
  QString
      ending;  // "" while it streams | stop | length | stopped | error | interrupted (the program ended before it did)
  QString error;               // for people, when ending is error
  double at = 0;               // seconds since 1970
  double tokensPerSecond = 0;  // from the first token to the last, thoughts counted; 0: not known
  QString thought = {};        // what the model thought before it answered
  double thinkingSeconds = 0;
  bool operator==(const ChatMessage&) const = default;
};

struct Conversation {
  QString id;  // the file's name without ".jsonl"
  QString title, model;
  double createdAt = 0, updatedAt = 0;
  std::vector<ChatMessage> messages;
  Sampling sampling = {};
};

}  // namespace hearth::gui
