// HttpClient: one line an endpoint; JSON begins and ends here.
#include "gui/client/http_client.h"

#include <algorithm>

#include <QFileInfo>
#include <QPointer>
#include <QUrl>

#include "base/error_response.h"
#include "gui/client/http_chat_stream.h"

namespace hearth::gui {

namespace {
constexpr int kFirstRetryMs = 250, kLastRetryMs = 4000;
constexpr int kEventSilenceMs = 90'000;      // hearthd sends a comment more often than this
constexpr int kLongSilenceMs = 10 * 60'000;  // hashing a large pack before the answer

QByteArray quoted(const std::string& text) {
  return QUrl::toPercentEncoding(QString::fromStdString(text));
}

template <class T>
HttpRequest post(const QByteArray& target, const T& body) {
  HttpRequest request;
  request.method = "POST";
  request.target = target;
  request.body = QByteArray::fromStdString(dump_json(to_json_value(body)));
  return request;
}
HttpRequest get(const QByteArray& target) {
  return {.method = "GET", .target = target};
}
HttpRequest remove(const QByteArray& target) {
  return {.method = "DELETE", .target = target};
}
}  // namespace

Error errorOfResponse(int status, const QByteArray& body) {
  return error_from_response(status, {body.constData(), static_cast<size_t>(body.size())});
}

HttpClient::HttpClient(const Endpoint& endpoint, QObject* parent) : Client(parent), endpoint_(endpoint) {
  retry_.setSingleShot(true);
  connect(&retry_, &QTimer::timeout, this, &HttpClient::subscribe);
}

void HttpClient::setEndpoint(const Endpoint& endpoint) {
  endpoint_ = endpoint;
  lastEventId_.clear();
  if (isStarted_) retryNow();
}

// --- calls ---

HttpExchange* HttpClient::call(const HttpRequest& request, const std::function<void(Result<Json>)>& then) {
  auto* exchange = new HttpExchange(endpoint_, request, this);
  auto body = std::make_shared<QByteArray>();
  connect(exchange, &HttpExchange::bodyArrived, exchange, [exchange, body](const QByteArray& bytes) {
    *body += bytes;
    if (body->size() > kMaxBodyBytes) exchange->abort();
  });
  connect(exchange, &HttpExchange::finished, exchange, [exchange, body, then](const Result<void>& result) {
    if (body->size() > kMaxBodyBytes)
      return then(error(Code::resource_exhausted, "the service's answer is larger than {} bytes", kMaxBodyBytes));
    if (!result) return then(result.error());
    int status = exchange->response().status();
    if (status >= 400) return then(errorOfResponse(status, *body));
    if (body->isEmpty()) return then(Json::object());
    then(parse_json({body->constData(), static_cast<size_t>(body->size())}));
  });
  return exchange;
}

template <class T>
void HttpClient::fetch(const HttpRequest& request, Then<T> then) {
  call(request, [then = std::move(then)](Result<Json> json) {
    if (!json) return then(std::move(json).error());
    if constexpr (std::is_void_v<T>) {
      then({});
    } else {
      then(from_json<T>(*json));
    }
  });
}

template <class T>
void HttpClient::fetchList(const QByteArray& target, const char* key, Then<std::vector<T>> then) {
  call(get(target), [key, then = std::move(then)](Result<Json> json) {
    if (!json) return then(std::move(json).error());
    auto list = json_get<Json>(*json, key);
    if (!list) return then(std::move(list).error());
    std::vector<T> rows;
    if (auto ok = read_json_value(*list, rows, key); !ok) return then(std::move(ok).error());
    then(std::move(rows));
  });
}

void HttpClient::box(Then<api::Box> then) {
  fetch<api::Box>(get("/hearth/v1/box"), std::move(then));
}

void HttpClient::models(Then<std::vector<api::Model>> then) {
  fetchList("/hearth/v1/models", "models", std::move(then));
}
void HttpClient::fit(const std::string& model, Then<api::Fit> then) {
  fetch<api::Fit>(get("/hearth/v1/models/" + quoted(model) + "/fit"), std::move(then));
}
void HttpClient::removeModel(const std::string& model, Then<void> then) {
  fetch<void>(remove("/hearth/v1/models/" + quoted(model)), std::move(then));
}
void HttpClient::importModel(const api::ImportRequest& request, Then<api::Job> then) {
  fetch<api::Job>(post("/hearth/v1/models/import", request), std::move(then));
}

void HttpClient::packSources(Then<std::vector<api::PackSource>> then) {
  fetchList("/hearth/v1/packs/sources", "sources", std::move(then));
}
void HttpClient::scanPacks(const std::string& path, Then<api::PackSource> then) {
  HttpRequest request = post("/hearth/v1/packs/scan", api::ScanRequest{path});
  request.silenceLimitMs = kLongSilenceMs;
  fetch<api::PackSource>(request, std::move(then));
}
void HttpClient::installPack(const api::InstallRequest& request, Then<api::Job> then) {
  fetch<api::Job>(post("/hearth/v1/packs/install", request), std::move(then));
}
void HttpClient::exportPack(const api::ExportRequest& request, Then<api::Job> then) {
  fetch<api::Job>(post("/hearth/v1/packs/export", request), std::move(then));
}

void HttpClient::deployments(Then<std::vector<api::Deployment>> then) {
  fetchList("/hearth/v1/deployments", "deployments", std::move(then));
}
void HttpClient::deploy(const api::DeployRequest& request, Then<api::Deployment> then) {
  fetch<api::Deployment>(post("/hearth/v1/deployments", request), std::move(then));
}
void HttpClient::undeploy(const std::string& model, Then<void> then) {
  fetch<void>(remove("/hearth/v1/deployments/" + quoted(model)), std::move(then));
}

void HttpClient::datasets(Then<std::vector<api::Dataset>> then) {
  fetchList("/hearth/v1/datasets", "datasets", std::move(then));
}
namespace {
// A dataset's file on its way; deletes itself when it is there.
class HttpUpload : public Upload {
 public:
  explicit HttpUpload(QObject* parent) : Upload(parent) {}
  void follow(HttpExchange* exchange) {
    exchange_ = exchange;
    connect(exchange, &HttpExchange::fileSent, this, &Upload::progressed);
  }
  void cancel() override {
    if (exchange_) exchange_->abort();
  }
  void end(const Result<api::Dataset>& dataset) {
    emit finished(dataset);
    deleteLater();
  }

 private:
  QPointer<HttpExchange> exchange_;
};
}  // namespace

Upload* HttpClient::addDataset(const QString& path) {
  auto* upload = new HttpUpload(this);
  HttpRequest request;
  request.method = "POST";
  request.target = "/hearth/v1/datasets?name=" + quoted(QFileInfo(path).fileName().toStdString());
  request.file = std::make_shared<QFile>(path);
  request.contentType = "application/octet-stream";
  request.silenceLimitMs = kLongSilenceMs;
  if (!request.file->open(QIODevice::ReadOnly)) {
    Error why = worded(Code::not_found, tr("cannot open %1: %2").arg(path, request.file->errorString()));
    QMetaObject::invokeMethod(
        upload, [upload, why] { upload->end(why); }, Qt::QueuedConnection);
    return upload;
  }
  upload->follow(call(request, [upload](Result<Json> json) {
    upload->end(json ? from_json<api::Dataset>(*json) : Result<api::Dataset>(std::move(json).error()));
  }));
  return upload;
}
void HttpClient::removeDataset(const std::string& id, Then<void> then) {
  fetch<void>(remove("/hearth/v1/datasets/" + quoted(id)), std::move(then));
}
void HttpClient::previewDataset(const std::string& id, Then<api::DatasetPreview> then) {
  fetch<api::DatasetPreview>(get("/hearth/v1/datasets/" + quoted(id) + "/preview"), std::move(then));
}

void HttpClient::presets(Then<std::vector<api::TrainPreset>> then) {
  fetchList("/hearth/v1/presets", "presets", std::move(then));
}
void HttpClient::estimate(const api::TrainRequest& request, Then<api::TrainEstimate> then) {
  fetch<api::TrainEstimate>(post("/hearth/v1/jobs/estimate", request), std::move(then));
}
void HttpClient::train(const api::TrainRequest& request, Then<api::Job> then) {
  fetch<api::Job>(post("/hearth/v1/jobs", request), std::move(then));
}

void HttpClient::jobs(Then<std::vector<api::Job>> then) {
  fetchList("/hearth/v1/jobs", "jobs", std::move(then));
}
void HttpClient::cancelJob(const std::string& id, Then<api::Job> then) {
  fetch<api::Job>(post("/hearth/v1/jobs/" + quoted(id) + "/cancel", Json::object()), std::move(then));
}
void HttpClient::metrics(const std::string& id, Then<std::vector<api::MetricPoint>> then) {
  fetchList("/hearth/v1/jobs/" + quoted(id) + "/metrics", "points", std::move(then));
}
void HttpClient::samples(const std::string& id, Then<std::vector<api::BeforeAfter>> then) {
  fetchList("/hearth/v1/jobs/" + quoted(id) + "/samples", "samples", std::move(then));
}

ChatStream* HttpClient::chat(const ChatRequest& request) {
  return new HttpChatStream(endpoint_, request, this);
}

// --- events ---

void HttpClient::start() {
  isStarted_ = true;
  subscribe();
}

void HttpClient::retryNow() {
  retryMs_ = 0;
  retry_.stop();
  if (events_) {
    events_->disconnect(this);
    events_->abort();
    events_ = nullptr;
  }
  subscribe();
}

void HttpClient::subscribe() {
  HttpRequest request = get("/hearth/v1/events");
  request.headers = {{"Accept", "text/event-stream"}};
  if (!lastEventId_.isEmpty()) request.headers.append({"Last-Event-ID", lastEventId_});
  request.silenceLimitMs = kEventSilenceMs;
  eventParser_ = {};
  events_ = new HttpExchange(endpoint_, request, this);
  connect(events_, &HttpExchange::headArrived, this, [this](int status) {
    if (status != 200) return;
    retryMs_ = 0;
    emit connected();
  });
  connect(events_, &HttpExchange::bodyArrived, this, &HttpClient::readEvents);
  connect(events_, &HttpExchange::finished, this, [this](const Result<void>& result) {
    eventsEnded(result ? tr("the service closed the connection") : QString::fromStdString(result.error().message));
  });
}

void HttpClient::readEvents(const QByteArray& bytes) {
  auto events = eventParser_.push(bytes);
  if (!events) return events_->abort();
  for (const SseEvent& sse : *events) {
    if (!sse.id.isEmpty()) lastEventId_ = sse.id;
    auto json = parse_json({sse.data.constData(), static_cast<size_t>(sse.data.size())});
    if (!json) continue;  // newer services may send what this desktop does not know
    if (auto event = from_json<api::Event>(*json)) emit this->event(*event);
  }
}

void HttpClient::eventsEnded(const QString& why) {
  events_ = nullptr;
  retryMs_ = std::clamp(retryMs_ * 2, kFirstRetryMs, kLastRetryMs);
  retry_.start(retryMs_);
  emit disconnected(why);
}

}  // namespace hearth::gui
