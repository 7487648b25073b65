// Home: BoxState in sentences.
#include "gui/home/home.h"

#include <algorithm>

#include "gui/components/format.h"

namespace hearth::gui {

namespace {
double usedShare(uint64_t total, uint64_t free) {
  if (total == 0) return 0;
  return 1 - static_cast<double>(std::min(free, total)) / static_cast<double>(total);
}
// The bar below it shows what is used, so both are said.
QString useText(uint64_t total, uint64_t free) {
  return Home::tr("%1 used of %2, %3 free")
      .arg(bytesText(total - std::min(free, total)), bytesText(total), bytesText(free));
}
}  // namespace

Home::Home(BoxState& box, QObject* parent)
    : QObject(parent), box_(box), deployments_(box), jobs_(box, {}, JobListModel::Show::running) {
  connect(&box, &BoxState::boxChanged, this, &Home::changed);
  connect(&box, &BoxState::modelsChanged, this, &Home::changed);
  connect(&box, &BoxState::deploymentsChanged, this, &Home::changed);
}

QString Home::hostname() const {
  return textOf(box_.box().hostname);
}

QString Home::headline() const {
  auto nReady = std::count_if(box_.deployments().begin(), box_.deployments().end(),
                              [](const api::Deployment& d) { return d.state == "ready"; });
  if (nReady == 1) return tr("One model is running and ready to chat.");
  if (nReady > 1) return tr("%1 models are running and ready to chat.").arg(nReady);
  if (!box_.deployments().empty()) return tr("A model is on its way.");
  return box_.models().empty() ? tr("No model is installed yet.") : tr("No model is running yet.");
}

QString Home::cpuText() const {
  const api::Box& box = box_.box();
  QString cores = tr("%1 cores").arg(box.n_cores);
  return box.cpu_model.empty() ? cores : QStringLiteral("%1 · %2").arg(textOf(box.cpu_model), cores);
}

QString Home::gpuText() const {
  QStringList names;
  for (const std::string& gpu : box_.box().gpus) names.append(textOf(gpu));
  if (names.isEmpty()) return tr("No GPU found; models run on the CPU");
  QString text = names.join(QStringLiteral(", "));
  const auto& running = box_.deployments();
  const auto isOnGpu = [](const api::Deployment& d) { return d.device.starts_with("cuda"); };
  if (std::any_of(running.begin(), running.end(), isOnGpu)) return tr("%1 (in use by running models)").arg(text);
  for (const api::Deployment& d : running)
    if (!d.device_reason.empty()) return tr("%1 (not used: %2)").arg(text, textOf(d.device_reason));
  return text;
}

QString Home::memoryText() const {
  return useText(box_.box().ram_bytes, box_.box().ram_available_bytes);
}
double Home::memoryUsed() const {
  return usedShare(box_.box().ram_bytes, box_.box().ram_available_bytes);
}

QString Home::diskText() const {
  return useText(box_.box().disk_bytes, box_.box().disk_free_bytes);
}
double Home::diskUsed() const {
  return usedShare(box_.box().disk_bytes, box_.box().disk_free_bytes);
}

QString Home::versionText() const {
  return tr("Hearth %1").arg(textOf(box_.box().version));
}

bool Home::canChat() const {
  return std::any_of(box_.deployments().begin(), box_.deployments().end(),
                     [](const api::Deployment& d) { return d.state == "ready"; });
}

QString Home::suggestedModel() const {
  const api::Model* best = nullptr;
  for (const api::Model& model : box_.models())
    if (model.has_chat_template && (!best || (model.bundled && !best->bundled))) best = &model;
  return best ? textOf(best->name) : QString();
}

void Home::retranslate() {
  deployments_.refresh();
  jobs_.refresh();
  emit changed();
}

}  // namespace hearth::gui
