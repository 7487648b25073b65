// DeploymentListModel: BoxState's deployments as rows.
#include "gui/home/deployment_list_model.h"

#include "gui/components/format.h"
#include "gui/home/phrases.h"

namespace hearth::gui {

bool DeploymentRow::operator==(const DeploymentRow& other) const {
  const api::Deployment &a = deployment, &b = other.deployment;
  return key == other.key && calledName == other.calledName && a.state == b.state && a.step == b.step &&
         a.reason == b.reason && a.memory_bytes == b.memory_bytes && a.n_restarts == b.n_restarts;
}

QString stateTextOf(const api::Deployment& d) {
  if (d.state == "ready") return DeploymentListModel::tr("Running");
  if (d.state == "starting") return DeploymentListModel::tr("Starting");
  if (d.state == "restarting") return DeploymentListModel::tr("Restarting");
  if (d.state == "failed") return DeploymentListModel::tr("Failed");
  if (d.state == "stopping") return DeploymentListModel::tr("Stopping");
  return textOf(d.state);
}

QString detailTextOf(const api::Deployment& d) {
  if (d.state == "failed" || d.state == "restarting") return failureTextOf(d.cause, d.reason);
  if (d.state != "ready") return phraseTextOf(d.phrase, d.step);
  if (d.memory_bytes == 0) return {};
  return DeploymentListModel::tr("%1 of memory").arg(bytesText(d.memory_bytes));
}

QString toneOf(const api::Deployment& d) {
  if (d.state == "ready") return QStringLiteral("good");
  return d.state == "failed" ? QStringLiteral("bad") : QStringLiteral("busy");
}

DeploymentListModel::DeploymentListModel(BoxState& box, QObject* parent)
    : RowListModel<DeploymentRow>(
          {
              {"model", [](const DeploymentRow& r) { return QVariant(r.key); }},
              {"calledName", [](const DeploymentRow& r) { return QVariant(r.calledName); }},
              {"state", [](const DeploymentRow& r) { return QVariant(textOf(r.deployment.state)); }},
              {"stateText", [](const DeploymentRow& r) { return QVariant(stateTextOf(r.deployment)); }},
              {"detail", [](const DeploymentRow& r) { return QVariant(detailTextOf(r.deployment)); }},
              {"tone", [](const DeploymentRow& r) { return QVariant(toneOf(r.deployment)); }},
          },
          parent) {
  auto fill = [this, &box] {
    std::vector<DeploymentRow> rows;
    for (const api::Deployment& d : box.deployments()) rows.push_back({textOf(d.model), d, box.calledName(d.model)});
    setRows(std::move(rows));
  };
  connect(&box, &BoxState::deploymentsChanged, this, fill);
  connect(&box, &BoxState::modelsChanged, this, fill);
  fill();
}

}  // namespace hearth::gui
