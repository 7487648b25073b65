// ChatLog: lines out, lines in.
#include "gui/chat/chat_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include <QDateTime>
#include <QRandomGenerator>
#include <QStringList>

#include "gui/components/format.h"

namespace hearth::gui {

namespace {
constexpr qsizetype kMaxTitleChars = 48;
constexpr size_t kTitleHeadBytes = 64 << 10, kTitleTailBytes = 64 << 10;

std::filesystem::path pathFor(const std::filesystem::path& folder, const QString& id) {
  return folder / (id + QStringLiteral(".jsonl")).toStdString();
}

QString newId() {
  QString time = QDateTime::currentDateTimeUtc().toString(QStringLiteral("yyyyMMdd-HHmmss-zzz"));
  return QStringLiteral("%1-%2").arg(time).arg(QRandomGenerator::global()->bounded(0x10000), 4, 16, QLatin1Char('0'));
}

Json lineOf(const Conversation& conversation) {
  return {{"kind", "conversation"},
          {"version", 1},
          {"at", conversation.createdAt},
          {"title", conversation.title.toStdString()},
          {"model", conversation.model.toStdString()}};
}
Json lineOf(const ChatMessage& m) {
  Json line = {{"kind", "message"},
               {"id", m.id},
               {"role", m.role.toStdString()},
               {"text", m.text.toStdString()},
               {"model", m.model.toStdString()},
               {"at", m.at}};
  if (!m.thought.isEmpty()) line["thought"] = m.thought.toStdString();
  return line;
}
Json endLineOf(const ChatMessage& m) {
  return {{"kind", "end"},
          {"id", m.id},
          {"ending", m.ending.toStdString()},
          {"error", m.error.toStdString()},
          {"tokens_per_s", m.tokensPerSecond},
          {"thinking_s", m.thinkingSeconds}};
}
Json lineOf(const Sampling& s) {
  auto orNull = [](const auto& value) { return value ? Json(*value) : Json(); };
  return {{"kind", "sampling"},
          {"temperature", orNull(s.temperature)},
          {"top_p", orNull(s.topP)},
          {"max_tokens", orNull(s.maxTokens)}};
}
template <class T>
std::optional<T> optionalIn(const Json& line, const char* key) {
  if (!line.contains(key) || line[key].is_null()) return std::nullopt;
  auto value = json_get<T>(line, key);
  return value ? std::optional<T>(*value) : std::nullopt;
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
    messages.push_back(
        {id, role, textIn(line, "text"), textIn(line, "model"), ending, {}, at, 0, textIn(line, "thought")});
    conversation.updatedAt = std::max(conversation.updatedAt, at);
  } else if (kind == QLatin1String("delta") && message != messages.end()) {
    message->text += textIn(line, "text");
  } else if (kind == QLatin1String("thought") && message != messages.end()) {
    message->thought += textIn(line, "text");
  } else if (kind == QLatin1String("end") && message != messages.end()) {
    message->ending = textIn(line, "ending");
    message->error = textIn(line, "error");
    message->tokensPerSecond = json_get_or<double>(line, "tokens_per_s", 0).value_or(0);
    message->thinkingSeconds = json_get_or<double>(line, "thinking_s", 0).value_or(0);
  } else if (kind == QLatin1String("cut")) {
    std::erase_if(messages, [id](const ChatMessage& m) { return m.id >= id; });
  } else if (kind == QLatin1String("title")) {
    conversation.title = textIn(line, "title");
  } else if (kind == QLatin1String("sampling")) {
    conversation.sampling = {optionalIn<double>(line, "temperature"), optionalIn<double>(line, "top_p"),
                             optionalIn<int>(line, "max_tokens")};
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
  if (conversation.sampling != Sampling{}) text += dump_json(lineOf(conversation.sampling)) + '\n';
  for (const ChatMessage& m : conversation.messages)
    text += dump_json(lineOf(m)) + '\n' + dump_json(endLineOf(m)) + '\n';
  return text;
}

// A question's line of which only the beginning was read.
QString cutTextIn(std::string_view line) {
  constexpr std::string_view key = "\"text\":\"";
  size_t at = line.find(key);
  if (at == std::string_view::npos) return {};
  QString text = QString::fromUtf8(line.data() + at + key.size(),
                                   static_cast<qsizetype>(std::min<size_t>(400, line.size() - at - key.size())));
  return text.replace(QLatin1String("\\n"), QLatin1String(" "));
}

// Reads at most `n` bytes from `offset` on.
std::string piece(int fd, uint64_t offset, size_t n) {
  std::string bytes(n, '\0');
  ssize_t got = ::pread(fd, bytes.data(), n, static_cast<off_t>(offset));
  bytes.resize(static_cast<size_t>(std::max<ssize_t>(0, got)));
  return bytes;
}

// Nobody has given the name to another file, or deleted it.
bool hasName(const Fd& file, const std::filesystem::path& path) {
  struct stat mine {
  }, named{};
  return ::fstat(file.get(), &mine) == 0 && ::stat(path.c_str(), &named) == 0 && mine.st_ino == named.st_ino;
}

// Gives `shorter` the name of the file that is held. One that was deleted in the meantime stays gone: an exchange needs
// both files; where the file system knows none, one looks first.
Result<void> takeName(const std::filesystem::path& shorter, const std::filesystem::path& path, const Fd& held) {
  if (::renameat2(AT_FDCWD, shorter.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) == 0) {
    TRY(fsync_path(path.parent_path()));
    ::unlink(shorter.c_str());
    return {};
  }
  if (!hasName(held, path)) return error(Code::not_found, "{} was deleted", path.string());
  return rename_durably(shorter, path);
}

std::filesystem::path shorterPathFor(const std::filesystem::path& path) {
  return path.string() + ".new";
}

struct TitleLines {
  QString title, question;
  void take(std::string_view line, bool isWhole) {
    const bool isTitle =
        line.find("\"kind\":\"title\"") != line.npos || line.find("\"kind\":\"conversation\"") != line.npos;
    const bool isQuestion = question.isEmpty() && line.find("\"role\":\"user\"") != line.npos;
    if (!isTitle && !isQuestion) return;
    auto json = isWhole ? parse_json(line) : Result<Json>(error(Code::data_loss, "cut"));
    if (isTitle && json) title = textIn(*json, "title");
    if (isQuestion) question = json ? textIn(*json, "text") : cutTextIn(line);
  }
  void takeAll(std::string_view text) {
    for (size_t start = 0, end; start < text.size(); start = end + 1) {
      end = std::min(text.find('\n', start), text.size());
      take(text.substr(start, end - start), end < text.size());
    }
  }
};

QString titleTextOf(const QString& title, const QString& question) {
  if (!title.isEmpty()) return title;
  QString line = question.left(4 * kMaxTitleChars).simplified();
  return line.size() > kMaxTitleChars ? line.left(kMaxTitleChars) + QChar(0x2026) : line;
}
}  // namespace

QString titleTextOf(const Conversation& conversation) {
  auto isQuestion = [](const ChatMessage& m) { return m.role == QLatin1String("user"); };
  auto first = std::find_if(conversation.messages.begin(), conversation.messages.end(), isQuestion);
  return titleTextOf(conversation.title, first == conversation.messages.end() ? QString() : first->text);
}

Result<ChatLog> ChatLog::create(const std::filesystem::path& folder, const QString& model) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return errno_error("cannot create the folder for conversations", folder, failed.value());
  Conversation conversation{.id = newId(), .model = model, .createdAt = nowSeconds()};
  std::filesystem::path path = pathFor(folder, conversation.id);
  TRY(open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
  ChatLog log(path, conversation.id, TRY(lockedFile(path)));
  TRY(log.append(lineOf(conversation)));
  return log;
}

ChatLog& ChatLog::operator=(ChatLog&& other) noexcept {
  unlock();
  path_ = std::move(other.path_);
  id_ = std::move(other.id_);
  file_ = std::move(other.file_);
  return *this;
}

ChatLog::~ChatLog() {
  unlock();
}

// By hand: the lock would stay as long as there is work that owns the file.
void ChatLog::unlock() {
  if (file_) ::flock(file_->get(), LOCK_UN);
}

// The file behind `path` with this process's lock on it: not one that somebody has just replaced.
Result<Fd> ChatLog::lockedFile(const std::filesystem::path& path) {
  for (int attempt = 0; attempt < 5; ++attempt) {
    Fd file = TRY(open_file(path, O_RDWR | O_APPEND));
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0)
      return error(Code::failed_precondition,
                   "another window of Hearth is writing into this conversation; wait for its answer to end, or begin a "
                   "new chat");
    if (hasName(file, path)) return file;
  }
  return error(Code::unavailable, "the conversation {} keeps being replaced; try again", path.string());
}

// The new file is locked before it gets the name, so that nobody can write into it before the folder is durable.
Result<void> ChatLog::rewrite(const std::filesystem::path& path, const Fd& held, const std::string& text) {
  const std::filesystem::path shorter = shorterPathFor(path);
  TRY(write_file(shorter, text, 0600));
  Fd file = TRY(open_file(shorter, O_RDWR | O_APPEND));
  struct stat old {};
  const bool hasTime = ::fstat(held.get(), &old) == 0;
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return errno_error("cannot lock", shorter, errno);
  if (const std::array<timespec, 2> times = {timespec{0, UTIME_OMIT}, old.st_mtim}; hasTime)
    ::futimens(file.get(), times.data());
  auto taken = takeName(shorter, path, held);
  if (!taken) ::unlink(shorter.c_str());
  return taken;
}

// Held from before it is read until the shorter one has its name: what another window wrote in between would be lost.
Result<void> ChatLog::shortenHeld(const std::filesystem::path& path, const QString& id) {
  const Fd held = TRY(lockedFile(path));
  int nLines = 0;
  const Conversation conversation = parse(TRY(read_file(path, kMaxFileBytes)), id, nLines);
  if (nLines <= kShortenAfterLines) return {};
  return rewrite(path, held, compactTextOf(conversation));
}

Result<void> ChatLog::shorten(const std::filesystem::path& folder, const QString& id) {
  auto done = shortenHeld(pathFor(folder, id), id);
  const bool isInUse = !done && done.error().code == Code::failed_precondition;
  const bool isDeleted = !done && done.error().code == Code::not_found;
  return isInUse || isDeleted ? Result<void>() : done;
}

Result<ChatLog::Opened> ChatLog::open(const std::filesystem::path& folder, const QString& id, const Seen& seen) {
  std::filesystem::path path = pathFor(folder, id);
  Opened opened{ChatLog(path, id, TRY(lockedFile(path))), std::nullopt};
  if (opened.log.seen() == seen) return opened;
  std::string text = TRY(read_file(path, kMaxFileBytes));
  int nLines = 0;
  opened.conversation = parse(text, id, nLines);
  const bool isTorn = !text.empty() && text.back() != '\n';
  if (isTorn) TRY(opened.log.write("\n"));  // the next line is one of its own
  return opened;
}

ChatLog::Seen ChatLog::seen() const {
  struct stat now {};
  if (::fstat(file_->get(), &now) != 0) return {};
  return {static_cast<uint64_t>(now.st_ino), static_cast<uint64_t>(now.st_size)};
}

ChatLog::Seen ChatLog::seenNow(const std::filesystem::path& folder, const QString& id) {
  struct stat now {};
  if (::stat(pathFor(folder, id).c_str(), &now) != 0) return {};
  return {static_cast<uint64_t>(now.st_ino), static_cast<uint64_t>(now.st_size)};
}

Result<Conversation> ChatLog::read(const std::filesystem::path& folder, const QString& id, Seen* seen) {
  int nLines = 0;
  Seen before = seenNow(folder, id);
  std::string text = TRY(read_file(pathFor(folder, id), kMaxFileBytes));
  if (seen) *seen = {before.inode, text.size()};
  return parse(text, id, nLines);
}

Result<QString> ChatLog::readTitle(const std::filesystem::path& folder, const QString& id) {
  Fd file = TRY(open_file(pathFor(folder, id), O_RDONLY));
  struct stat now {};
  if (::fstat(file.get(), &now) != 0) return errno_error("cannot read", pathFor(folder, id), errno);
  const auto size = static_cast<uint64_t>(now.st_size);
  TitleLines lines;
  lines.takeAll(piece(file.get(), 0, kTitleHeadBytes));
  if (size > kTitleHeadBytes) {
    std::string tail =
        piece(file.get(), std::max<uint64_t>(kTitleHeadBytes, size - std::min<uint64_t>(size, kTitleTailBytes)),
              kTitleTailBytes);
    if (size_t line = tail.find('\n'); line != std::string::npos)
      lines.takeAll(std::string_view(tail).substr(line + 1));
  }
  return titleTextOf(lines.title, lines.question);
}

Result<void> ChatLog::remove(const std::filesystem::path& folder, const QString& id) {
  std::error_code failed;
  std::filesystem::remove(pathFor(folder, id), failed);
  std::error_code none;  // what a power cut while shortening left of it
  std::filesystem::remove(shorterPathFor(pathFor(folder, id)), none);
  if (failed) return errno_error("cannot delete the conversation", pathFor(folder, id), failed.value());
  return {};
}

std::vector<ChatLog::Listed> ChatLog::list(const std::filesystem::path& folder) {
  std::vector<Listed> found;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(folder, failed)) {
    struct stat now {};
    if (entry.path().extension() != ".jsonl" || ::stat(entry.path().c_str(), &now) != 0 ||
        now.st_size == 0)  // a power cut came before its first line
      continue;
    const double at = static_cast<double>(now.st_mtim.tv_sec) + static_cast<double>(now.st_mtim.tv_nsec) * 1e-9;
    found.push_back({textOf(entry.path().stem().string()), at, static_cast<uint64_t>(now.st_size)});
  }
  return found;
}

Result<void> ChatLog::message(const ChatMessage& message) {
  return append(lineOf(message));
}
Result<void> ChatLog::delta(int messageId, const QString& text) {
  return append({{"kind", "delta"}, {"id", messageId}, {"text", text.toStdString()}});
}
Result<void> ChatLog::thought(int messageId, const QString& text) {
  return append({{"kind", "thought"}, {"id", messageId}, {"text", text.toStdString()}});
}
Result<void> ChatLog::end(const ChatMessage& message) {
  return append(endLineOf(message));
}
Result<void> ChatLog::cut(int fromMessageId) {
  return append({{"kind", "cut"}, {"id", fromMessageId}});
}
Result<void> ChatLog::sampling(const Sampling& sampling) {
  return append(lineOf(sampling));
}

Result<void> ChatLog::title(const QString& title) {
  struct stat before {};
  const bool hasTime = ::fstat(file_->get(), &before) == 0;
  TRY(append({{"kind", "title"}, {"title", title.toStdString()}}));
  if (const std::array<timespec, 2> times = {timespec{0, UTIME_OMIT}, before.st_mtim}; hasTime)
    ::futimens(file_->get(), times.data());
  return {};
}

std::function<Result<void>()> ChatLog::durable() const {
  return [file = file_, path = path_]() -> Result<void> {
    if (::fdatasync(file->get()) != 0) return errno_error("cannot save the conversation", path, errno);
    return fsync_path(path.parent_path());  // where a new file has its name
  };
}

Result<void> ChatLog::append(const Json& line) {
  return write(dump_json(line) + '\n');
}

Result<void> ChatLog::write(const std::string& text) {
  return write_all(file_->get(), std::as_bytes(std::span(text)), path_);
}

}  // namespace hearth::gui
