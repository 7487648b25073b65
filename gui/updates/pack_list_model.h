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
  // The install of this pack is this job; the pack shows how far it is.
  void follow(const QString& packId, const std::string& jobId);

 private:
  void fill();

  const api::Job* installOf(const PackRow& row) const;

  BoxState& box_;
  std::map<QString, std::string> jobs_;  // job ids by pack
};

}  // namespace hearth::gui
