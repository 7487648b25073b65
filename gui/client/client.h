// Client: everything the desktop asks of the service, in the API's own types (appliance/api/types.h).
// HttpClient talks to hearthd; FakeClient plays one in memory for tests, screenshots and `--offline`.
//
// All of it happens on the GUI thread. An answer never arrives from inside the call that asked for it, arrives at most
// once, and never after the client is gone: destroy the client before whatever the callbacks refer to.
#pragma once

#include <QObject>
#include <QString>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "appliance/api/types.h"
#include "base/result.h"
#include "gui/client/sampling.h"

namespace hearth::gui {

template <class T>
using Then = std::function<void(Result<T>)>;

struct ChatRequest {
  std::string model;
  std::vector<api::Message> messages;
  Sampling sampling;
};

// How an answer ended. `finishReason` is OpenAI's (stop, length); `error` is set when it did not end well. The tokens
// are the service's own count, thoughts among them; 0 when it did not say.
struct ChatOutcome {
  std::string finishReason;
  int promptTokens = 0, completionTokens = 0;
  std::optional<Error> error;
};

// One streaming answer. Owned by the client; valid until finished() has been emitted.
class ChatStream : public QObject {
  Q_OBJECT
 public:
  using QObject::QObject;
  // The service is told to stop by closing the connection. finished() follows with Code::cancelled.
  virtual void stop() = 0;

 signals:
  void thought(const QString& text);  // what it thinks before it answers
  void delta(const QString& text);
  void finished(const hearth::gui::ChatOutcome& outcome);
};

// A file on its way to the service. Owned by the client; valid until finished() has been emitted.
class Upload : public QObject {
  Q_OBJECT
 public:
  using QObject::QObject;
  // finished() follows with Code::cancelled; the service keeps nothing.
  virtual void cancel() = 0;

 signals:
  void progressed(qint64 sentBytes, qint64 totalBytes);
  void finished(const hearth::Result<hearth::api::Dataset>& dataset);
};

class Client : public QObject {
  Q_OBJECT
 public:
  using QObject::QObject;

  // Where the service is expected, for people: a socket's path or a URL.
  virtual QString address() const = 0;
  // True when the service runs on this machine, so that its paths are our paths.
  virtual bool isLocal() const = 0;
  // Subscribes to events and keeps subscribing, with pauses that grow to a few seconds, until destroyed.
  virtual void start() = 0;
  // Tries again at once instead of waiting for the pause to end.
  virtual void retryNow() = 0;

  virtual void box(Then<api::Box> then) = 0;

  virtual void models(Then<std::vector<api::Model>> then) = 0;
  virtual void fit(const std::string& model, Then<api::Fit> then) = 0;
  virtual void removeModel(const std::string& model, Then<void> then) = 0;
  virtual void importModel(const api::ImportRequest& request, Then<api::Job> then) = 0;

  virtual void packSources(Then<std::vector<api::PackSource>> then) = 0;
  virtual void scanPacks(const std::string& path, Then<api::PackSource> then) = 0;
  virtual void installPack(const api::InstallRequest& request, Then<api::Job> then) = 0;
  virtual void exportPack(const api::ExportRequest& request, Then<api::Job> then) = 0;

  virtual void deployments(Then<std::vector<api::Deployment>> then) = 0;
  virtual void deploy(const api::DeployRequest& request, Then<api::Deployment> then) = 0;
  virtual void undeploy(const std::string& model, Then<void> then) = 0;

  virtual void datasets(Then<std::vector<api::Dataset>> then) = 0;
  // Sends a file of this machine piece by piece, as it is read from the disk.
  virtual Upload* addDataset(const QString& path) = 0;
  virtual void removeDataset(const std::string& id, Then<void> then) = 0;
  virtual void previewDataset(const std::string& id, Then<api::DatasetPreview> then) = 0;

  virtual void presets(Then<std::vector<api::TrainPreset>> then) = 0;
  virtual void estimate(const api::TrainRequest& request, Then<api::TrainEstimate> then) = 0;
  virtual void train(const api::TrainRequest& request, Then<api::Job> then) = 0;

  virtual void jobs(Then<std::vector<api::Job>> then) = 0;
  virtual void cancelJob(const std::string& id, Then<api::Job> then) = 0;
  virtual void metrics(const std::string& id, Then<std::vector<api::MetricPoint>> then) = 0;
  virtual void samples(const std::string& id, Then<std::vector<api::BeforeAfter>> then) = 0;

  virtual ChatStream* chat(const ChatRequest& request) = 0;

 signals:
  // The event stream is open: what was known before may be stale, ask again.
  void connected();
  // The event stream could not be opened or broke; `why` is for people. The client keeps trying.
  void disconnected(const QString& why);
  void event(const hearth::api::Event& event);
};

}  // namespace hearth::gui
