// FakeClient: a small box in memory. Deploying, installing and training take a few ticks, as on a real one, so the real
// UI can be run, tested and photographed without a service.
#pragma once

#include <QPointer>
#include <QTimer>

#include "gui/client/client.h"

namespace hearth::gui {

struct FakeAnswer {
  QString text, thought;  // no text: one that fits the question
  int pieceChars = 4, piecesPerTick = 1;
};

std::vector<api::BeforeAfter> fakeSamples();

class FakeClient : public Client {
  Q_OBJECT
 public:
  // `tickMs`: the time between two tokens or two steps of work. Tests use 0.
  explicit FakeClient(int tickMs = 0, QObject* parent = nullptr);

  // --- what tests do to the box ---
  void setReachable(bool reachable);
  void setBox(const api::Box& box) { box_ = box; }  // told at the next connection
  void setModels(const std::vector<api::Model>& models) { models_ = models; }
  void setSamples(const std::vector<api::BeforeAfter>& samples) { samples_ = samples; }
  void plugIn(const api::PackSource& source);
  void failNext(const Error& error);  // the next call gets this
  // The next answers: what is thought first, the text, and how many characters come in a piece, how many pieces a tick.
  void setAnswer(const QString& text, const QString& thought = {}, int pieceChars = 4, int piecesPerTick = 1) {
    answer_ = {text, thought, pieceChars, piecesPerTick};
  }
  void setOverlong(int n) { nOverlong_ = n; }  // of the examples in any dataset
  void holdJobs() { isHeld_ = true; }          // work gets to its middle and stays there
  const std::vector<ChatRequest>& chatRequests() const { return chatRequests_; }
  const std::vector<api::TrainRequest>& trainRequests() const { return trainRequests_; }

  QString address() const override { return tr("a made-up box, without a service"); }
  bool isLocal() const override { return true; }
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
  template <class T>
  void answer(Then<T> then, std::function<Result<T>()> work);
  void tell(api::EventKind kind, const std::string& subject, const std::function<void(api::Event&)>& fill);
  void tick();
  void tickDeployment(api::Deployment& deployment);
  void tickJob(api::Job& job);
  void finishJob(api::Job& job);
  api::Job addJob(api::JobKind kind, const std::string& title, const std::string& model);
  api::Model* findModel(const std::string& name);

  QTimer timer_;
  bool isReachable_ = true, isStarted_ = false, isHeld_ = false;
  std::optional<Error> nextError_;
  uint64_t nextEvent_ = 1;
  int nextId_ = 1;
  api::Box box_;
  std::vector<api::Model> models_;
  std::vector<api::Deployment> deployments_;
  std::vector<api::PackSource> sources_;
  std::vector<api::DatasetPreview> datasets_;
  std::vector<api::Job> jobs_;
  std::map<std::string, api::Model> willInstall_;  // by job id
  std::map<std::string, Phrase> willFail_;         // by job id
  std::map<std::string, std::vector<api::MetricPoint>> metrics_;
  std::vector<ChatRequest> chatRequests_;
  FakeAnswer answer_;
  std::vector<api::BeforeAfter> samples_ = fakeSamples();
  std::vector<api::TrainRequest> trainRequests_;
  int nOverlong_ = 0;
};

// What the fake box holds at first (fake_box.cpp).
api::Box fakeBox();
std::vector<api::Model> fakeModels();
api::PackSource fakeStick();
std::vector<api::Job> fakeHistory();  // work that is over
std::vector<api::TrainPreset> fakePresets();
QString fakeAnswer(const QString& question);
api::MetricPoint fakeMetric(int step, int nSteps);

}  // namespace hearth::gui
