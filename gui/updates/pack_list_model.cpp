// PackListModel: pack sources flattened, what is new first.
#include "gui/updates/pack_list_model.h"

#include <algorithm>

#include "gui/components/format.h"

namespace hearth::gui {

namespace {
QString statusTextOf(const PackRow& row) {
  if (row.isInstalling) return PackListModel::tr("Installing");
  if (row.pack.status == "untrusted") return PackListModel::tr("Not trusted");
  if (row.pack.status == "damaged") return PackListModel::tr("Damaged");
  if (row.pack.installed) return PackListModel::tr("Installed");
  return PackListModel::tr("Trusted");
}

QString toneOfPack(const PackRow& row) {
  if (row.isInstalling) return QStringLiteral("busy");
  if (row.pack.status != "trusted") return QStringLiteral("bad");
  return row.pack.installed ? QStringLiteral("quiet") : QStringLiteral("good");
}

// The service's own words after what they mean, as a detail.
QString problemTextOf(const PackRow& row) {
  if (row.pack.problem.empty()) return {};
  QString text = textOf(row.pack.problem);
  if (row.pack.status == "untrusted")
    text = PackListModel::tr("Nobody whom this box trusts has signed it, so it is not installed. (%1)").arg(text);
  if (row.pack.status == "damaged") text = PackListModel::tr("It is damaged, so it is not installed. (%1)").arg(text);
  return text;
}

int rankOf(const PackRow& row) {
  if (PackListModel::isNew(row) || row.isInstalling) return 0;
  return row.pack.status == "trusted" ? 2 : 1;
}
}  // namespace

bool PackListModel::isNew(const PackRow& row) {
  return row.pack.status == "trusted" && !row.pack.installed && !row.isInstalling;
}

bool PackRow::operator==(const PackRow& other) const {
  return key == other.key && pack.status == other.pack.status && pack.problem == other.pack.problem &&
         pack.installed == other.pack.installed && pack.version == other.pack.version &&
         pack.size_bytes == other.pack.size_bytes && source.label == other.source.label &&
         isInstalling == other.isInstalling && progress == other.progress;
}

PackListModel::PackListModel(BoxState& box, QObject* parent)
    : RowListModel<PackRow>(
          {
              {"packId", [](const PackRow& r) { return QVariant(r.key); }},
              {"name",
               [](const PackRow& r) {
                 return QVariant(textOf(r.pack.display_name.empty() ? r.pack.name : r.pack.display_name));
               }},
              {"version", [](const PackRow& r) { return QVariant(textOf(r.pack.version)); }},
              {"description", [](const PackRow& r) { return QVariant(textOf(r.pack.description)); }},
              {"sizeText", [](const PackRow& r) { return QVariant(bytesText(r.pack.size_bytes)); }},
              {"licenseText",
               [](const PackRow& r) {
                 return QVariant(r.pack.license.empty() ? tr("licence unknown") : textOf(r.pack.license));
               }},
              {"sourceLabel", [](const PackRow& r) { return QVariant(textOf(r.source.label)); }},
              {"sourcePath", [](const PackRow& r) { return QVariant(textOf(r.source.path)); }},
              {"isRemovable", [](const PackRow& r) { return QVariant(r.source.removable); }},
              {"status", [](const PackRow& r) { return QVariant(textOf(r.pack.status)); }},
              {"statusText", [](const PackRow& r) { return QVariant(statusTextOf(r)); }},
              {"problem", [](const PackRow& r) { return QVariant(problemTextOf(r)); }},
              {"isInstalled", [](const PackRow& r) { return QVariant(r.pack.installed); }},
              {"isInstalling", [](const PackRow& r) { return QVariant(r.isInstalling); }},
              {"progress", [](const PackRow& r) { return QVariant(r.progress); }},
              {"isNew", [](const PackRow& r) { return QVariant(isNew(r)); }},
              {"tone", [](const PackRow& r) { return QVariant(toneOfPack(r)); }},
          },
          parent),
      box_(box) {
  connect(&box, &BoxState::packSourcesChanged, this, &PackListModel::fill);
  connect(&box, &BoxState::jobsChanged, this, &PackListModel::fill);
  fill();
}

void PackListModel::follow(const QString& packId, const std::string& jobId) {
  jobs_[packId] = jobId;
  fill();
}

// The running install of a pack: the one that was started here, or one that names its model (another desktop's, the
// CLI's).
const api::Job* PackListModel::installOf(const PackRow& row) const {
  auto own = jobs_.find(row.key);
  for (const api::Job& job : box_.jobs()) {
    if (job.kind != "install" || isOver(job)) continue;
    if (job.model == row.pack.name || (own != jobs_.end() && own->second == job.id)) return &job;
  }
  return nullptr;
}

void PackListModel::fill() {
  std::vector<PackRow> rows;
  for (const api::PackSource& source : box_.packSources()) {
    api::PackSource head{.path = source.path, .label = source.label, .removable = source.removable};
    for (const api::PackInfo& pack : source.packs) {
      PackRow row{textOf(source.path + '\n' + pack.digest + '\n' + pack.name), head, pack};
      if (const api::Job* job = installOf(row)) {
        row.isInstalling = true;
        row.progress = job->progress;
      }
      rows.push_back(std::move(row));
    }
  }
  std::stable_sort(rows.begin(), rows.end(), [](const PackRow& a, const PackRow& b) { return rankOf(a) < rankOf(b); });
  setRows(std::move(rows));
}

}  // namespace hearth::gui
