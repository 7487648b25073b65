// ModelLibrary: calls and their errors.
#include "gui/models/model_library.h"

#include <QDir>
#include <QUrl>

#include <numeric>

#include "gui/components/format.h"
#include "gui/home/phrases.h"

namespace hearth::gui {

std::string pathOf(const QString& text) {
  QString path = text.trimmed();
  if (path.startsWith(QLatin1String("file:"))) path = QUrl(path).toLocalFile();
  if (path == QLatin1String("~") || path.startsWith(QLatin1String("~/"))) path.replace(0, 1, QDir::homePath());
  return path.toStdString();
}

ModelLibrary::ModelLibrary(BoxState& box, QObject* parent)
    : QObject(parent),
      box_(box),
      models_(box),
      jobs_(box, {QStringLiteral("install"), QStringLiteral("import"), QStringLiteral("export")},
            JobListModel::Show::running) {
  connect(&box, &BoxState::boxChanged, this, &ModelLibrary::diskChanged);
  connect(&box, &BoxState::modelsChanged, this, &ModelLibrary::diskChanged);
  connect(&box, &BoxState::deploymentsChanged, this, &ModelLibrary::diskChanged);
  connect(&box, &BoxState::jobFinished, this, [this](const api::Job& job) {
    if (job.state == "failed" && (job.kind == "import" || job.kind == "export")) takeFailure(job);
    if (auto ours = exports_.find(job.id); ours != exports_.end() && job.state == "done")
      setSuccess(tr("%1 is written to %2.").arg(textOf(job.model), ours->second));
  });
}

void ModelLibrary::takeFailure(const api::Job& job) {
  setProblem(tr("%1 failed: %2").arg(titleTextOf(job), failureTextOf(job.cause, job.reason)));
  if (job.cause.code != "base_not_here" || !job.cause.values.contains("path")) return;
  baselessPath_ = textOf(job.cause.values.at("path"));
  emit problemChanged();
}

QStringList ModelLibrary::baseNames() const {
  QStringList names;
  for (const api::Model& m : box_.models())
    if (m.kind == "model") names.append(textOf(m.name));
  return names;
}

QString ModelLibrary::diskText() const {
  uint64_t used = std::accumulate(box_.models().begin(), box_.models().end(), uint64_t{0},
                                  [](uint64_t sum, const api::Model& m) { return sum + m.size_bytes; });
  return tr("Models use %1; %2 are free").arg(bytesText(used), bytesText(box_.box().disk_free_bytes));
}

double ModelLibrary::diskUsed() const {
  const api::Box& box = box_.box();
  if (box.disk_bytes == 0) return 0;
  return 1 - static_cast<double>(box.disk_free_bytes) / static_cast<double>(box.disk_bytes);
}

void ModelLibrary::deploy(const QString& model) {
  setProblem({});
  box_.client().deploy({.model = model.toStdString()}, [this, model](Result<api::Deployment> deployment) {
    if (!deployment) return setProblem(refusalText(deployment.error(), model));
    box_.learn(*deployment);
  });
}

// A model that does not fit is told in the numbers that its card has.
QString ModelLibrary::refusalText(const Error& error, const QString& model) const {
  if (error.code != Code::resource_exhausted) return failureTextOf(error, model);
  const ModelRow* row = models_.find(model);
  const QString need = row ? fitDetailOf(*row) : QString();
  return tr("%1 needs more memory than is free. Stop another model, or choose a smaller one.").arg(model) +
         (need.isEmpty() ? QString() : QLatin1Char(' ') + need);
}

void ModelLibrary::undeploy(const QString& model) {
  setProblem({});
  box_.client().undeploy(model.toStdString(), [this, model](Result<void> done) {
    const bool isGone = !done && done.error().code == Code::not_found;
    if (!done) setProblem(isGone ? tr("%1 is not running any more.").arg(model) : textOf(done.error()));
    box_.refreshDeployments();
    box_.refreshModels();
  });
}

void ModelLibrary::remove(const QString& model) {
  setProblem({});
  box_.client().removeModel(model.toStdString(), [this, model](Result<void> done) {
    if (!done) setProblem(failureTextOf(done.error(), model));
    box_.refreshModels();
  });
}

void ModelLibrary::add(const QString& text, const QString& name, const QString& base) {
  setProblem({});
  std::string path = pathOf(text);
  if (path.empty()) return setProblem(tr("Choose a folder or file first."));
  // A folder with a pack shows up in Updates; anything else is imported.
  const api::ImportRequest request{.path = path, .name = name.trimmed().toStdString(), .base = base.toStdString()};
  box_.client().scanPacks(path, [this, path, request](Result<api::PackSource> source) {
    if (!source || source->packs.empty()) return importFrom(request);
    box_.learn(*source);
    if (source->packs.size() > 1)
      return setProblem(tr("This folder holds %1 packs; choose in Updates.").arg(source->packs.size()));
    box_.client().installPack({.path = path, .digest = source->packs[0].digest}, [this](Result<api::Job> job) {
      if (!job) return setProblem(textOf(job.error()));
      box_.learn(*job);
    });
  });
}

void ModelLibrary::importFrom(const api::ImportRequest& request) {
  box_.client().importModel(request, [this](Result<api::Job> job) {
    if (!job) return setProblem(textOf(job.error()));
    box_.learn(*job);
  });
}

void ModelLibrary::exportTo(const QString& model, const QString& text) {
  setProblem({});
  setSuccess({});
  std::string path = pathOf(text);
  if (path.empty()) return setProblem(tr("Choose a folder first."));
  box_.client().exportPack({.model = model.toStdString(), .path = path}, [this, path](Result<api::Job> job) {
    if (!job) return setProblem(textOf(job.error()));
    exports_[job->id] = textOf(path);
    box_.learn(*job);
  });
}

QString ModelLibrary::removalText(const QString& model) const {
  const ModelRow* row = models_.find(model);
  if (!row) return {};
  QString text = tr("This frees %1. It cannot be undone.").arg(bytesText(row->model.size_bytes));
  if (row->model.bundled) text += QChar(' ') + tr("It came with the box; you can install it again from its pack.");
  return text;
}

void ModelLibrary::retranslate() {
  models_.refresh();
  jobs_.refresh();
  emit diskChanged();
}

void ModelLibrary::setProblem(const QString& problem) {
  if (problem_ == problem && baselessPath_.isEmpty()) return;
  problem_ = problem;
  baselessPath_.clear();
  emit problemChanged();
}

void ModelLibrary::setSuccess(const QString& success) {
  if (success_ == success) return;
  success_ = success;
  emit problemChanged();
}

}  // namespace hearth::gui
