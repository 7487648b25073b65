// DeploymentListModel: the models that are running or on their way there.
//
// Roles: model, calledName, state (starting | ready | restarting | failed | stopping), stateText, detail (step, reason
// or memory), tone (good | busy | bad: how to colour it)
#pragma once

#include <QtQml/qqmlregistration.h>

#include "gui/client/box_state.h"
#include "gui/components/row_list_model.h"

namespace hearth::gui {

struct DeploymentRow {
  QString key;  // the model's name
  api::Deployment deployment;
  QString calledName;
  bool operator==(const DeploymentRow& other) const;
};

class DeploymentListModel : public RowListModel<DeploymentRow> {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by Desktop")
 public:
  explicit DeploymentListModel(BoxState& box, QObject* parent = nullptr);
};

// In the desktop's language.
QString stateTextOf(const api::Deployment& deployment);
QString detailTextOf(const api::Deployment& deployment);
QString toneOf(const api::Deployment& deployment);

}  // namespace hearth::gui
