// Chat: the open conversation, its model, and the answer that is being written.
//
// Every message and every piece of an answer is in the conversation's file (chat_log.h) before it is shown. What
// arrives between two frames is written and shown together, so a fast model costs no more than a slow one, and Escape
// is heard.
#pragma once

#include <QtQml/qqmlregistration.h>
#include <QElapsedTimer>
#include <QFileSystemWatcher>
#include <QObject>
#include <QPointer>
#include <QStringList>
#include <QTimer>
#include <QUrl>

#include <filesystem>
#include <optional>

#include "gui/chat/chat_log.h"
#include "gui/chat/conversation_list_model.h"
#include "gui/chat/log_keeper.h"
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
  Q_PROPERTY(QStringList modelNames READ modelNames NOTIFY modelsChanged FINAL)    // ready to chat
  Q_PROPERTY(QStringList calledNames READ calledNames NOTIFY modelsChanged FINAL)  // what people call them, likewise
  Q_PROPERTY(QString model READ model WRITE setModel NOTIFY modelsChanged FINAL)   // "" when none is ready
  Q_PROPERTY(int modelIndex READ modelIndex NOTIFY modelsChanged FINAL)            // of model in modelNames, or -1
  Q_PROPERTY(bool isAnswering READ isAnswering NOTIFY isAnsweringChanged FINAL)
  // Why nothing can be sent now, and what to do; "" when it can.
  Q_PROPERTY(QString obstacle READ obstacle NOTIFY modelsChanged FINAL)
  // The page where that is done: home | models | "" when there is nothing but to wait.
  Q_PROPERTY(QString obstaclePage READ obstaclePage NOTIFY modelsChanged FINAL)
  // Conversations could not be kept; "" when all is well.
  Q_PROPERTY(QString problem READ problem NOTIFY problemChanged FINAL)
  Q_PROPERTY(QStringList suggestions READ suggestions NOTIFY retranslated FINAL)
  // How this conversation's words are chosen, as typed; "" is the model's own.
  Q_PROPERTY(QString temperature READ temperature NOTIFY samplingChanged FINAL)
  Q_PROPERTY(QString topP READ topP NOTIFY samplingChanged FINAL)
  Q_PROPERTY(QString maxTokens READ maxTokens NOTIFY samplingChanged FINAL)
  Q_PROPERTY(bool hasSampling READ hasSampling NOTIFY samplingChanged FINAL)
  // A link of an answer that one wants to follow: where it leads. "" when none is asked about.
  Q_PROPERTY(QString linkUrl READ linkUrl NOTIFY linkChanged FINAL)
  Q_PROPERTY(QString linkDestination READ linkDestination NOTIFY linkChanged FINAL)

 public:
  static constexpr int kFrameMs = 33;  // what arrives is shown this often at most

  // Conversations live in `folder`.
  Chat(BoxState& box, std::filesystem::path folder, QObject* parent = nullptr);
  ~Chat() override;

  ConversationListModel* conversations() { return &conversations_; }
  MessageListModel* messages() { return &messages_; }
  QString conversationId() const { return conversation_.id; }
  QString title() const;
  QStringList modelNames() const;
  QStringList calledNames() const;
  QString model() const;
  void setModel(const QString& model);
  int modelIndex() const { return static_cast<int>(modelNames().indexOf(model())); }
  bool isAnswering() const { return !stream_.isNull(); }
  QString obstacle() const;
  QString obstaclePage() const;
  QString problem() const { return problem_; }
  QStringList suggestions() const;
  QString temperature() const;
  QString topP() const;
  QString maxTokens() const;
  bool hasSampling() const { return conversation_.sampling != Sampling{}; }
  QString linkUrl() const;
  QString linkDestination() const;

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
  Q_INVOKABLE void copyMessage(int messageId) const;
  // Takes numbers as typed. What is wrong with them; "" when they were taken.
  Q_INVOKABLE QString setSampling(const QString& temperature, const QString& topP, const QString& maxTokens);
  // Asks about a link; nothing is opened. What may not be opened at all is not asked about.
  Q_INVOKABLE void askAboutLink(const QString& link);
  Q_INVOKABLE void openAskedLink();
  Q_INVOKABLE void dropAskedLink();
  void retranslate();
  int nFrames() const { return nFrames_; }  // of all answers
  LogKeeper& keeper() { return keeper_; }

 signals:
  void conversationChanged();
  void modelsChanged();
  void isAnsweringChanged();
  void problemChanged();
  void samplingChanged();
  void linkChanged();
  void retranslated();

 private:
  bool canSend() const;
  bool ensureLog();
  Result<ChatLog::Opened> openLog(const QString& id, const ChatLog::Seen& seen);
  void closeLog();
  void makeDurable();
  void adopt(Conversation conversation);
  void answer();
  void take(QString& pending, const QString& text);
  void showPending();
  void takeOutcome(const ChatOutcome& outcome);
  double speedOf(const ChatOutcome& outcome) const;
  double thinkingSeconds() const;
  void cutFrom(int row);
  void addMessage(const ChatMessage& message);
  void keep(const Result<void>& written);
  void sayUnsaved(const QString& why);
  void setProblem(const QString& problem);
  int nextId() const;
  void watch();
  void readAgain();

  BoxState& box_;
  std::filesystem::path folder_;
  ConversationListModel conversations_;
  MessageListModel messages_;
  Conversation conversation_;
  ChatLog::Seen seen_;  // of its file
  std::optional<ChatLog> log_;
  LogKeeper keeper_;
  QString chosenModel_, problem_;
  std::optional<QUrl> link_;
  QPointer<ChatStream> stream_;
  QTimer syncTimer_, frameTimer_, clock_, watchTimer_;
  QFileSystemWatcher watcher_;
  QString pendingText_, pendingThought_;
  // Of the answer under way, in seconds since it was asked for; below 0: not yet.
  QElapsedTimer asked_;
  double firstPieceAt_ = -1, lastPieceAt_ = -1, thoughtAt_ = -1, textAt_ = -1;
  int nFrames_ = 0;
};

}  // namespace hearth::gui
