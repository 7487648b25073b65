// FolderModel: what is shown of a folder, and where one gets from it.
#include "gui/components/folder_model.h"

#include <gtest/gtest.h>

#include <QDir>
#include <QFile>

#include "gui/tests/support.h"

namespace hearth::gui {
namespace {

QStringList namesIn(const FolderModel& model) {
  QStringList names;
  for (const FolderRow& row : model.rows()) names.append(row.name);
  return names;
}

struct FolderModelTest : testing::Test {
  QTemporaryDir dir;
  FolderModel model;
  void SetUp() override {
    for (const char* folder : {"b", "a<img src=x>"}) QDir(dir.path()).mkdir(QString::fromUtf8(folder));
    for (const char* file : {"data10.jsonl", "data9.jsonl", "Notes.txt", "c.bin", ".hidden.jsonl"}) {
      QFile out(dir.filePath(file));
      out.open(QIODevice::WriteOnly);
    }
  }
};

TEST_F(FolderModelTest, ShowsFoldersThenFilesThatFit) {
  model.setProperty("patterns", QStringList{"*.jsonl", "*.txt"});
  model.setFolder(dir.path());
  EXPECT_EQ(namesIn(model), (QStringList{"a<img src=x>", "b", "data9.jsonl", "data10.jsonl", "Notes.txt"}));
  model.setProperty("wantsFiles", false);
  EXPECT_EQ(namesIn(model), (QStringList{"a<img src=x>", "b"}));
}

TEST_F(FolderModelTest, GoesUpAndTakesWhatIsTyped) {
  model.setFolder(dir.filePath("b"));
  model.up();
  EXPECT_EQ(model.folder(), dir.path());
  model.setFolder(dir.filePath("data9.jsonl"));  // a file is looked for where it is
  EXPECT_EQ(model.folder(), dir.path());
  model.setFolder(dir.filePath("b/no/such/folder"));
  EXPECT_EQ(model.folder(), dir.filePath("b"));
  model.setFolder("");
  EXPECT_EQ(model.folder(), QDir::homePath());
  model.setFolder("/");
  model.up();
  EXPECT_EQ(model.folder(), "/");
  EXPECT_GE(model.places().size(), 2);
}

}  // namespace
}  // namespace hearth::gui
