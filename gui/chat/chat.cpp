// Chat: send, stream, stop, regenerate, edit; each step written down first.
#include "gui/chat/chat.h"

#include <QClipboard>
#include <QGuiApplication>

#include "gui/components/format.h"

namespace hearth::gui {

namespace {
constexpr int kSyncMs = 250;  // what a power cut can take of a streaming answer; a crash takes nothing

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
    : QObject(parent), box_(box), folder_(std::move(folder)) {
  for (const QString& id : ChatLog::list(folder_))
    if (auto conversation = ChatLog::read(folder_, id)) conversations_.put(*conversation);
  syncTimer_.setSingleShot(true);
  syncTimer_.setInterval(kSyncMs);
  connect(&syncTimer_, &QTimer::timeout, this, [this] {
    if (log_) keep(log_->sync());
  });
  connect(&box, &BoxState::deploymentsChanged, this, &Chat::modelsChanged);
  connect(&box, &BoxState::modelsChanged, this, &Chat::modelsChanged);
  connect(&box, &BoxState::connectionChanged, this, &Chat::modelsChanged);
  if (QString newest = conversations_.newest(); !newest.isEmpty()) open(newest);
}

Chat::~Chat() {
  // What has arrived is on disk already; without an "end" line it reads as interrupted.
  if (stream_) stream_->disconnect(this);
  if (log_) keep(log_->sync());
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

QStringList Chat::suggestions() const {
  return {tr("How do I install a model pack from a USB stick?"), tr("What can you help me with?"),
          tr("How do I fine-tune a model on my own data?"), tr("Tell me a short story.")};
}

// --- conversations ---

void Chat::startNew() {
  stop();
  if (log_) keep(log_->sync());
  log_.reset();
  conversation_ = {};
  messages_.reset({});
  emit conversationChanged();
  emit modelsChanged();
}

void Chat::open(const QString& id) {
  if (id == conversation_.id) return;
  auto conversation = ChatLog::read(folder_, id);
  if (!conversation) return setProblem(textOf(conversation.error()));
  startNew();
  conversation_ = std::move(*conversation);
  chosenModel_.clear();
  messages_.reset(conversation_.messages);
  emit conversationChanged();
  emit modelsChanged();
}

void Chat::remove(const QString& id) {
  if (id == conversation_.id) startNew();
  keep(ChatLog::remove(folder_, id));
  conversations_.remove(id);
}

void Chat::rename(const QString& id, const QString& title) {
  const bool isOpen = id == conversation_.id && ensureLog();  // an answer may be on its way into this very log
  std::optional<ChatLog> other;
  if (!isOpen) {
    auto log = ChatLog::open(folder_, id);
    if (!log) return setProblem(textOf(log.error()));
    other.emplace(std::move(*log));
  }
  ChatLog& log = isOpen ? *log_ : *other;
  keep(log.title(title.simplified()));
  keep(log.sync());
  auto conversation = ChatLog::read(folder_, id);
  if (!conversation) return setProblem(textOf(conversation.error()));
  conversations_.put(*conversation);
  if (id != conversation_.id) return;
  conversation_.title = conversation->title;
  emit conversationChanged();
}

bool Chat::ensureLog() {
  if (log_) return true;
  auto log = conversation_.id.isEmpty() ? ChatLog::create(folder_, model()) : ChatLog::open(folder_, conversation_.id);
  if (!log) {
    setProblem(tr("This conversation cannot be saved: %1").arg(textOf(log.error())));
    return false;
  }
  log_.emplace(std::move(*log));
  if (conversation_.id.isEmpty()) {
    conversation_.id = log_->id();
    conversation_.model = model();
    conversation_.createdAt = conversation_.updatedAt = nowSeconds();
  }
  return true;
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
  int row = messages_.rowOf(messageId);
  if (row < 0 || text.trimmed().isEmpty() || !canSend() || !ensureLog()) return false;
  cutFrom(row);
  return send(text);
}

void Chat::answer() {
  ChatRequest request{.model = model().toStdString()};
  request.messages = historyOf(conversation_);
  addMessage({nextId(), QStringLiteral("assistant"), {}, model(), {}, {}, nowSeconds(), 0});
  keep(log_->sync());
  conversations_.put(conversation_);
  emit conversationChanged();

  firstTokenAt_ = 0;
  nDeltas_ = 0;
  stream_ = box_.client().chat(request);
  connect(stream_, &ChatStream::delta, this, &Chat::takeDelta);
  connect(stream_, &ChatStream::finished, this, &Chat::takeOutcome);
  emit isAnsweringChanged();
}

void Chat::takeDelta(const QString& text) {
  if (nDeltas_++ == 0) firstTokenAt_ = nowSeconds();
  ChatMessage& message = conversation_.messages.back();
  keep(log_->delta(message.id, text));
  message.text += text;
  messages_.replace(message);
  if (!syncTimer_.isActive()) syncTimer_.start();
}

void Chat::takeOutcome(const ChatOutcome& outcome) {
  stream_.clear();
  ChatMessage& message = conversation_.messages.back();
  bool wasStopped = outcome.error && outcome.error->code == Code::cancelled;
  if (wasStopped) {
    message.ending = QStringLiteral("stopped");
  } else if (outcome.error) {
    message.ending = QStringLiteral("error");
    message.error = textOf(*outcome.error);
  } else {
    message.ending = outcome.finishReason.empty() ? QStringLiteral("stop") : textOf(outcome.finishReason);
  }
  double seconds = nowSeconds() - firstTokenAt_;
  int nTokens = outcome.completionTokens > 0 ? outcome.completionTokens : nDeltas_;
  if (nTokens > 1 && seconds > 0) message.tokensPerSecond = (nTokens - 1) / seconds;
  keep(log_->end(message));
  keep(log_->sync());
  syncTimer_.stop();
  messages_.replace(message);
  conversations_.put(conversation_);
  emit isAnsweringChanged();
}

void Chat::stop() {
  if (stream_) stream_->stop();
}

void Chat::copy(const QString& text) const {
  QGuiApplication::clipboard()->setText(text);
}

void Chat::retranslate() {
  messages_.refresh();
  conversations_.refresh();
  emit conversationChanged();
  emit modelsChanged();
  emit retranslated();
}

void Chat::keep(const Result<void>& written) {
  if (!written) setProblem(tr("This conversation cannot be saved: %1").arg(textOf(written.error())));
}

void Chat::setProblem(const QString& problem) {
  if (problem_ == problem) return;
  problem_ = problem;
  emit problemChanged();
}

}  // namespace hearth::gui
