// BoxState: what the desktop knows of the box now. Asks once on connecting, then follows the events; every page reads
// it and none keeps a second copy. GUI thread only.
#pragma once

#include <QTimer>

#include "gui/client/client.h"

namespace hearth::gui {

class BoxState : public QObject {
  Q_OBJECT
 public:
  enum class Connection { connecting, connected, unreachable };

  // `client` must outlive this.
  explicit BoxState(Client& client, QObject* parent = nullptr);

  Client& client() { return client_; }
  Connection connection() const { return connection_; }
  const QString& problem() const { return problem_; }  // why it is unreachable

  const api::Box& box() const { return box_; }
  // Both lists have come once: only then does an empty one mean that there is nothing.
  bool knowsModels() const { return hasModels_ && hasDeployments_; }
  const std::vector<api::Model>& models() const { return models_; }
  const std::vector<api::Deployment>& deployments() const { return deployments_; }
  const std::vector<api::Job>& jobs() const { return jobs_; }  // newest first
  const std::vector<api::PackSource>& packSources() const { return packSources_; }

  const api::Model* model(const std::string& name) const;
  const api::Deployment* deployment(const std::string& model) const;
  QString calledName(const std::string& model) const;  // what people call it: its display name, else its name
  const api::Job* job(const std::string& id) const;

  // An answer told us before the event did.
  void learn(const api::Job& job);
  void learn(const api::Deployment& deployment);
  // A folder that was looked into stays listed, and is looked into again whenever the sources are asked for.
  void learn(const api::PackSource& source);

  void refresh();
  void refreshModels();
  void refreshDeployments();
  void refreshJobs();
  void refreshPackSources();

 signals:
  void connectionChanged();
  void boxChanged();
  void modelsChanged();
  void deploymentsChanged();
  void jobsChanged();
  void packSourcesChanged();
  void jobFinished(const hearth::api::Job& job);  // done, failed or cancelled, once each

 private:
  void setConnection(Connection connection, const QString& problem);
  void follow(const api::Event& event);
  void refreshBox();
  void rescanFolders();
  void tellWhatEnded(const std::vector<api::Job>& old);

  Client& client_;
  Connection connection_ = Connection::connecting;
  QString problem_;
  api::Box box_;
  std::vector<api::Model> models_;
  std::vector<api::Deployment> deployments_;
  std::vector<api::Job> jobs_;
  std::vector<api::PackSource> packSources_;
  std::vector<std::string> scannedPaths_;
  bool hasModels_ = false, hasDeployments_ = false;
  int nDeploymentNews_ = 0, nJobNews_ = 0;  // a list that was asked for before the last news is stale when it comes
  QTimer boxTimer_;
};

bool isOver(const api::Job& job);

}  // namespace hearth::gui
