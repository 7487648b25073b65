// Desktop: the whole desktop wired together: client, state, features, translations and the window.
#pragma once

#include <QtQml/qqmlregistration.h>
#include <QObject>
#include <QQmlApplicationEngine>
#include <QTranslator>

#include <filesystem>
#include <memory>

#include "gui/app/no_network.h"
#include "gui/chat/chat.h"
#include "gui/client/box_state.h"
#include "gui/finetune/fine_tune.h"
#include "gui/home/home.h"
#include "gui/models/model_library.h"
#include "gui/settings/connection.h"
#include "gui/settings/settings.h"
#include "gui/updates/updates.h"

class QQuickWindow;

namespace hearth::gui {

struct DesktopOptions {
  std::filesystem::path stateDir;  // whose socket to use; empty: the service's, else the user's
  QString url;                     // http://host:port instead
  std::filesystem::path dataDir;   // conversations; empty: the user's data folder
  QString settingsFile;            // empty: the user's configuration folder
  QString language, theme, page;   // for this run; empty: as chosen in Settings
};

// Where hearthd's socket is: `stateDir` if given, else chosen between the installed service's and the user's own.
QString socketPathFor(const std::filesystem::path& stateDir);
// Of two state folders the one that has a socket, the service's first. Where neither has, the service's if it is
// installed: it will come there, and a second service would only take its port.
QString chooseSocket(const QString& serviceState, const QString& ownState);

class Desktop : public QObject {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by main")
  Q_PROPERTY(hearth::gui::Settings* settings READ settings CONSTANT FINAL)
  Q_PROPERTY(hearth::gui::Connection* connection READ connection CONSTANT FINAL)
  Q_PROPERTY(hearth::gui::Home* home READ home CONSTANT FINAL)
  Q_PROPERTY(hearth::gui::Chat* chat READ chat CONSTANT FINAL)
  Q_PROPERTY(hearth::gui::ModelLibrary* library READ library CONSTANT FINAL)
  Q_PROPERTY(hearth::gui::FineTune* fineTune READ fineTune CONSTANT FINAL)
  Q_PROPERTY(hearth::gui::Updates* updates READ updates CONSTANT FINAL)

 public:
  // Without a client it makes an HttpClient from the options.
  explicit Desktop(const DesktopOptions& options, std::unique_ptr<Client> client = nullptr);
  ~Desktop() override;

  // Another network for the window, before show(): for tests that watch it.
  void setNetwork(QQmlNetworkAccessManagerFactory* network) { network_ = network; }
  // Loads the window. Null when the QML could not be loaded (a defect; the engine has printed why).
  QQuickWindow* show();

  Settings* settings() { return &settings_; }
  Connection* connection() { return &connection_; }
  Home* home() { return &home_; }
  Chat* chat() { return &chat_; }
  ModelLibrary* library() { return &library_; }
  FineTune* fineTune() { return &fineTune_; }
  Updates* updates() { return &updates_; }
  Client& client() { return *client_; }
  BoxState& box() { return box_; }

 private:
  void translate();
  void chooseAddress(const QString& url);

  DesktopOptions options_;
  Settings settings_;
  std::unique_ptr<Client> client_;
  BoxState box_;
  Connection connection_;
  Home home_;
  Chat chat_;
  ModelLibrary library_;
  FineTune fineTune_;
  Updates updates_;
  QTranslator translator_;
  NoNetwork noNetwork_;
  QQmlNetworkAccessManagerFactory* network_ = &noNetwork_;
  std::unique_ptr<QQmlApplicationEngine> engine_;
};

}  // namespace hearth::gui
