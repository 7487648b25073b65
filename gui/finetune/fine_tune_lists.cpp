// The wizard's lists: API structs in, texts out.
#include "gui/finetune/fine_tune_lists.h"

#include "gui/components/format.h"

namespace hearth::gui {

namespace {
QString formatTextOf(const std::string& format) {
  if (format == "messages" || format == "sharegpt") return DatasetListModel::tr("conversations");
  if (format == "alpaca") return DatasetListModel::tr("instructions with answers");
  if (format == "pairs") return DatasetListModel::tr("questions with answers");
  if (format == "text") return DatasetListModel::tr("plain text");
  return textOf(format);
}

QString factsOf(const DatasetRow& row) {
  return QStringLiteral("%1 · %2 · %3")
      .arg(formatTextOf(row.dataset.format), DatasetListModel::tr("%1 examples").arg(countText(row.dataset.n_examples)),
           bytesText(row.dataset.size_bytes));
}

QString problemTextOf(const DatasetRow& row) {
  if (row.dataset.valid) return {};
  size_t n = row.dataset.problems.size();
  return n == 1 ? DatasetListModel::tr("1 problem found") : DatasetListModel::tr("%1 problems found").arg(n);
}

QString placeOf(const ProblemRow& row) {
  QString line = ProblemListModel::tr("Line %1").arg(row.problem.line);
  if (row.problem.field_name.empty()) return line;
  return ProblemListModel::tr("%1, field %2").arg(line, textOf(row.problem.field_name));
}

QString speakerOf(const TurnRow& row) {
  if (row.role == QLatin1String("user")) return TurnListModel::tr("Question");
  if (row.role == QLatin1String("assistant")) return TurnListModel::tr("Answer");
  if (row.role == QLatin1String("system")) return TurnListModel::tr("Instruction");
  if (row.role == QLatin1String("tool")) return TurnListModel::tr("Tool");
  if (row.role == QLatin1String("skipped")) return TurnListModel::tr("Answer, not learned");
  if (row.role == QLatin1String("reasoning")) return TurnListModel::tr("Reasoning");
  if (row.role == QLatin1String("call")) return TurnListModel::tr("Call of a tool");
  return TurnListModel::tr("Text");
}

// The known presets speak the desktop's language; others say what the service says.
QString titleOf(const PresetRow& row) {
  if (row.key == QLatin1String("quick")) return PresetListModel::tr("Quick");
  if (row.key == QLatin1String("balanced")) return PresetListModel::tr("Balanced");
  if (row.key == QLatin1String("thorough")) return PresetListModel::tr("Thorough");
  return textOf(row.preset.title);
}
QString descriptionOf(const PresetRow& row) {
  if (row.key == QLatin1String("quick")) return PresetListModel::tr("A first try, to see whether the data works.");
  if (row.key == QLatin1String("balanced")) return PresetListModel::tr("The right choice for most data.");
  if (row.key == QLatin1String("thorough")) return PresetListModel::tr("Takes longest and learns the most.");
  return textOf(row.preset.description);
}
QString factsOf(const PresetRow& row) {
  QString method = row.preset.method == "full"
                       ? PresetListModel::tr("changes every weight")
                       : PresetListModel::tr("small add-on of rank %1").arg(row.preset.lora_rank);
  // Little data is passed over more often than the preset says, or nothing would be learned.
  QString passes = row.preset.n_epochs == 1
                       ? PresetListModel::tr("1 pass over the data or more")
                       : PresetListModel::tr("%1 passes over the data or more").arg(row.preset.n_epochs);
  return QStringLiteral("%1 · %2").arg(passes, method);
}
}  // namespace

DatasetListModel::DatasetListModel(QObject* parent)
    : RowListModel<DatasetRow>(
          {
              {"datasetId", [](const DatasetRow& r) { return QVariant(r.key); }},
              {"name", [](const DatasetRow& r) { return QVariant(textOf(r.dataset.name)); }},
              {"facts", [](const DatasetRow& r) { return QVariant(factsOf(r)); }},
              {"isValid", [](const DatasetRow& r) { return QVariant(r.dataset.valid); }},
              {"problemText", [](const DatasetRow& r) { return QVariant(problemTextOf(r)); }},
          },
          parent) {}

void DatasetListModel::set(const std::vector<api::Dataset>& datasets) {
  std::vector<DatasetRow> rows;
  for (const api::Dataset& d : datasets) rows.push_back({textOf(d.id), d});
  setRows(std::move(rows));
}

ProblemListModel::ProblemListModel(QObject* parent)
    : RowListModel<ProblemRow>(
          {
              {"place", [](const ProblemRow& r) { return QVariant(placeOf(r)); }},
              {"message", [](const ProblemRow& r) { return QVariant(textOf(r.problem.message)); }},
          },
          parent) {}

void ProblemListModel::set(const std::vector<api::DatasetProblem>& problems) {
  std::vector<ProblemRow> rows;
  for (const api::DatasetProblem& p : problems) rows.push_back({QString::number(rows.size()), p});
  setRows(std::move(rows));
}

TurnListModel::TurnListModel(QObject* parent)
    : RowListModel<TurnRow>(
          {
              {"speaker", [](const TurnRow& r) { return QVariant(speakerOf(r)); }},
              {"turnText", [](const TurnRow& r) { return QVariant(r.text); }},
              {"isUser", [](const TurnRow& r) { return QVariant(r.role == QLatin1String("user")); }},
              {"startsExample", [](const TurnRow& r) { return QVariant(r.startsExample); }},
          },
          parent) {}

void TurnListModel::set(const std::vector<api::DatasetExample>& examples) {
  std::vector<TurnRow> rows;
  auto add = [&rows](const QString& role, const std::string& text, bool startsExample) {
    rows.push_back({QString::number(rows.size()), role, textOf(text), startsExample});
  };
  for (const api::DatasetExample& example : examples) {
    if (example.messages.empty()) add({}, example.text, true);
    bool isFirst = true;
    for (const api::DatasetMessage& m : example.messages) {
      auto part = [&](const QString& role, const std::string& text) {
        if (!text.empty()) add(role, text, std::exchange(isFirst, false));
      };
      part(QStringLiteral("reasoning"), m.reasoning);
      part(m.is_learned ? textOf(m.role) : QStringLiteral("skipped"), m.content);
      part(QStringLiteral("call"), m.tool_calls);
    }
  }
  setRows(std::move(rows));
}

PresetListModel::PresetListModel(QObject* parent)
    : RowListModel<PresetRow>(
          {
              {"presetId", [](const PresetRow& r) { return QVariant(r.key); }},
              {"title", [](const PresetRow& r) { return QVariant(titleOf(r)); }},
              {"description", [](const PresetRow& r) { return QVariant(descriptionOf(r)); }},
              {"facts", [](const PresetRow& r) { return QVariant(factsOf(r)); }},
          },
          parent) {}

void PresetListModel::set(const std::vector<api::TrainPreset>& presets) {
  std::vector<PresetRow> rows;
  for (const api::TrainPreset& p : presets) rows.push_back({textOf(p.id), p});
  setRows(std::move(rows));
}

SampleListModel::SampleListModel(QObject* parent)
    : RowListModel<SampleRow>(
          {
              {"prompt", [](const SampleRow& r) { return QVariant(textOf(r.sample.prompt)); }},
              {"before", [](const SampleRow& r) { return QVariant(textOf(r.sample.before)); }},
              {"after", [](const SampleRow& r) { return QVariant(textOf(r.sample.after)); }},
              {"expected", [](const SampleRow& r) { return QVariant(textOf(r.sample.expected)); }},
          },
          parent) {}

void SampleListModel::set(const std::vector<api::BeforeAfter>& samples) {
  std::vector<SampleRow> rows;
  for (const api::BeforeAfter& s : samples) rows.push_back({QString::number(rows.size()), s});
  setRows(std::move(rows));
}

}  // namespace hearth::gui
