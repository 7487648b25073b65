// FolderModel: QDir's list, and the places: home, sticks, the root.
#include "gui/components/folder_model.h"

#include <QCollator>
#include <QDir>
#include <QFileInfo>

#include <algorithm>

#include "gui/components/format.h"

namespace hearth::gui {

FolderModel::FolderModel(QObject* parent)
    : RowListModel<FolderRow>(
          {
              {"name", [](const FolderRow& r) { return QVariant(r.name); }},
              {"path", [](const FolderRow& r) { return QVariant(r.key); }},
              {"isFolder", [](const FolderRow& r) { return QVariant(r.isFolder); }},
              {"detail", [](const FolderRow& r) { return QVariant(r.detail); }},
          },
          parent) {
  connect(this, &FolderModel::filterChanged, this, &FolderModel::read);
}

void FolderModel::setFolder(const QString& text) {
  QFileInfo info(text.trimmed().isEmpty() ? QDir::homePath() : text.trimmed());
  while (!info.isDir() && info.absoluteFilePath() != QLatin1String("/")) info.setFile(info.absolutePath());
  folder_ = QDir::cleanPath(info.absoluteFilePath());
  read();
}

void FolderModel::up() {
  setFolder(QFileInfo(folder_).absolutePath());
}

void FolderModel::read() {
  if (folder_.isEmpty()) return;
  QDir dir(folder_);
  problem_ = dir.isReadable() ? QString() : tr("This folder cannot be looked into.");
  QFileInfoList infos = dir.entryInfoList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::NoSort);
  if (wantsFiles_) infos += dir.entryInfoList(patterns_, QDir::Files, QDir::NoSort);
  QCollator collator;
  collator.setNumericMode(true);
  collator.setCaseSensitivity(Qt::CaseInsensitive);
  std::sort(infos.begin(), infos.end(), [&](const QFileInfo& a, const QFileInfo& b) {
    return a.isDir() != b.isDir() ? a.isDir() : collator.compare(a.fileName(), b.fileName()) < 0;
  });
  if (infos.size() > kMaxRows)
    problem_ = tr("Only the first %1 entries are shown; type the path instead.").arg(kMaxRows);
  std::vector<FolderRow> rows;
  for (const QFileInfo& info : infos.mid(0, kMaxRows))
    rows.push_back({info.absoluteFilePath(), info.fileName(),
                    info.isDir() ? QString() : bytesText(static_cast<uint64_t>(info.size())), info.isDir()});
  setRows(std::move(rows));
  emit changed();
}

QVariantList FolderModel::places() const {
  QVariantList places;
  auto add = [&places](const QString& label, const QString& path) {
    places.append(QVariantMap{{QStringLiteral("label"), label}, {QStringLiteral("path"), path}});
  };
  add(tr("Home folder"), QDir::homePath());
  const QString user = qEnvironmentVariable("USER");
  for (const QString& root :
       {QStringLiteral("/media/") + user, QStringLiteral("/run/media/") + user, QStringLiteral("/media")})
    for (const QFileInfo& stick : QDir(root).entryInfoList(QDir::Dirs | QDir::NoDotAndDotDot))
      if (stick.fileName() != user) add(stick.fileName(), stick.absoluteFilePath());
  add(tr("This machine"), QStringLiteral("/"));
  return places;
}

}  // namespace hearth::gui
