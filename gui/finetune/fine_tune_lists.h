// The small lists of the fine-tuning wizard: datasets, a dataset's problems and first examples, presets, before/after.
#pragma once

#include <QtQml/qqmlregistration.h>

#include "appliance/api/types.h"
#include "gui/components/row_list_model.h"

namespace hearth::gui {

// Roles: datasetId, name, facts (format, examples, size), isValid, problemText ("" when valid)
struct DatasetRow {
  QString key;
  api::Dataset dataset;
  bool operator==(const DatasetRow& other) const {
    return key == other.key && dataset.name == other.dataset.name && dataset.problems.size() == other.dataset.problems.size() &&
           dataset.n_examples == other.dataset.n_examples && dataset.valid == other.dataset.valid;
  }
};
class DatasetListModel : public RowListModel<DatasetRow> {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by FineTune")
 public:
  explicit DatasetListModel(QObject* parent = nullptr);
  void set(const std::vector<api::Dataset>& datasets);
};

// Roles: place ("line 3, field messages"), message
struct ProblemRow {
  QString key;
  api::DatasetProblem problem;
  bool operator==(const ProblemRow& other) const {
    return key == other.key && problem.line == other.problem.line && problem.message == other.problem.message;
  }
};
class ProblemListModel : public RowListModel<ProblemRow> {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by FineTune")
 public:
  explicit ProblemListModel(QObject* parent = nullptr);
  void set(const std::vector<api::DatasetProblem>& problems);
};

// One turn of one of the first examples. Roles: speaker (for people), turnText, isUser, startsExample
struct TurnRow {
  QString key, role, text;
  bool startsExample = false;
  bool operator==(const TurnRow&) const = default;
};
class TurnListModel : public RowListModel<TurnRow> {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by FineTune")
 public:
  explicit TurnListModel(QObject* parent = nullptr);
  void set(const std::vector<api::DatasetExample>& examples);
};

// Roles: presetId, title, description, facts (method, passes)
struct PresetRow {
  QString key;
  api::TrainPreset preset;
  bool operator==(const PresetRow& other) const { return key == other.key; }
};
class PresetListModel : public RowListModel<PresetRow> {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by FineTune")
 public:
  explicit PresetListModel(QObject* parent = nullptr);
  void set(const std::vector<api::TrainPreset>& presets);
};

// Roles: prompt, before, after, expected
struct SampleRow {
  QString key;
  api::BeforeAfter sample;
  bool operator==(const SampleRow& other) const {
    return key == other.key && sample.prompt == other.sample.prompt && sample.before == other.sample.before &&
           sample.after == other.sample.after;
  }
};
class SampleListModel : public RowListModel<SampleRow> {
  Q_OBJECT
  QML_ELEMENT
  QML_UNCREATABLE("made by FineTune")
 public:
  explicit SampleListModel(QObject* parent = nullptr);
  void set(const std::vector<api::BeforeAfter>& samples);
};

}  // namespace hearth::gui
