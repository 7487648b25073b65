// ChatLog: one conversation kept as it happens, in a file that only grows: one JSON object a line.
//
//   {"kind": "conversation", "version": 1, "at": ..., "title": "", "model": "m"}
//   {"kind": "message", "id": 1, "role": "user", "text": "Hello", "at": ...}
//   {"kind": "message", "id": 2, "role": "assistant", "model": "m", "at": ...}
//   {"kind": "thought", "id": 2, "text": "A greeting."}
//   {"kind": "delta", "id": 2, "text": "Hel"}
//   {"kind": "end", "id": 2, "ending": "stop", "tokens_per_s": 31, "thinking_s": 2}
//   {"kind": "cut", "id": 2}         messages from 2 on are gone (edited, regenerated)
//   {"kind": "title", "title": "..."}
//   {"kind": "sampling", "temperature": 0.2, "top_p": null, "max_tokens": null}
//
// Every line is in the kernel's hands when append() returns, so a crash of the desktop loses nothing. What durable()
// gives makes it survive a power cut: it waits for the disk, so the chat has it done on another thread (log_keeper.h),
// for each question and a few times a second while tokens arrive. A last line that was cut short by a power failure is
// dropped on reading. An answer without "end" reads as interrupted.
//
// Two desktops may show the same folder. A log that is open for writing holds a lock on its file, so that only one of
// them writes at a time; opening it tells what the other wrote in between. Logs are open while something is written, no
// longer.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "base/files.h"
#include "base/json.h"
#include "base/result.h"
#include "gui/chat/conversation.h"

namespace hearth::gui {

// Which state of a file somebody has seen.
struct SeenFile {
  uint64_t inode = 0, size = 0;
  bool operator==(const SeenFile&) const = default;
};

class ChatLog {
 public:
  static constexpr uint64_t kMaxFileBytes = uint64_t{64} << 20;
  static constexpr int kShortenAfterLines = 400;

  using Seen = SeenFile;
  struct Opened;

  // A new file in `folder` (made when missing).
  static Result<ChatLog> create(const std::filesystem::path& folder, const QString& model);
  // The file to go on with. Its conversation is told when it is not the one that was `seen`. failed_precondition while
  // another window writes into it, or while it is being shortened.
  static Result<Opened> open(const std::filesystem::path& folder, const QString& id, const Seen& seen = {});
  // Rewrites a file in which many deltas piled up, with the same content and time. Leaves one alone that somebody
  // writes into, and one that is deleted meanwhile stays so. Waits for the disk.
  static Result<void> shorten(const std::filesystem::path& folder, const QString& id);
  static Result<Conversation> read(const std::filesystem::path& folder, const QString& id, Seen* seen = nullptr);
  // The title, or what the first question begins with, without reading all of a long file.
  static Result<QString> readTitle(const std::filesystem::path& folder, const QString& id);
  static Result<void> remove(const std::filesystem::path& folder, const QString& id);
  static Seen seenNow(const std::filesystem::path& folder, const QString& id);

  // Of the files found in `folder`; none when there is no such folder. Looks at names and times, not into files.
  struct Listed {
    QString id;
    double updatedAt = 0;
    uint64_t size = 0;
  };
  static std::vector<Listed> list(const std::filesystem::path& folder);

  ChatLog(ChatLog&&) = default;
  ChatLog& operator=(ChatLog&& other) noexcept;
  ~ChatLog();  // others may write from here on

  const QString& id() const { return id_; }
  const std::filesystem::path& path() const { return path_; }
  Seen seen() const;  // with what was written through this log

  Result<void> message(const ChatMessage& message);
  Result<void> delta(int messageId, const QString& text);
  Result<void> thought(int messageId, const QString& text);
  Result<void> end(const ChatMessage& message);  // its ending, error and speed
  Result<void> cut(int fromMessageId);
  Result<void> title(const QString& title);  // the file's time stays: nothing was said
  Result<void> sampling(const Sampling& sampling);
  // Makes all that was written before it runs survive a power cut. May run on another thread, and after the log is
  // gone.
  std::function<Result<void>()> durable() const;

 private:
  ChatLog(std::filesystem::path path, QString id, Fd file)
      : path_(std::move(path)), id_(std::move(id)), file_(std::make_shared<Fd>(std::move(file))) {}
  void unlock();
  Result<void> append(const Json& line);
  Result<void> write(const std::string& text);
  static Result<Fd> lockedFile(const std::filesystem::path& path);
  static Result<void> rewrite(const std::filesystem::path& path, const Fd& held, const std::string& text);
  static Result<void> shortenHeld(const std::filesystem::path& path, const QString& id);

  std::filesystem::path path_;
  QString id_;
  std::shared_ptr<Fd> file_;  // also of work that is still to be done
};

struct ChatLog::Opened {
  ChatLog log;
  std::optional<Conversation> conversation;
};

// What a conversation is called: its title, or how its first question begins. "" for one without either.
QString titleTextOf(const Conversation& conversation);

}  // namespace hearth::gui
