// ModelListModel: models joined with deployments and fits.
#include "gui/models/model_list_model.h"

#include "appliance/api/model_order.h"
#include "gui/components/format.h"
#include "gui/home/deployment_list_model.h"
#include "gui/home/phrases.h"

namespace hearth::gui {

namespace {
QString factsOf(const ModelRow& row) {
  QStringList facts;
  if (row.model.n_params > 0) facts.append(parametersText(row.model.n_params));
  if (!row.model.dtype.empty()) facts.append(textOf(row.model.dtype));
  if (row.model.max_seq_len > 0) facts.append(ModelListModel::tr("context %1").arg(countText(row.model.max_seq_len)));
  facts.append(bytesText(row.model.size_bytes));
  return facts.join(QStringLiteral(" · "));
}

QString sourceOf(const ModelRow& row) {
  QStringList parts;
  if (row.model.bundled) parts.append(ModelListModel::tr("came with the box"));
  if (row.model.parent && !row.model.parent->empty())
    parts.append(
        (row.model.kind == "adapter" ? ModelListModel::tr("adapter of %1") : ModelListModel::tr("fine-tuned from %1"))
            .arg(textOf(*row.model.parent)));
  if (parts.isEmpty() && !row.model.source.empty()) parts.append(phraseTextOf(row.model.origin, row.model.source));
  parts.append(row.model.license.empty() ? ModelListModel::tr("licence unknown") : textOf(row.model.license));
  return parts.join(QStringLiteral(" · "));
}

QString toneOfRow(const ModelRow& row) {
  return row.deployment ? toneOf(*row.deployment) : QStringLiteral("quiet");
}

QString stateOf(const ModelRow& row) {
  return row.deployment ? stateTextOf(*row.deployment) : ModelListModel::tr("Installed");
}

QString fitTextOf(const ModelRow& row) {
  if (!row.fit) return {};
  if (row.fit->verdict == "fits") return ModelListModel::tr("Fits this box");
  if (row.fit->verdict == "tight") return ModelListModel::tr("Fits, but tight");
  return ModelListModel::tr("Too large for this box");
}

bool isReady(const ModelRow& row) {
  return row.deployment && row.deployment->state == "ready";
}

// A failed deployment may be tried again; everything else that exists is running or on its way.
bool isUp(const ModelRow& row) {
  return row.deployment && row.deployment->state != "failed";
}
}  // namespace

QString fitDetailOf(const ModelRow& row) {
  if (!row.fit) return {};
  const api::Fit& fit = *row.fit;
  QString text = ModelListModel::tr("Needs %1 of memory (weights %2, conversation %3); %4 are free.")
                     .arg(bytesText(fit.total_bytes), bytesText(fit.weights_bytes), bytesText(fit.kv_bytes),
                          bytesText(fit.available_bytes));
  if (fit.decode_tokens_per_s)
    text += QChar(' ') + ModelListModel::tr("Expect about %1.").arg(speedText(*fit.decode_tokens_per_s));
  return text;
}

bool ModelRow::operator==(const ModelRow& other) const {
  auto stateOfRow = [](const ModelRow& r) {
    return r.deployment ? r.deployment->state.text() + r.deployment->step + r.deployment->reason +
                              std::to_string(r.deployment->memory_bytes)
                        : std::string();
  };
  auto fitOfRow = [](const ModelRow& r) {
    return r.fit ? r.fit->verdict + std::to_string(r.fit->available_bytes) : "";
  };
  return key == other.key && model.display_name == other.model.display_name && model.state == other.model.state &&
         model.size_bytes == other.model.size_bytes && model.source == other.model.source &&
         stateOfRow(*this) == stateOfRow(other) && fitOfRow(*this) == fitOfRow(other);
}

ModelListModel::ModelListModel(BoxState& box, QObject* parent)
    : RowListModel<ModelRow>(
          {
              {"name", [](const ModelRow& r) { return QVariant(r.key); }},
              {"calledName",
               [](const ModelRow& r) {
                 return QVariant(r.model.display_name.empty() ? r.key : textOf(r.model.display_name));
               }},
              {"description", [](const ModelRow& r) { return QVariant(textOf(r.model.description)); }},
              {"facts", [](const ModelRow& r) { return QVariant(factsOf(r)); }},
              {"sizeText", [](const ModelRow& r) { return QVariant(bytesText(r.model.size_bytes)); }},
              {"source", [](const ModelRow& r) { return QVariant(sourceOf(r)); }},
              {"isDeployed", [](const ModelRow& r) { return QVariant(isUp(r)); }},
              {"canDeploy",
               [](const ModelRow& r) { return QVariant(!isUp(r) && !(r.fit && r.fit->verdict == "too_large")); }},
              {"canRemove", [](const ModelRow& r) { return QVariant(!r.deployment); }},
              {"canChat", [](const ModelRow& r) { return QVariant(isReady(r) && r.model.has_chat_template); }},
              {"stateText", [](const ModelRow& r) { return QVariant(stateOf(r)); }},
              {"stateDetail",
               [](const ModelRow& r) { return QVariant(r.deployment ? detailTextOf(*r.deployment) : QString()); }},
              {"tone", [](const ModelRow& r) { return QVariant(toneOfRow(r)); }},
              {"fitVerdict", [](const ModelRow& r) { return QVariant(r.fit ? textOf(r.fit->verdict) : QString()); }},
              {"fitText", [](const ModelRow& r) { return QVariant(fitTextOf(r)); }},
              {"fitDetail", [](const ModelRow& r) { return QVariant(fitDetailOf(r)); }},
              {"isBundled", [](const ModelRow& r) { return QVariant(r.model.bundled); }},
              {"parentName", [](const ModelRow& r) { return QVariant(textOf(r.model.parent.value_or(""))); }},
          },
          parent),
      box_(box) {
  connect(&box, &BoxState::modelsChanged, this, [this] {
    for (const api::Model& model : box_.models()) askFit(model.name);
    fill();
  });
  connect(&box, &BoxState::deploymentsChanged, this, &ModelListModel::fill);
  fill();
}

void ModelListModel::fill() {
  std::vector<ModelRow> rows;
  for (const api::Model& model : api::by_base(box_.models())) {
    ModelRow row{textOf(model.name), model, {}, {}};
    if (const api::Deployment* d = box_.deployment(model.name)) row.deployment = *d;
    if (auto fit = fits_.find(model.name); fit != fits_.end()) row.fit = fit->second;
    rows.push_back(std::move(row));
  }
  setRows(std::move(rows));
}

void ModelListModel::askFit(const std::string& model) {
  box_.client().fit(model, [this, model](Result<api::Fit> fit) {
    if (!fit) return;
    fits_[model] = std::move(*fit);
    fill();
  });
}

}  // namespace hearth::gui
