// Chat: send, stream, stop, regenerate, edit; each step written down first.
#include "gui/chat/chat.h"

#include <QClipboard>
#include <QDesktopServices>
#include <QGuiApplication>
#include <QLocale>

#include <algorithm>
#include <cmath>

#include "gui/chat/links.h"
#include "gui/components/format.h"

namespace hearth::gui {

namespace {
constexpr int kSyncMs = 250;   // what a power cut can take of a streaming answer; a crash takes a frame
constexpr int kClockMs = 500;  // the seconds of "Thinking…"
constexpr int kWatchMs = 300;  // after this long another window's changes are looked at
constexpr std::chrono::milliseconds kShortenWait{300};  // the window's patience with a file that is being shortened
constexpr double kMinSpeedSeconds = 0.05;               // shorter than this no speed can be told

std::string shorteningOf(const QString& id) {
  return "shorten " + id.toStdString();
}

// What the model is told. A question whose answer failed before its first word is left out with it: chat templates want
// the roles to alternate.
std::vector<api::Message> historyOf(const Conversation& conversation) {
  std::vector<api::Message> history;
  for (const ChatMessage& m : conversation.messages) {
    if (!m.text.isEmpty()) {
      history.push_back({m.role.toStdString(), m.text.toStdString()});
    } else if (!history.empty() && history.back().role == "user") {
      history.pop_back();
    }
  }
  return history;
}
}  // namespace

Chat::Chat(BoxState& box, std::filesystem::path folder, QObject* parent)
    : QObject(parent), box_(box), folder_(std::move(folder)), conversations_(folder_) {
  for (auto [timer, ms] :
       {std::pair(&syncTimer_, kSyncMs), std::pair(&frameTimer_, kFrameMs), std::pair(&watchTimer_, kWatchMs)}) {
    timer->setSingleShot(true);
    timer->setInterval(ms);
  }
  clock_.setInterval(kClockMs);
  connect(&syncTimer_, &QTimer::timeout, this, &Chat::makeDurable);
  connect(&keeper_, &LogKeeper::failed, this, &Chat::sayUnsaved);
  connect(&frameTimer_, &QTimer::timeout, this, &Chat::showPending);
  connect(&clock_, &QTimer::timeout, this, [this] {
    if (thoughtAt_ >= 0 && textAt_ < 0 && isAnswering()) messages_.appendToLast({}, {}, thinkingSeconds());
  });
  connect(&watchTimer_, &QTimer::timeout, this, &Chat::readAgain);
  connect(&watcher_, &QFileSystemWatcher::directoryChanged, &watchTimer_, qOverload<>(&QTimer::start));
  connect(&watcher_, &QFileSystemWatcher::fileChanged, &watchTimer_, qOverload<>(&QTimer::start));
  connect(&box, &BoxState::deploymentsChanged, this, &Chat::modelsChanged);
  connect(&box, &BoxState::modelsChanged, this, &Chat::modelsChanged);
  connect(&box, &BoxState::connectionChanged, this, &Chat::modelsChanged);
  if (QString newest = conversations_.newest(); !newest.isEmpty()) open(newest);
  watch();
}

Chat::~Chat() {
  // What has arrived is kept; without an "end" line it reads as interrupted.
  if (stream_) stream_->disconnect(this);
  if (isAnswering()) showPending();
  makeDurable();
}

QString Chat::title() const {
  QString title = titleTextOf(conversation_);
  return title.isEmpty() ? tr("New chat") : title;
}

// --- models ---

QStringList Chat::modelNames() const {
  QStringList names;
  for (const api::Deployment& d : box_.deployments()) {
    const api::Model* model = box_.model(d.model);
    if (d.state == "ready" && (!model || model->has_chat_template)) names.append(textOf(d.model));
  }
  return names;
}

QStringList Chat::calledNames() const {
  QStringList names = modelNames();
  for (QString& name : names) name = box_.calledName(name.toStdString());
  return names;
}

QString Chat::model() const {
  QStringList names = modelNames();
  for (const QString& wanted : {chosenModel_, conversation_.model})
    if (names.contains(wanted)) return wanted;
  return names.isEmpty() ? QString() : names.first();
}

void Chat::setModel(const QString& model) {
  if (chosenModel_ == model) return;
  chosenModel_ = model;
  emit modelsChanged();
}

QString Chat::obstacle() const {
  if (box_.connection() == BoxState::Connection::connecting) return tr("Connecting to the service…");
  if (box_.connection() == BoxState::Connection::unreachable)
    return tr("The service is not reachable. What to do is on the Home page.");
  if (!model().isEmpty()) return {};
  for (const api::Deployment& d : box_.deployments())
    if (d.state == "starting" || d.state == "restarting") return tr("%1 is starting; one moment.").arg(textOf(d.model));
  return tr("No model is running. Start one on the Models page.");
}

QString Chat::obstaclePage() const {
  if (box_.connection() == BoxState::Connection::unreachable) return QStringLiteral("home");
  return obstacle().isEmpty() || box_.connection() == BoxState::Connection::connecting ? QString()
                                                                                       : QStringLiteral("models");
}

QStringList Chat::suggestions() const {
  return {tr("How do I install a model pack from a USB stick?"), tr("What can you help me with?"),
          tr("How do I fine-tune a model on my own data?"), tr("Tell me a short story.")};
}

// --- conversations ---

void Chat::startNew() {
  stop();
  closeLog();
  seen_ = {};
  adopt({});
}

void Chat::adopt(Conversation conversation) {
  conversation_ = std::move(conversation);
  messages_.reset(conversation_.messages);
  watch();
  emit conversationChanged();
  emit modelsChanged();
  emit samplingChanged();
}

void Chat::open(const QString& id) {
  if (id == conversation_.id) return;
  ChatLog::Seen seen;
  auto conversation = ChatLog::read(folder_, id, &seen);
  if (!conversation) return setProblem(textOf(conversation.error()));
  startNew();
  chosenModel_.clear();
  seen_ = seen;
  adopt(std::move(*conversation));
}

void Chat::remove(const QString& id) {
  if (id == conversation_.id) startNew();
  keep(ChatLog::remove(folder_, id));
  conversations_.remove(id);
}

void Chat::rename(const QString& id, const QString& title) {
  if (id == conversation_.id) {
    if (!ensureLog()) return;  // an answer may be on its way into this very log
    conversation_.title = title.simplified();
    keep(log_->title(conversation_.title));
    makeDurable();
    if (!isAnswering()) closeLog();
    conversations_.put(conversation_);
    emit conversationChanged();
    return;
  }
  auto opened = openLog(id, {});
  if (!opened) return setProblem(textOf(opened.error()));
  keep(opened->log.title(title.simplified()));
  keeper_.post(opened->log.path(), opened->log.durable());
  opened->conversation->title = title.simplified();
  conversations_.put(*opened->conversation);
}

// A file that is being shortened here is ours in a moment, or not, on a disk that does not answer.
Result<ChatLog::Opened> Chat::openLog(const QString& id, const ChatLog::Seen& seen) {
  auto opened = ChatLog::open(folder_, id, seen);
  if (opened || opened.error().code != Code::failed_precondition) return opened;
  if (!keeper_.wait(shorteningOf(id), kShortenWait)) return opened;
  return ChatLog::open(folder_, id, seen);
}

// Opens the conversation's file for writing, and shows first what another window wrote into it since it was read.
bool Chat::ensureLog() {
  if (log_) return true;
  const bool isNew = conversation_.id.isEmpty();
  if (isNew) {
    auto log = ChatLog::create(folder_, model());
    if (!log) return sayUnsaved(textOf(log.error())), false;
    log_.emplace(std::move(*log));
    conversation_.id = log_->id();
    conversation_.model = model();
    conversation_.createdAt = conversation_.updatedAt = nowSeconds();
    if (hasSampling()) keep(log_->sampling(conversation_.sampling));
    watch();
    return true;
  }
  auto opened = openLog(conversation_.id, seen_);
  if (!opened && opened.error().code == Code::failed_precondition)
    return setProblem(
               tr("Another window of Hearth is answering in this conversation. Wait for it, or start a new chat.")),
           false;
  if (!opened) return sayUnsaved(textOf(opened.error())), false;
  log_.emplace(std::move(opened->log));
  if (opened->conversation && opened->conversation->messages != conversation_.messages)
    adopt(std::move(*opened->conversation));
  setProblem({});
  return true;
}

void Chat::closeLog() {
  if (!log_) return;
  makeDurable();
  seen_ = log_->seen();
  log_.reset();
}

void Chat::makeDurable() {
  if (log_) keeper_.post(log_->path(), log_->durable());
}

// Looks out for other windows.
void Chat::watch() {
  const QString folder = QString::fromStdString(folder_.string());
  const QString file =
      conversation_.id.isEmpty() ? QString() : folder + u'/' + conversation_.id + QStringLiteral(".jsonl");
  if (!watcher_.directories().contains(folder)) watcher_.addPath(folder);
  QStringList others = watcher_.files();
  others.removeAll(file);
  if (!others.isEmpty()) watcher_.removePaths(others);
  if (!file.isEmpty() && !watcher_.files().contains(file)) watcher_.addPath(file);
}

void Chat::readAgain() {
  watch();
  if (conversations_.filter().isEmpty()) conversations_.rescan();
  if (log_ || conversation_.id.isEmpty() || ChatLog::seenNow(folder_, conversation_.id) == seen_) return;
  ChatLog::Seen seen;
  auto conversation = ChatLog::read(folder_, conversation_.id, &seen);
  if (!conversation) return;  // removed by another window: what is shown stays until one leaves it
  seen_ = seen;
  if (conversation->messages != conversation_.messages || conversation->title != conversation_.title)
    adopt(std::move(*conversation));
}

int Chat::nextId() const {
  return conversation_.messages.empty() ? 1 : conversation_.messages.back().id + 1;
}

void Chat::addMessage(const ChatMessage& message) {
  keep(log_->message(message));
  conversation_.messages.push_back(message);
  conversation_.updatedAt = message.at;
  messages_.append(message);
}

void Chat::cutFrom(int row) {
  if (row >= messages_.rowCount()) return;
  keep(log_->cut(messages_.at(row).id));
  conversation_.messages.resize(static_cast<size_t>(row));
  messages_.cutFrom(row);
}

// --- asking and answering ---

bool Chat::canSend() const {
  return !isAnswering() && !model().isEmpty();
}

bool Chat::send(const QString& text) {
  if (text.trimmed().isEmpty() || !canSend() || !ensureLog()) return false;
  addMessage({nextId(), QStringLiteral("user"), text.trimmed(), {}, QStringLiteral("stop"), {}, nowSeconds(), 0});
  answer();
  return true;
}

void Chat::regenerate() {
  if (!canSend() || messages_.rowCount() == 0 || !ensureLog()) return;
  int last = messages_.rowCount() - 1;
  if (messages_.at(last).role == QLatin1String("assistant")) cutFrom(last);
  if (messages_.rowCount() > 0) answer();
}

bool Chat::editAndResend(int messageId, const QString& text) {
  if (text.trimmed().isEmpty() || !canSend() || !ensureLog()) return false;
  int row = messages_.rowOf(messageId);
  if (row < 0) return false;
  cutFrom(row);
  return send(text);
}

void Chat::answer() {
  ChatRequest request{.model = model().toStdString(), .sampling = conversation_.sampling};
  request.messages = historyOf(conversation_);
  addMessage({nextId(), QStringLiteral("assistant"), {}, model(), {}, {}, nowSeconds(), 0});
  makeDurable();
  conversations_.put(conversation_);
  emit conversationChanged();

  firstPieceAt_ = lastPieceAt_ = thoughtAt_ = textAt_ = -1;
  asked_.start();
  clock_.start();
  stream_ = box_.client().chat(request);
  connect(stream_, &ChatStream::delta, this, [this](const QString& text) { take(pendingText_, text); });
  connect(stream_, &ChatStream::thought, this, [this](const QString& text) { take(pendingThought_, text); });
  connect(stream_, &ChatStream::finished, this, &Chat::takeOutcome);
  emit isAnsweringChanged();
}

void Chat::take(QString& pending, const QString& text) {
  lastPieceAt_ = static_cast<double>(asked_.nsecsElapsed()) * 1e-9;
  if (firstPieceAt_ < 0) firstPieceAt_ = lastPieceAt_;
  double& begun = &pending == &pendingText_ ? textAt_ : thoughtAt_;
  if (begun < 0) begun = lastPieceAt_;
  pending += text;
  if (!frameTimer_.isActive()) frameTimer_.start();
}

double Chat::thinkingSeconds() const {
  if (thoughtAt_ < 0) return 0;
  return (textAt_ >= 0 ? textAt_ : static_cast<double>(asked_.nsecsElapsed()) * 1e-9) - thoughtAt_;
}

void Chat::showPending() {
  frameTimer_.stop();
  const QString thought = std::exchange(pendingThought_, {}), text = std::exchange(pendingText_, {});
  if ((thought.isEmpty() && text.isEmpty()) || !log_) return;
  ++nFrames_;
  ChatMessage& message = conversation_.messages.back();
  if (!thought.isEmpty()) keep(log_->thought(message.id, thought));
  if (!text.isEmpty()) keep(log_->delta(message.id, text));
  message.thought += thought;
  message.text += text;
  message.thinkingSeconds = thinkingSeconds();
  QElapsedTimer spent;
  spent.start();
  messages_.appendToLast(thought, text, message.thinkingSeconds);
  frameTimer_.setInterval(std::max<int>(kFrameMs, static_cast<int>(2 * spent.elapsed())));
  if (!syncTimer_.isActive()) syncTimer_.start();
}

// The service's own count of tokens (thoughts are among them) over the time from the first to the last. Without a count
// nothing is said: a piece may hold several tokens, or none.
double Chat::speedOf(const ChatOutcome& outcome) const {
  const double seconds = lastPieceAt_ - firstPieceAt_;
  if (outcome.completionTokens < 2 || seconds < kMinSpeedSeconds) return 0;
  return (outcome.completionTokens - 1) / seconds;
}

void Chat::takeOutcome(const ChatOutcome& outcome) {
  showPending();
  clock_.stop();
  syncTimer_.stop();
  ChatMessage& message = conversation_.messages.back();
  message.thinkingSeconds = thinkingSeconds();
  stream_.clear();
  bool wasStopped = outcome.error && outcome.error->code == Code::cancelled;
  if (wasStopped) {
    message.ending = QStringLiteral("stopped");
  } else if (outcome.error) {
    message.ending = QStringLiteral("error");
    message.error = textOf(*outcome.error);
  } else {
    message.ending = outcome.finishReason.empty() ? QStringLiteral("stop") : textOf(outcome.finishReason);
  }
  message.tokensPerSecond = speedOf(outcome);
  keep(log_->end(message));
  closeLog();
  keeper_.post(shorteningOf(conversation_.id),
               [folder = folder_, id = conversation_.id] { return ChatLog::shorten(folder, id); });
  conversation_.updatedAt = nowSeconds();
  messages_.replaceLast(message);
  conversations_.put(conversation_);
  emit isAnsweringChanged();
}

void Chat::stop() {
  if (stream_) stream_->stop();
}

void Chat::copy(const QString& text) const {
  QGuiApplication::clipboard()->setText(text);
}

void Chat::copyMessage(int messageId) const {
  if (int row = messages_.rowOf(messageId); row >= 0) copy(messages_.at(row).text);
}

// --- sampling ---

namespace {
template <class T>
QString numberText(const std::optional<T>& value) {
  return value ? QLocale::c().toString(*value) : QString();
}
// "0,7" is meant as 0.7 by half of the world.
QString asNumber(const QString& typed) {
  return typed.trimmed().replace(u',', u'.');
}
}  // namespace

QString Chat::temperature() const {
  return numberText(conversation_.sampling.temperature);
}
QString Chat::topP() const {
  return numberText(conversation_.sampling.topP);
}
QString Chat::maxTokens() const {
  return conversation_.sampling.maxTokens ? QString::number(*conversation_.sampling.maxTokens) : QString();
}

QString Chat::setSampling(const QString& temperature, const QString& topP, const QString& maxTokens) {
  Sampling sampling;
  bool ok = true;
  if (QString typed = asNumber(temperature); !typed.isEmpty()) {
    sampling.temperature = typed.toDouble(&ok);
    if (!ok || !(*sampling.temperature >= 0 && *sampling.temperature <= 2))
      return tr("The temperature is a number from 0 to 2.");
  }
  if (QString typed = asNumber(topP); !typed.isEmpty()) {
    sampling.topP = typed.toDouble(&ok);
    if (!ok || !(*sampling.topP > 0 && *sampling.topP <= 1)) return tr("Top-p is a number above 0, and at most 1.");
  }
  if (QString typed = maxTokens.trimmed(); !typed.isEmpty()) {
    sampling.maxTokens = typed.toInt(&ok);
    if (!ok || *sampling.maxTokens < 1) return tr("The longest answer is a number of tokens, 1 or more.");
  }
  if (sampling == conversation_.sampling) return {};
  if (!conversation_.id.isEmpty()) {
    if (!ensureLog()) return problem_;
    keep(log_->sampling(sampling));
    if (!isAnswering()) closeLog();
  }
  conversation_.sampling = sampling;
  emit samplingChanged();
  return {};
}

// --- links ---

QString Chat::linkUrl() const {
  return link_ ? shownUrl(*link_) : QString();
}
QString Chat::linkDestination() const {
  return link_ ? destinationOf(*link_) : QString();
}

void Chat::askAboutLink(const QString& link) {
  link_ = openableUrl(link);
  emit linkChanged();
}

void Chat::openAskedLink() {
  if (link_) QDesktopServices::openUrl(*link_);
  dropAskedLink();
}

void Chat::dropAskedLink() {
  if (!link_) return;
  link_.reset();
  emit linkChanged();
}

void Chat::retranslate() {
  messages_.refresh();
  conversations_.refresh();
  emit conversationChanged();
  emit modelsChanged();
  emit retranslated();
}

void Chat::keep(const Result<void>& written) {
  if (!written) sayUnsaved(textOf(written.error()));
}

void Chat::sayUnsaved(const QString& why) {
  setProblem(tr("This conversation cannot be saved: %1").arg(why));
}

void Chat::setProblem(const QString& problem) {
  if (problem_ == problem) return;
  problem_ = problem;
  emit problemChanged();
}

}  // namespace hearth::gui
