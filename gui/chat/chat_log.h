// ChatLog: one conversation kept as it happens, in a file that only grows: one JSON object a line.
//
//   {"kind": "conversation", "version": 1, "at": ..., "title": "", "model": "m"}
//   {"kind": "message", "id": 1, "role": "user", "text": "Hello", "at": ...}
//   {"kind": "message", "id": 2, "role": "assistant", "model": "m", "at": ...}
//   {"kind": "delta", "id": 2, "text": "Hel"}
//   {"kind": "end", "id": 2, "ending": "stop", "tokens_per_s": 31}
//   {"kind": "cut", "id": 2}         messages from 2 on are gone (edited, regenerated)
//   {"kind": "title", "title": "..."}
//
// Every line is in the kernel's hands when append() returns, so a crash of the desktop loses nothing; sync() makes it survive
// a power cut, and the chat calls it a few times a second while tokens arrive. A last line that was cut short by a power
// failure is dropped on reading. An answer without "end" reads as interrupted.
#pragma once

#include <filesystem>

#include "base/files.h"
#include "base/json.h"
#include "base/result.h"
#include "gui/chat/conversation.h"

namespace hearth::gui {

class ChatLog {
 public:
  static constexpr uint64_t kMaxFileBytes = uint64_t{64} << 20;
  static constexpr int kCompactAfterLines = 400;

  // A new file in `folder` (made when missing), already durable.
  static Result<ChatLog> create(const std::filesystem::path& folder, const QString& model);
  // The file as it is, rewritten shorter first when many deltas piled up.
  static Result<ChatLog> open(const std::filesystem::path& folder, const QString& id);
  static Result<Conversation> read(const std::filesystem::path& folder, const QString& id);
  static Result<void> remove(const std::filesystem::path& folder, const QString& id);
  // The ids found in `folder`; none when there is no such folder.
  static QStringList list(const std::filesystem::path& folder);

  const QString& id() const { return id_; }

  Result<void> message(const ChatMessage& message);
  Result<void> delta(int messageId, const QString& text);
  Result<void> end(const ChatMessage& message);  // its ending, error and speed
  Result<void> cut(int fromMessageId);
  Result<void> title(const QString& title);
  Result<void> sync();

 private:
  ChatLog(std::filesystem::path path, QString id, Fd file) : path_(std::move(path)), id_(std::move(id)), file_(std::move(file)) {}
  Result<void> append(const Json& line);

  std::filesystem::path path_;
  QString id_;
  Fd file_;
};

}  // namespace hearth::gui
