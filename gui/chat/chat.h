// Chat: the open conversation, its model, and the answer that is being written.
//
// Every message and every piece of an answer is in the conversation's file (chat_log.h) before it is shown.
#pragma once

#include <QtQml/qqmlregistration.h>
#include <QObject>
#include <QPointer>
#include <QStringList>
#include <QTimer>

#include <filesystem>
#include <optional>

#include "gui/chat/chat_log.h"
#include "gui/chat/conversation_list_model.h"
#include "gui/chat/message_list_model.h"
#include "gui/client/box_state.h"

namespace hearth::gui {

class Chat : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by Desktop")
  Q_PROPERTY(hearth::gui::ConversationListModel* conversations READ conversations CONSTANT FINAL)
  Q_PROPERTY(hearth::gui::MessageListModel* messages READ messages CONSTANT FINAL)
  Q_PROPERTY(QString conversationId READ conversationId NOTIFY conversationChanged FINAL)  // "" for one not begun
  Q_PROPERTY(QString title READ title NOTIFY conversationChanged FINAL)
  Q_PROPERTY(QStringList modelNames READ modelNames NOTIFY modelsChanged FINAL)   // ready to chat
  Q_PROPERTY(QString model READ model WRITE setModel NOTIFY modelsChanged FINAL)  // "" when none is ready
  Q_PROPERTY(int modelIndex READ modelIndex NOTIFY modelsChanged FINAL)           // of model in modelNames, or -1
  Q_PROPERTY(bool isAnswering READ isAnswering NOTIFY isAnsweringChanged FINAL)
  // Why nothing can be sent now, and what to do; "" when it can.
  Q_PROPERTY(QString obstacle READ obstacle NOTIFY modelsChanged FINAL)
  // Conversations could not be kept; "" when all is well.
  Q_PROPERTY(QString problem READ problem NOTIFY problemChanged FINAL)
  Q_PROPERTY(QStringList suggestions READ suggestions NOTIFY retranslated FINAL)

 public:
  // Conversations live in `folder`.
  Chat(BoxState& box, std::filesystem::path folder, QObject* parent = nullptr);
  ~Chat() override;

  ConversationListModel* conversations() { return &conversations_; }
  MessageListModel* messages() { return &messages_; }
  QString conversationId() const { return conversation_.id; }
  QString title() const;
  QStringList modelNames() const;
  QString model() const;
  void setModel(const QString& model);
  int modelIndex() const { return static_cast<int>(modelNames().indexOf(model())); }
  bool isAnswering() const { return !stream_.isNull(); }
  QString obstacle() const;
  QString problem() const { return problem_; }
  QStringList suggestions() const;

  Q_INVOKABLE void startNew();
  Q_INVOKABLE void open(const QString& conversationId);
  Q_INVOKABLE void remove(const QString& conversationId);
  Q_INVOKABLE void rename(const QString& conversationId, const QString& title);
  // False when it could not be sent (empty, answering, no model): the text stays with the caller.
  Q_INVOKABLE bool send(const QString& text);
  Q_INVOKABLE void stop();
  Q_INVOKABLE void regenerate();
  // Replaces a message of the user and everything after it.
  Q_INVOKABLE bool editAndResend(int messageId, const QString& text);
  Q_INVOKABLE void copy(const QString& text) const;
  void retranslate();

 signals:
  void conversationChanged();
  void modelsChanged();
  void isAnsweringChanged();
  void problemChanged();
  void retranslated();

 private:
  bool canSend() const;
  bool ensureLog();
  void answer();
  void takeDelta(const QString& text);
  void takeOutcome(const ChatOutcome& outcome);
  void cutFrom(int row);
  void addMessage(const ChatMessage& message);
  void keep(const Result<void>& written);
  void setProblem(const QString& problem);
  int nextId() const;

  BoxState& box_;
  std::filesystem::path folder_;
  ConversationListModel conversations_;
  MessageListModel messages_;
  Conversation conversation_;
  std::optional<ChatLog> log_;
  QString chosenModel_, problem_;
  QPointer<ChatStream> stream_;
  QTimer syncTimer_;
  double firstTokenAt_ = 0;
  int nDeltas_ = 0;
};

}  // namespace hearth::gui
