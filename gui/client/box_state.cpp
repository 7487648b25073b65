// BoxState: snapshot on connect, then events.
#include "gui/client/box_state.h"

#include <algorithm>

#include "gui/components/format.h"

namespace hearth::gui {

namespace {
constexpr int kBoxRefreshMs = 10'000;  // free memory and disk change without events

template <class T, class Same>
const T* findIn(const std::vector<T>& rows, Same same) {
  auto it = std::find_if(rows.begin(), rows.end(), same);
  return it == rows.end() ? nullptr : &*it;
}
}  // namespace

bool isOver(const api::Job& job) {
  return job.state == "done" || job.state == "failed" || job.state == "cancelled";
}

BoxState::BoxState(Client& client, QObject* parent) : QObject(parent), client_(client) {
  connect(&client, &Client::connected, this, [this] {
    setConnection(Connection::connected, {});
    refresh();
  });
  connect(&client, &Client::disconnected, this,
          [this](const QString& why) { setConnection(Connection::unreachable, why); });
  connect(&client, &Client::event, this, &BoxState::follow);
  boxTimer_.setInterval(kBoxRefreshMs);
  connect(&boxTimer_, &QTimer::timeout, this, &BoxState::refreshBox);
}

const api::Model* BoxState::model(const std::string& name) const {
  return findIn(models_, [&](const api::Model& m) { return m.name == name; });
}
QString BoxState::calledName(const std::string& name) const {
  const api::Model* known = model(name);
  return textOf(known != nullptr && !known->display_name.empty() ? known->display_name : name);
}

const api::Deployment* BoxState::deployment(const std::string& model) const {
  return findIn(deployments_, [&](const api::Deployment& d) { return d.model == model; });
}
const api::Job* BoxState::job(const std::string& id) const {
  return findIn(jobs_, [&](const api::Job& j) { return j.id == id; });
}

void BoxState::setConnection(Connection connection, const QString& problem) {
  if (connection == Connection::connected) {
    boxTimer_.start();
  } else {
    boxTimer_.stop();
  }
  if (connection_ == connection && problem_ == problem) return;
  connection_ = connection;
  problem_ = problem;
  emit connectionChanged();
}

void BoxState::refresh() {
  refreshBox();
  refreshModels();
  refreshDeployments();
  refreshJobs();
  refreshPackSources();
}

void BoxState::refreshBox() {
  client_.box([this](Result<api::Box> box) {
    if (!box) return;
    box_ = std::move(*box);
    emit boxChanged();
  });
}
void BoxState::refreshModels() {
  client_.models([this](Result<std::vector<api::Model>> models) {
    if (!models) return;
    models_ = std::move(*models);
    hasModels_ = true;
    emit modelsChanged();
  });
}
void BoxState::refreshDeployments() {
  client_.deployments([this, asked = nDeploymentNews_](Result<std::vector<api::Deployment>> deployments) {
    if (!deployments) return;
    if (asked != nDeploymentNews_) return refreshDeployments();
    deployments_ = std::move(*deployments);
    hasDeployments_ = true;
    emit deploymentsChanged();
  });
}
void BoxState::refreshJobs() {
  client_.jobs([this, asked = nJobNews_](Result<std::vector<api::Job>> jobs) {
    if (!jobs) return;
    if (asked != nJobNews_) return refreshJobs();
    std::vector<api::Job> old = std::exchange(jobs_, std::move(*jobs));
    std::stable_sort(jobs_.begin(), jobs_.end(),
                     [](const api::Job& a, const api::Job& b) { return a.created_at > b.created_at; });
    emit jobsChanged();
    tellWhatEnded(old);
  });
}

// Jobs that ended while nobody was connected.
void BoxState::tellWhatEnded(const std::vector<api::Job>& old) {
  for (const api::Job& before : old) {
    const api::Job* now = job(before.id);
    if (now && isOver(*now) && !isOver(before)) emit jobFinished(api::Job(*now));
  }
}
void BoxState::refreshPackSources() {
  client_.packSources([this](Result<std::vector<api::PackSource>> sources) {
    if (!sources) return;
    // Folders that were scanned stay as they were until they have been looked into again.
    for (const api::PackSource& old : packSources_) {
      bool isListed = findIn(*sources, [&](const api::PackSource& s) { return s.path == old.path; });
      if (!isListed && std::count(scannedPaths_.begin(), scannedPaths_.end(), old.path)) sources->push_back(old);
    }
    packSources_ = std::move(*sources);
    emit packSourcesChanged();
    rescanFolders();
  });
}

void BoxState::rescanFolders() {
  for (const std::string& path : scannedPaths_)
    client_.scanPacks(path, [this, path](Result<api::PackSource> source) {
      if (source) return learn(*source);
      std::erase(scannedPaths_, path);
      std::erase_if(packSources_, [&](const api::PackSource& s) { return s.path == path; });
      emit packSourcesChanged();
    });
}

void BoxState::learn(const api::Job& job) {
  ++nJobNews_;
  auto it = std::find_if(jobs_.begin(), jobs_.end(), [&](const api::Job& j) { return j.id == job.id; });
  bool wasOver = it != jobs_.end() && isOver(*it);
  if (it == jobs_.end()) {
    jobs_.insert(jobs_.begin(), job);
  } else {
    *it = job;
  }
  emit jobsChanged();
  if (!isOver(job) || wasOver) return;
  emit jobFinished(job);
  refreshModels();
  refreshPackSources();
  refreshBox();
}

void BoxState::learn(const api::Deployment& deployment) {
  ++nDeploymentNews_;
  auto it = std::find_if(deployments_.begin(), deployments_.end(),
                         [&](const api::Deployment& d) { return d.model == deployment.model; });
  if (it == deployments_.end()) {
    deployments_.push_back(deployment);
  } else {
    *it = deployment;
  }
  emit deploymentsChanged();
}

void BoxState::learn(const api::PackSource& source) {
  if (!source.removable && !std::count(scannedPaths_.begin(), scannedPaths_.end(), source.path))
    scannedPaths_.push_back(source.path);
  auto it = std::find_if(packSources_.begin(), packSources_.end(),
                         [&](const api::PackSource& s) { return s.path == source.path; });
  if (it == packSources_.end()) {
    packSources_.push_back(source);
  } else {
    *it = source;
  }
  emit packSourcesChanged();
}

void BoxState::follow(const api::Event& event) {
  if (event.job) {
    learn(*event.job);
  } else if (event.deployment) {
    learn(*event.deployment);
    if (event.deployment->state == "stopping") refreshDeployments();
  } else if (event.kind == "deployment") {
    refreshDeployments();
  } else if (event.kind == "job") {
    refreshJobs();
  } else if (event.kind == "pack_source") {
    refreshPackSources();
  }
  if (event.kind == "model" || event.kind == "deployment") refreshModels();
  if (event.kind == "box") refresh();  // the stream fell behind, or the box itself changed: read everything again
}

}  // namespace hearth::gui
