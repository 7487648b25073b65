// FakeClient: a clock that ticks while there is work, and the API's answers from memory.
#include "gui/client/fake_client.h"

#include <QFile>
#include <QFileInfo>

#include <algorithm>
#include <set>

#include "gui/components/format.h"

namespace hearth::gui {

namespace {
constexpr int kTrainSteps = 60;

// Streams a prepared answer, thoughts first, a few characters at a time.
class FakeChatStream : public ChatStream {
 public:
  FakeChatStream(FakeAnswer answer, std::optional<Error> error, int tickMs, QObject* parent)
      : ChatStream(parent), answer_(std::move(answer)), error_(std::move(error)) {
    connect(&timer_, &QTimer::timeout, this, [this] {
      for (int i = 0; i < answer_.piecesPerTick && timer_.isActive(); ++i) step();
    });
    timer_.start(tickMs);
  }
  void stop() override { finish(error(Code::cancelled, "stopped")); }

 private:
  void step() {
    if (error_ || at_ >= answer_.thought.size() + answer_.text.size()) return finish(error_);
    const bool isThought = at_ < answer_.thought.size();
    QString piece = isThought ? answer_.thought.mid(at_, answer_.pieceChars)
                              : answer_.text.mid(at_ - answer_.thought.size(), answer_.pieceChars);
    at_ += piece.size();
    ++nTokens_;
    isThought ? emit thought(piece) : emit delta(piece);
  }
  void finish(const std::optional<Error>& error) {
    if (!timer_.isActive()) return;
    timer_.stop();
    emit finished({error ? "" : "stop", 24, error ? 0 : nTokens_, error});
    deleteLater();
  }

  FakeAnswer answer_;
  std::optional<Error> error_;
  QTimer timer_;
  qsizetype at_ = 0;
  int nTokens_ = 0;
};

class FakeUpload : public Upload {
 public:
  using Upload::Upload;
  void cancel() override { end(error(Code::cancelled, "stopped")); }
  void end(const Result<api::Dataset>& dataset) {
    if (std::exchange(isOver_, true)) return;
    emit finished(dataset);
    deleteLater();
  }

 private:
  bool isOver_ = false;
};

}  // namespace

FakeClient::FakeClient(int tickMs, QObject* parent)
    : Client(parent), box_(fakeBox()), models_(fakeModels()), sources_{fakeStick()}, jobs_(fakeHistory()) {
  timer_.setInterval(tickMs);
  connect(&timer_, &QTimer::timeout, this, &FakeClient::tick);
  deployments_.push_back({.model = "hearth-small",
                          .state = "ready",
                          .step = "",
                          .pid = 4711,
                          .max_seq_len = 2048,
                          .memory_bytes = 61'000'000,
                          .started_at = nowSeconds() - 3600});
  for (const api::Job& job : jobs_)
    if (job.state == "done")
      for (int i = 1; i <= kTrainSteps; ++i) metrics_[job.id].push_back(fakeMetric(i, kTrainSteps));
}

template <class T>
void FakeClient::answer(Then<T> then, std::function<Result<T>()> work) {
  QMetaObject::invokeMethod(
      this,
      [this, then, work] {
        if (!isReachable_)
          return then(error(Code::unavailable, "no answer from Hearth's service at {}", address().toStdString()));
        if (nextError_) return then(*std::exchange(nextError_, std::nullopt));
        then(work());
      },
      Qt::QueuedConnection);
}

void FakeClient::tell(api::EventKind kind, const std::string& subject, const std::function<void(api::Event&)>& fill) {
  if (!isStarted_ || !isReachable_) return;
  api::Event event{.id = nextEvent_++, .at = nowSeconds(), .kind = kind, .subject = subject};
  fill(event);
  emit this->event(event);
}

void FakeClient::setReachable(bool reachable) {
  isReachable_ = reachable;
  if (isStarted_) retryNow();
}

void FakeClient::plugIn(const api::PackSource& source) {
  sources_.push_back(source);
  tell("pack_source", source.path, [](api::Event&) {});
}

void FakeClient::failNext(const Error& error) {
  nextError_ = error;
}

void FakeClient::start() {
  isStarted_ = true;
  retryNow();
}

void FakeClient::retryNow() {
  QMetaObject::invokeMethod(
      this,
      [this] {
        if (isReachable_) {
          emit connected();
        } else {
          emit disconnected(tr("no answer from Hearth's service"));
        }
      },
      Qt::QueuedConnection);
}

api::Model* FakeClient::findModel(const std::string& name) {
  auto it = std::find_if(models_.begin(), models_.end(), [&](const api::Model& m) { return m.name == name; });
  return it == models_.end() ? nullptr : &*it;
}

// --- box, models, packs ---

void FakeClient::box(Then<api::Box> then) {
  answer<api::Box>(std::move(then), [this] { return box_; });
}
void FakeClient::models(Then<std::vector<api::Model>> then) {
  answer<std::vector<api::Model>>(std::move(then), [this] { return models_; });
}
void FakeClient::fit(const std::string& name, Then<api::Fit> then) {
  answer<api::Fit>(std::move(then), [this, name]() -> Result<api::Fit> {
    const api::Model* model = findModel(name);
    if (!model) return error(Code::not_found, "no model named {}", name);
    api::Fit fit{.model = name, .weights_bytes = model->size_bytes, .kv_bytes = model->size_bytes / 8};
    fit.total_bytes = fit.weights_bytes + fit.kv_bytes + 20'000'000;
    fit.available_bytes = box_.ram_available_bytes;
    double share = static_cast<double>(fit.total_bytes) / static_cast<double>(fit.available_bytes);
    fit.verdict = share > 1 ? "too_large" : share > 0.8 ? "tight" : "fits";
    fit.explanation = fmt::format("{} bytes of {} available", fit.total_bytes, fit.available_bytes);
    fit.decode_tokens_per_s = 22e9 / static_cast<double>(fit.weights_bytes);
    return fit;
  });
}
void FakeClient::removeModel(const std::string& name, Then<void> then) {
  answer<void>(std::move(then), [this, name]() -> Result<void> {
    for (const api::Deployment& d : deployments_)
      if (d.model == name) return error(Code::failed_precondition, "{} is running; stop it first", name);
    if (!findModel(name)) return error(Code::not_found, "no model named {}", name);
    std::erase_if(models_, [&](const api::Model& m) { return m.name == name; });
    tell("model", name, [](api::Event&) {});
    return {};
  });
}
void FakeClient::importModel(const api::ImportRequest& request, Then<api::Job> then) {
  answer<api::Job>(std::move(then), [this, request]() -> Result<api::Job> {
    std::string name = request.name.empty() ? request.path.substr(request.path.find_last_of('/') + 1) : request.name;
    api::Job job = addJob("import", "Import " + name, name);
    willInstall_[job.id] = {.name = name,
                            .family = "llama",
                            .dtype = "bf16",
                            .source = "import of " + request.path,
                            .state = "installed",
                            .size_bytes = 2'470'000'000,
                            .n_params = 1'240'000'000,
                            .max_seq_len = 8192,
                            .has_chat_template = true};
    if (!request.base.empty()) {
      willInstall_[job.id].kind = "adapter";
      willInstall_[job.id].parent = request.base;
    } else if (request.path.ends_with("-adapter")) {
      willFail_[job.id] = {"base_not_here", {{"path", request.path}}};
    }
    return job;
  });
}

void FakeClient::packSources(Then<std::vector<api::PackSource>> then) {
  answer<std::vector<api::PackSource>>(std::move(then), [this] { return sources_; });
}
void FakeClient::scanPacks(const std::string& path, Then<api::PackSource> then) {
  answer<api::PackSource>(std::move(then), [this, path]() -> Result<api::PackSource> {
    for (const api::PackSource& source : sources_)
      if (source.path == path) return source;
    return error(Code::not_found, "no pack found in {}; expected a folder with oci-layout and index.json", path);
  });
}
void FakeClient::installPack(const api::InstallRequest& request, Then<api::Job> then) {
  answer<api::Job>(std::move(then), [this, request]() -> Result<api::Job> {
    for (const api::PackSource& source : sources_)
      for (const api::PackInfo& pack : source.packs) {
        if (source.path != request.path || (pack.digest != request.digest && !request.digest.empty())) continue;
        if (pack.status != "trusted") return error(Code::data_loss, "{}", pack.problem);
        api::Job job = addJob("install", "Install " + pack.name + " " + pack.version, pack.name);
        willInstall_[job.id] = {.name = pack.name,
                                .family = "llama",
                                .dtype = "q8_0",
                                .source = "pack from " + request.path,
                                .license = pack.license,
                                .description = pack.description,
                                .state = "installed",
                                .size_bytes = pack.size_bytes,
                                .n_params = pack.size_bytes,
                                .max_seq_len = 4096,
                                .has_chat_template = true};
        return job;
      }
    return error(Code::not_found, "no such pack in {}", request.path);
  });
}
void FakeClient::exportPack(const api::ExportRequest& request, Then<api::Job> then) {
  answer<api::Job>(std::move(then), [this, request]() -> Result<api::Job> {
    return addJob("export", "Export " + request.model, request.model);
  });
}

// --- deployments ---

void FakeClient::deployments(Then<std::vector<api::Deployment>> then) {
  answer<std::vector<api::Deployment>>(std::move(then), [this] { return deployments_; });
}
void FakeClient::deploy(const api::DeployRequest& request, Then<api::Deployment> then) {
  answer<api::Deployment>(std::move(then), [this, request]() -> Result<api::Deployment> {
    api::Model* model = findModel(request.model);
    if (!model) return error(Code::not_found, "no model named {}", request.model);
    model->state = "deployed";
    std::erase_if(deployments_, [&](const api::Deployment& d) { return d.model == request.model; });
    deployments_.push_back({.model = request.model, .state = "starting", .max_seq_len = model->max_seq_len});
    say(deployments_.back(), {"waiting_to_start"});
    timer_.start();
    tell("deployment", request.model, [this](api::Event& e) { e.deployment = deployments_.back(); });
    return deployments_.back();
  });
}
void FakeClient::undeploy(const std::string& name, Then<void> then) {
  answer<void>(std::move(then), [this, name]() -> Result<void> {
    if (std::erase_if(deployments_, [&](const api::Deployment& d) { return d.model == name; }) == 0)
      return error(Code::not_found, "{} is not running", name);
    if (api::Model* model = findModel(name)) model->state = "installed";
    tell("deployment", name, [](api::Event&) {});
    return {};
  });
}

// --- datasets and training ---

void FakeClient::datasets(Then<std::vector<api::Dataset>> then) {
  answer<std::vector<api::Dataset>>(std::move(then), [this] {
    std::vector<api::Dataset> list;
    for (const api::DatasetPreview& d : datasets_) list.push_back(d.dataset);
    return list;
  });
}
Upload* FakeClient::addDataset(const QString& path) {
  QPointer<FakeUpload> upload = new FakeUpload(this);
  auto end = [upload](const Result<api::Dataset>& dataset) {
    if (upload) upload->end(dataset);
  };
  answer<api::Dataset>(end, [this, path, upload]() -> Result<api::Dataset> {
    QFile file(path);
    if (!upload) return error(Code::cancelled, "stopped");
    if (!file.open(QIODevice::ReadOnly)) return error(Code::not_found, "cannot open {}", path.toStdString());
    emit upload->progressed(file.size() / 2, file.size());
    api::DatasetPreview entry;
    api::Dataset& dataset = entry.dataset;
    dataset = {.id = fmt::format("d{}", nextId_++),
               .name = QFileInfo(path).fileName().toStdString(),
               .format = "messages",
               .size_bytes = static_cast<uint64_t>(file.size()),
               .added_at = nowSeconds()};
    std::set<QByteArray> distinct;
    for (int n = 1; !file.atEnd(); ++n) {
      const QByteArray line = file.readLine();
      if (line.trimmed().isEmpty()) continue;
      auto json = parse_json({line.constData(), static_cast<size_t>(line.size())});
      auto messages = json ? json_get<Json>(*json, "messages") : Result<Json>(json.error());
      std::vector<api::DatasetMessage> turns;
      Result<void> ok = messages ? read_json_value(*messages, turns, "messages") : Result<void>(messages.error());
      if (!ok) {
        dataset.problems.push_back({n, "messages", ok.error().message});
        continue;
      }
      ++dataset.n_examples;
      distinct.insert(line.trimmed());
      if (entry.examples.size() < 5) entry.examples.push_back({turns, ""});
    }
    dataset.n_distinct = static_cast<int>(distinct.size());
    dataset.valid = dataset.problems.empty() && dataset.n_examples > 0;
    datasets_.push_back(entry);
    return dataset;
  });
  return upload;
}
void FakeClient::removeDataset(const std::string& id, Then<void> then) {
  answer<void>(std::move(then), [this, id]() -> Result<void> {
    std::erase_if(datasets_, [&](const api::DatasetPreview& d) { return d.dataset.id == id; });
    return {};
  });
}
void FakeClient::previewDataset(const std::string& id, Then<api::DatasetPreview> then) {
  answer<api::DatasetPreview>(std::move(then), [this, id]() -> Result<api::DatasetPreview> {
    for (const api::DatasetPreview& d : datasets_)
      if (d.dataset.id == id) return d;
    return error(Code::not_found, "no dataset {}", id);
  });
}
void FakeClient::presets(Then<std::vector<api::TrainPreset>> then) {
  answer<std::vector<api::TrainPreset>>(std::move(then), [] { return fakePresets(); });
}
// What the trainer does with `n` examples longer than a row.
Result<api::TrainEstimate> withOverlong(api::TrainEstimate estimate, const api::TrainRequest& request, int n) {
  auto wanted = request.overrides.find("data.overlong");
  const std::string overlong = wanted == request.overrides.end() ? "drop" : wanted->second.get<std::string>();
  if (overlong == "refuse" && n > 0)
    return error(Code::invalid_argument,
                 "in the example at line 3 of data.jsonl: the example has 700 tokens, a row 512");
  estimate.data.overlong = overlong;
  estimate.data.n_overlong = n;
  (overlong == "truncate" ? estimate.data.n_cut : estimate.data.n_left_out) = n;
  if (n > 0) estimate.data.tokens.longest = 700;
  if (overlong == "drop") estimate.data.n_train -= n;
  return estimate;
}

void FakeClient::estimate(const api::TrainRequest& request, Then<api::TrainEstimate> then) {
  answer<api::TrainEstimate>(std::move(then), [this, request]() -> Result<api::TrainEstimate> {
    const api::Model* model = findModel(request.model);
    if (!model) return error(Code::not_found, "no model named {}", request.model);
    api::TrainEstimate estimate{.n_steps = kTrainSteps, .n_tokens = 41'300, .seconds = 154};
    estimate.peak_memory_bytes = model->size_bytes * 3;
    estimate.available_bytes = box_.ram_available_bytes;
    estimate.fits = estimate.peak_memory_bytes < estimate.available_bytes;
    for (const api::DatasetPreview& d : datasets_)
      if (d.dataset.id == request.dataset) estimate.data.n_examples = d.dataset.n_examples;
    estimate.data.n_held_out = estimate.data.n_examples / 10;
    estimate.data.n_train = estimate.data.n_examples - estimate.data.n_held_out;
    estimate.data.n_train_answer_tokens = estimate.data.n_train * 20;
    estimate.data.tokens = {40, 90, 120};
    estimate.explanation = "measured speed of this box times the tokens of the data";
    estimate.data.max_seq_len = 512;
    return withOverlong(std::move(estimate), request, nOverlong_);
  });
}
void FakeClient::train(const api::TrainRequest& request, Then<api::Job> then) {
  answer<api::Job>(std::move(then), [this, request]() -> Result<api::Job> {
    trainRequests_.push_back(request);
    return addJob("train", "Fine-tune " + request.model, request.model);
  });
}
void FakeClient::jobs(Then<std::vector<api::Job>> then) {
  answer<std::vector<api::Job>>(std::move(then), [this] { return jobs_; });
}
void FakeClient::cancelJob(const std::string& id, Then<api::Job> then) {
  answer<api::Job>(std::move(then), [this, id]() -> Result<api::Job> {
    for (api::Job& job : jobs_) {
      if (job.id != id) continue;
      job.state = "cancelled";
      job.finished_at = nowSeconds();
      tell("job", id, [&](api::Event& e) { e.job = job; });
      return job;
    }
    return error(Code::not_found, "no job {}", id);
  });
}
void FakeClient::metrics(const std::string& id, Then<std::vector<api::MetricPoint>> then) {
  answer<std::vector<api::MetricPoint>>(std::move(then), [this, id] { return metrics_[id]; });
}
void FakeClient::samples(const std::string&, Then<std::vector<api::BeforeAfter>> then) {
  answer<std::vector<api::BeforeAfter>>(std::move(then), [this] { return samples_; });
}

ChatStream* FakeClient::chat(const ChatRequest& request) {
  chatRequests_.push_back(request);
  std::optional<Error> problem = std::exchange(nextError_, std::nullopt);
  if (!isReachable_)
    problem = error(Code::unavailable, "no answer from Hearth's service at {}", address().toStdString());
  QString question = request.messages.empty() ? QString() : textOf(request.messages.back().content);
  FakeAnswer prepared = answer_;
  if (prepared.text.isEmpty()) prepared.text = fakeAnswer(question);
  return new FakeChatStream(std::move(prepared), problem, timer_.interval(), this);
}

// --- work in progress ---

api::Job FakeClient::addJob(api::JobKind kind, const std::string& title, const std::string& model) {
  jobs_.push_back({.id = fmt::format("j{}", nextId_++),
                   .kind = kind,
                   .title = title,
                   .state = "running",
                   .model = model,
                   .created_at = nowSeconds(),
                   .started_at = nowSeconds()});
  say(jobs_.back(), {"starting"});
  timer_.start();
  tell("job", jobs_.back().id, [this](api::Event& e) { e.job = jobs_.back(); });
  return jobs_.back();
}

void FakeClient::tick() {
  bool isBusy = false;
  for (api::Deployment& deployment : deployments_)
    if (deployment.state == "starting") {
      tickDeployment(deployment);
      isBusy = true;
    }
  for (size_t i = 0; i < jobs_.size(); ++i)
    if (jobs_[i].state == "running" && !(isHeld_ && jobs_[i].progress > 0.4)) {
      tickJob(jobs_[i]);
      isBusy = true;
    }
  if (!isBusy) timer_.stop();
}

void FakeClient::tickDeployment(api::Deployment& deployment) {
  ++deployment.pid;
  if (deployment.pid == 10) say(deployment, {"loading_model"});
  if (deployment.pid < 20) return;
  deployment.state = "ready";
  say(deployment, {"answering"});
  deployment.memory_bytes = 480'000'000;
  deployment.started_at = nowSeconds();
  tell("deployment", deployment.model, [&](api::Event& e) { e.deployment = deployment; });
}

void FakeClient::tickJob(api::Job& job) {
  job.progress = std::min(1.0, job.progress + 1.0 / kTrainSteps);
  job.seconds_left = (1 - job.progress) * 154;
  if (job.kind == "train") {
    auto& points = metrics_[job.id];
    points.push_back(fakeMetric(static_cast<int>(points.size()) + 1, kTrainSteps));
    say(job, {"training", {{"step", std::to_string(points.size())}, {"of", std::to_string(kTrainSteps)}}});
    job.loss = points.back().loss;
    job.eval_loss_before = 3.41;
  } else {
    uint64_t total = 7340;
    const auto done = static_cast<uint64_t>(static_cast<double>(total) * job.progress);
    say(job, {std::string(job.kind == "install"  ? "installing"
                          : job.kind == "import" ? "importing"
                                                 : "exporting"),
              {{"done", std::to_string(done)}, {"total", std::to_string(total)}}});
  }
  if (job.progress >= 0.999) finishJob(job);
  tell("job", job.id, [&](api::Event& e) { e.job = job; });
}

void FakeClient::finishJob(api::Job& job) {
  auto why = willFail_.find(job.id);
  job.state = why == willFail_.end() ? api::JobState("done") : api::JobState("failed");
  if (why != willFail_.end()) {
    job.cause = why->second;
    job.reason = words(job.cause);
    willInstall_.erase(job.id);
  }
  job.step.clear();
  job.finished_at = nowSeconds();
  job.seconds_left = 0;
  if (job.kind == "train") {
    job.eval_loss_after = 1.92;
    api::Model result = *findModel(job.model);
    result.parent = job.model;
    result.name = trainRequests_.back().name.empty() ? job.model + "-tuned" : trainRequests_.back().name;
    result.state = "installed";
    result.bundled = false;
    result.source = "training job " + job.id;
    willInstall_[job.id] = result;
  }
  auto made = willInstall_.find(job.id);
  if (made == willInstall_.end()) return;
  job.result_model = made->second.name;
  std::erase_if(models_, [&](const api::Model& m) { return m.name == made->second.name; });
  models_.push_back(made->second);
  for (api::PackSource& source : sources_)
    for (api::PackInfo& pack : source.packs) pack.installed = pack.installed || pack.name == made->second.name;
  tell("model", made->second.name, [](api::Event&) {});
}

}  // namespace hearth::gui
