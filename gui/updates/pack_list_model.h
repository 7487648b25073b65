// PackListModel: the packs on every stick and in every folder that was looked into.
//
// Roles: packId (to install it), name, version, description, sizeText, licenseText, sourceLabel (stick or folder),
// sourcePath, isRemovable, status (trusted | untrusted | damaged), statusText, problem, isInstalled, isInstalling,
// progress (0..1), isNew (can be installed now), tone (good | bad | quiet | busy)
#pragma once

#include <QtQml/qqmlregistration.h>

#include "gui/client/box_state.h"
#include "gui/components/row_list_model.h"

namespace hearth::gui {

struct PackRow {
  QString key;  // source path, digest and name
  api::PackSource source;  // without its packs
  api::PackInfo pack;
  bool isInstalling = false;
  double progress = 0;
  bool operator==(const PackRow& other) const;
};

class PackListModel : public RowListModel<PackRow> {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by Desktop")
 public:
  explicit PackListModel(BoxState& box, QObject* parent = nullptr);

  static bool isNew(const PackRow& row);

 private:
  void fill();

  BoxState& box_;
};

}  // namespace hearth::gui
