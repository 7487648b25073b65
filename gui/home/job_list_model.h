// JobListModel: installs, imports, exports and trainings, newest first; optionally of some kinds only.
//
// Roles: jobId, kind, title, state (queued | running | done | failed | cancelled), stateText, detail (step or reason),
// progress (0..1), timeText (time left while running, else when it ended), isRunning, tone (good | busy | bad | quiet),
// resultModel
#pragma once

#include <QtQml/qqmlregistration.h>
#include <QStringList>

#include "gui/client/box_state.h"
#include "gui/components/row_list_model.h"

namespace hearth::gui {

struct JobRow {
  QString key;  // the job's id
  api::Job job;
  bool operator==(const JobRow& other) const;
};

class JobListModel : public RowListModel<JobRow> {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by Desktop")
 public:
  enum class Show { all, running };

  JobListModel(BoxState& box, QStringList kinds, Show show, QObject* parent = nullptr);

  Q_INVOKABLE void cancel(const QString& jobId);

 private:
  void fill();

  BoxState& box_;
  QStringList kinds_;
  Show show_;
};

QString stepTextOf(const api::Job& job);  // what it is doing now
QString titleTextOf(const api::Job& job);
QString stateTextOf(const api::Job& job);

}  // namespace hearth::gui
