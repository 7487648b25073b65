// The real box: packs made and signed by the CLI from a golden checkpoint (or the bundled pack, where it is given), and
// hearthd with the real engine and trainer in a temporary state directory.
#include "gui/tests/hearthd_rig.h"

#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>

namespace hearth::gui {

namespace {
constexpr int kCommandMs = 120'000;

// Other bytes than the bundled model's: what the store has already is not copied again, so damage to it would not matter.
constexpr const char* kStickModel = GOLDEN_MODEL "/model-Q8_0.gguf";

// Runs a program to its end; false, with what it said on stderr, when it fails.
bool run(const QString& program, const QStringList& arguments) {
  QProcess process;
  process.start(program, arguments);
  if (process.waitForFinished(kCommandMs) && process.exitStatus() == QProcess::NormalExit && process.exitCode() == 0) return true;
  std::fprintf(stderr, "%s %s failed: %s\n", qPrintable(program), qPrintable(arguments.join(' ')),
               process.readAllStandardError().constData());
  return false;
}

bool copyFolder(const QString& from, const QString& to) {
  QDirIterator it(from, QDir::Files | QDir::Hidden, QDirIterator::Subdirectories);
  while (it.hasNext()) {
    QString file = it.next();
    QString target = to + file.mid(from.size());
    QDir().mkpath(QFileInfo(target).path());
    if (!QFile::copy(file, target)) return false;
  }
  return true;
}

// Flips one bit in the middle of the largest file.
bool damage(const QString& folder) {
  QString largest;
  qint64 size = -1;
  QDirIterator it(folder, QDir::Files, QDirIterator::Subdirectories);
  while (it.hasNext()) {
    QFileInfo info(it.next());
    if (info.size() <= size) continue;
    size = info.size();
    largest = info.filePath();
  }
  QFile file(largest);
  file.setPermissions(file.permissions() | QFile::WriteOwner);
  if (!file.open(QIODevice::ReadWrite) || !file.seek(size / 2)) return false;
  char byte = 0;
  if (file.read(&byte, 1) != 1 || !file.seek(size / 2)) return false;
  byte = static_cast<char>(byte ^ 1);
  return file.write(&byte, 1) == 1;
}

class HearthdRig : public Rig {
 public:
  ~HearthdRig() override {
    hearthd_.terminate();
    if (!hearthd_.waitForFinished(20'000)) hearthd_.kill();
    hearthd_.waitForFinished(5'000);
  }

  bool prepare() {
    return makeKey() && makePack(kStickModel, "stick-model", at("sticks/good")) && copyFolder(at("sticks/good"), at("sticks/damaged")) &&
           damage(at("sticks/damaged")) && prepareBundled() && startHearthd();
  }

  std::unique_ptr<Client> client() override { return nullptr; }
  std::filesystem::path stateDir() const override { return at("state").toStdString(); }
  QString chatModel() const override { return chatModel_; }
  bool stickIsPluggedIn() const override { return false; }
  QString stickPath() const override { return at("sticks/good"); }
  QString stickPack() const override { return QStringLiteral("stick-model"); }
  QString damagedStickPath() const override { return at("sticks/damaged"); }
  QString damagedPack() const override { return QStringLiteral("stick-model"); }
  void explain() const override {
    QFile log(at("hearthd.log"));
    if (log.open(QIODevice::ReadOnly)) std::fprintf(stderr, "hearthd said:\n%s\n", log.readAll().right(6000).constData());
  }

 private:
  QString at(const char* name) const { return dir_.filePath(QLatin1String(name)); }

  bool makeKey() {
    QDir().mkpath(at("trust"));
    return run("openssl", {"genpkey", "-algorithm", "ed25519", "-out", at("key.pem")}) &&
           run("openssl", {"pkey", "-in", at("key.pem"), "-pubout", "-out", at("trust/maker.pub")});
  }

  bool makePack(const QString& model, const QString& name, const QString& to) {
    QStringList box = {"--state-dir", at("maker")};
    return run(HEARTH_CLI, box + QStringList{"import", model, "--name", name}) &&
           run(HEARTH_CLI, box + QStringList{"packs", "export", name, "--to", to, "--key", at("key.pem")});
  }

  // The pack that comes with the box, when it is there; else a golden checkpoint plays it.
  bool prepareBundled() {
    if (QFile::exists(QStringLiteral(BUNDLED_PACK "/index.json"))) {
      chatModel_ = QStringLiteral("hearth-mini");
      return copyFolder(QStringLiteral(BUNDLED_PACK), at("bundled/hearth-mini"));
    }
    chatModel_ = QStringLiteral("golden-mini");
    return makePack(GOLDEN_MODEL, chatModel_, at("bundled/golden-mini"));
  }

  bool startHearthd() {
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert("HEARTH_MEDIA_ROOTS", at("media"));
    hearthd_.setProcessEnvironment(environment);
    hearthd_.setProcessChannelMode(QProcess::MergedChannels);
    hearthd_.setStandardOutputFile(at("hearthd.log"));
    hearthd_.start(HEARTHD, {"--state-dir", at("state"), "--listen", "127.0.0.1:0", "--bundled-packs", at("bundled"),
                             "--trust", at("trust"), "--trust", QStringLiteral(BUNDLED_TRUST), "--engine", HEARTH_ENGINE,
                             "--trainer", HEARTH_TRAINER});
    return hearthd_.waitForStarted();
  }

  QTemporaryDir dir_;
  QString chatModel_;
  QProcess hearthd_;
};
}  // namespace

bool hasHearthd() { return true; }

std::unique_ptr<Rig> makeHearthdRig() {
  auto rig = std::make_unique<HearthdRig>();
  if (!rig->prepare()) return nullptr;
  return rig;
}

}  // namespace hearth::gui
