// ModelListModel: the models in the store, each with what it is doing and whether it fits.
//
// Roles: name, calledName (what people call it, in any script), description, facts (parameters, type, context, size),
// sizeText, source (where it came from, licence), isDeployed (running or on its way), canDeploy, canRemove, canChat
// (ready and has a template), stateText, stateDetail, tone (good | busy | bad | quiet), fitVerdict ("" until known |
// fits | tight | too_large), fitText (the verdict), fitDetail (why, in numbers), isBundled, parentName
#pragma once

#include <QtQml/qqmlregistration.h>

#include "gui/client/box_state.h"
#include "gui/components/row_list_model.h"

namespace hearth::gui {

struct ModelRow {
  QString key;  // the model's name
  api::Model model;
  std::optional<api::Deployment> deployment;
  std::optional<api::Fit> fit;
  bool operator==(const ModelRow& other) const;
};

// What it needs of the memory, in numbers; "" until that is known.
QString fitDetailOf(const ModelRow& row);

class ModelListModel : public RowListModel<ModelRow> {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by Desktop")
 public:
  explicit ModelListModel(BoxState& box, QObject* parent = nullptr);

 private:
  void fill();
  void askFit(const std::string& model);

  BoxState& box_;
  std::map<std::string, api::Fit> fits_;
};

}  // namespace hearth::gui
