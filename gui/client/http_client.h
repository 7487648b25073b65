// HttpClient: the service over HTTP/1.1, one connection a request, one more for the events.
#pragma once

#include <QTimer>

#include "gui/client/client.h"
#include "gui/client/http_exchange.h"
#include "gui/client/sse_parser.h"

namespace hearth::gui {

class HttpClient : public Client {
  Q_OBJECT
 public:
  static constexpr qsizetype kMaxBodyBytes = 64 << 20;

  explicit HttpClient(const Endpoint& endpoint, QObject* parent = nullptr);

  // Another service from now on; the event stream moves there too.
  void setEndpoint(const Endpoint& endpoint);

  QString address() const override { return endpoint_.toString(); }
  bool isLocal() const override { return endpoint_.isLocal(); }
  void start() override;
  void retryNow() override;

  void box(Then<api::Box> then) override;
  void models(Then<std::vector<api::Model>> then) override;
  void fit(const std::string& model, Then<api::Fit> then) override;
  void removeModel(const std::string& model, Then<void> then) override;
  void importModel(const api::ImportRequest& request, Then<api::Job> then) override;
  void packSources(Then<std::vector<api::PackSource>> then) override;
  void scanPacks(const std::string& path, Then<api::PackSource> then) override;
  void installPack(const api::InstallRequest& request, Then<api::Job> then) override;
  void exportPack(const api::ExportRequest& request, Then<api::Job> then) override;
  void deployments(Then<std::vector<api::Deployment>> then) override;
  void deploy(const api::DeployRequest& request, Then<api::Deployment> then) override;
  void undeploy(const std::string& model, Then<void> then) override;
  void datasets(Then<std::vector<api::Dataset>> then) override;
  Upload* addDataset(const QString& path) override;
  void removeDataset(const std::string& id, Then<void> then) override;
  void previewDataset(const std::string& id, Then<api::DatasetPreview> then) override;
  void presets(Then<std::vector<api::TrainPreset>> then) override;
  void estimate(const api::TrainRequest& request, Then<api::TrainEstimate> then) override;
  void train(const api::TrainRequest& request, Then<api::Job> then) override;
  void jobs(Then<std::vector<api::Job>> then) override;
  void cancelJob(const std::string& id, Then<api::Job> then) override;
  void metrics(const std::string& id, Then<std::vector<api::MetricPoint>> then) override;
  void samples(const std::string& id, Then<std::vector<api::BeforeAfter>> then) override;
  ChatStream* chat(const ChatRequest& request) override;

 private:
  HttpExchange* call(const HttpRequest& request, const std::function<void(Result<Json>)>& then);
  template <class T>
  void fetch(const HttpRequest& request, Then<T> then);
  template <class T>
  void fetchList(const QByteArray& target, const char* key, Then<std::vector<T>> then);

  void subscribe();
  void readEvents(const QByteArray& bytes);
  void eventsEnded(const QString& why);

  Endpoint endpoint_;
  QTimer retry_;
  int retryMs_ = 0;
  HttpExchange* events_ = nullptr;
  SseParser eventParser_;
  QByteArray lastEventId_;
  bool isStarted_ = false;
};

// What a response with an error status means: the body's {"error": {...}} if it has one.
Error errorOfResponse(int status, const QByteArray& body);

}  // namespace hearth::gui
