// ChatLog: lines out, lines in.
#include "gui/chat/chat_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include <QDateTime>
#include <QRandomGenerator>
#include <QStringList>

#include "gui/components/format.h"

namespace hearth::gui {

namespace {
std::filesystem::path pathFor(const std::filesystem::path& folder, const QString& id) {
  return folder / (id + QStringLiteral(".jsonl")).toStdString();
}

QString newId() {
  QString time = QDateTime::currentDateTimeUtc().toString(QStringLiteral("yyyyMMdd-HHmmss-zzz"));
  return QStringLiteral("%1-%2").arg(time).arg(QRandomGenerator::global()->bounded(0x10000), 4, 16, QLatin1Char('0'));
}

Json lineOf(const Conversation& conversation) {
  return {{"kind", "conversation"}, {"version", 1}, {"at", conversation.createdAt},
          {"title", conversation.title.toStdString()}, {"model", conversation.model.toStdString()}};
}
Json lineOf(const ChatMessage& m) {
  return {{"kind", "message"}, {"id", m.id}, {"role", m.role.toStdString()}, {"text", m.text.toStdString()},
          {"model", m.model.toStdString()}, {"at", m.at}};
}
Json endLineOf(const ChatMessage& m) {
  return {{"kind", "end"}, {"id", m.id}, {"ending", m.ending.toStdString()}, {"error", m.error.toStdString()},
          {"tokens_per_s", m.tokensPerSecond}};
}

QString textIn(const Json& line, const char* key) {
  return textOf(json_get_or<std::string>(line, key, "").value_or(""));
}

void replay(const Json& line, Conversation& conversation) {
  QString kind = textIn(line, "kind");
  int id = json_get_or<int>(line, "id", 0).value_or(0);
  double at = json_get_or<double>(line, "at", 0).value_or(0);
  auto& messages = conversation.messages;
  auto message = std::find_if(messages.begin(), messages.end(), [id](const ChatMessage& m) { return m.id == id; });
  if (kind == QLatin1String("conversation")) {
    conversation.createdAt = conversation.updatedAt = at;
    conversation.title = textIn(line, "title");
    conversation.model = textIn(line, "model");
  } else if (kind == QLatin1String("message") && message == messages.end()) {
    QString role = textIn(line, "role");
    QString ending = role == QLatin1String("assistant") ? QStringLiteral("interrupted") : QStringLiteral("stop");
    messages.push_back({id, role, textIn(line, "text"), textIn(line, "model"), ending, {}, at, 0});
    conversation.updatedAt = std::max(conversation.updatedAt, at);
  } else if (kind == QLatin1String("delta") && message != messages.end()) {
    message->text += textIn(line, "text");
  } else if (kind == QLatin1String("end") && message != messages.end()) {
    message->ending = textIn(line, "ending");
    message->error = textIn(line, "error");
    message->tokensPerSecond = json_get_or<double>(line, "tokens_per_s", 0).value_or(0);
  } else if (kind == QLatin1String("cut")) {
    std::erase_if(messages, [id](const ChatMessage& m) { return m.id >= id; });
  } else if (kind == QLatin1String("title")) {
    conversation.title = textIn(line, "title");
  }
}

// Lines that do not parse are skipped: only the last can be torn, and one bad line must not hide a whole conversation.
Conversation parse(const std::string& text, const QString& id, int& nLines) {
  Conversation conversation{.id = id};
  nLines = 0;
  for (size_t start = 0, end; start < text.size(); start = end + 1) {
    end = std::min(text.find('\n', start), text.size());
    ++nLines;
    if (auto line = parse_json(std::string_view(text).substr(start, end - start)); line && line->is_object())
      replay(*line, conversation);
  }
  return conversation;
}

std::string compactTextOf(const Conversation& conversation) {
  std::string text = dump_json(lineOf(conversation)) + '\n';
  for (const ChatMessage& m : conversation.messages) text += dump_json(lineOf(m)) + '\n' + dump_json(endLineOf(m)) + '\n';
  return text;
}
}  // namespace

Result<ChatLog> ChatLog::create(const std::filesystem::path& folder, const QString& model) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return errno_error("cannot create the folder for conversations", folder, failed.value());
  Conversation conversation{.id = newId(), .model = model, .createdAt = nowSeconds()};
  std::filesystem::path path = pathFor(folder, conversation.id);
  TRY(write_file(path, dump_json(lineOf(conversation)) + '\n', 0600));
  return ChatLog(path, conversation.id, TRY(open_file(path, O_WRONLY | O_APPEND)));
}

Result<ChatLog> ChatLog::open(const std::filesystem::path& folder, const QString& id) {
  std::filesystem::path path = pathFor(folder, id);
  std::string text = TRY(read_file(path, kMaxFileBytes));
  int nLines = 0;
  Conversation conversation = parse(text, id, nLines);
  bool isTorn = !text.empty() && text.back() != '\n';
  if (isTorn || nLines > kCompactAfterLines) TRY(write_file(path, compactTextOf(conversation), 0600));
  return ChatLog(path, id, TRY(open_file(path, O_WRONLY | O_APPEND)));
}

Result<Conversation> ChatLog::read(const std::filesystem::path& folder, const QString& id) {
  int nLines = 0;
  return parse(TRY(read_file(pathFor(folder, id), kMaxFileBytes)), id, nLines);
}

Result<void> ChatLog::remove(const std::filesystem::path& folder, const QString& id) {
  std::error_code failed;
  std::filesystem::remove(pathFor(folder, id), failed);
  if (failed) return errno_error("cannot delete the conversation", pathFor(folder, id), failed.value());
  return {};
}

QStringList ChatLog::list(const std::filesystem::path& folder) {
  QStringList ids;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed))
    if (entry.path().extension() == ".jsonl") ids.append(textOf(entry.path().stem().string()));
  return ids;
}

Result<void> ChatLog::message(const ChatMessage& message) { return append(lineOf(message)); }
Result<void> ChatLog::delta(int messageId, const QString& text) {
  return append({{"kind", "delta"}, {"id", messageId}, {"text", text.toStdString()}});
}
Result<void> ChatLog::end(const ChatMessage& message) { return append(endLineOf(message)); }
Result<void> ChatLog::cut(int fromMessageId) { return append({{"kind", "cut"}, {"id", fromMessageId}}); }
Result<void> ChatLog::title(const QString& title) { return append({{"kind", "title"}, {"title", title.toStdString()}}); }

Result<void> ChatLog::sync() {
  if (::fdatasync(file_.get()) != 0) return errno_error("cannot save the conversation", path_, errno);
  return {};
}

Result<void> ChatLog::append(const Json& line) {
  std::string text = dump_json(line) + '\n';
  return write_all(file_.get(), std::as_bytes(std::span(text)), path_);
}

}  // namespace hearth::gui
