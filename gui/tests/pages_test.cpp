// Every page in both languages and both themes on the fake box: no warning at run time, no untranslated text, and a
// picture of each. HEARTH_SCREENSHOTS names the folder for the pictures; without it they go to a temporary one.
#include <gtest/gtest.h>

#include <QAccessible>
#include <QDir>
#include <QImage>
#include <QSet>

#include <fstream>

#include "gui/app/desktop.h"
#include "gui/client/fake_client.h"
#include "gui/tests/support.h"
#include "gui/tests/ui_driver.h"

namespace hearth::gui {
namespace {

QStringList* warnings = nullptr;

void collectWarning(QtMsgType type, const QMessageLogContext&, const QString& text) {
  if (type == QtDebugMsg || type == QtInfoMsg) return;
  std::fprintf(stderr, "%s\n", qPrintable(text));
  if (!text.contains(QLatin1String("XDG_RUNTIME_DIR"))) warnings->append(text);
}

// Collects what Qt complains about while it lives.
struct Warnings {
  QStringList list;
  QtMessageHandler old;
  Warnings() {
    warnings = &list;
    old = qInstallMessageHandler(collectWarning);
  }
  ~Warnings() { qInstallMessageHandler(old); }
};

struct Look {
  const char* language;
  const char* theme;
};

class Pages : public testing::TestWithParam<Look> {
 protected:
  void SetUp() override {
    auto client = std::make_unique<FakeClient>(0);
    client_ = client.get();
    desktop_ = std::make_unique<Desktop>(DesktopOptions{.dataDir = pathIn(dir_),
                                                        .settingsFile = dir_.filePath("desktop.ini"),
                                                        .language = GetParam().language,
                                                        .theme = GetParam().theme,
                                                        .page = "home"},
                                         std::move(client));
    QQuickWindow* window = desktop_->show();
    ASSERT_NE(window, nullptr);
    window->resize(1100, 720);  // the screen of the tests is smaller
    ui_ = std::make_unique<UiDriver>(window);
    ASSERT_TRUE(waitFor([&] { return desktop_->home()->isKnown() && !desktop_->chat()->model().isEmpty(); }));
  }
  void TearDown() override {
    EXPECT_EQ(warnings_.list, QStringList());
    ui_.reset();
    desktop_.reset();
  }

  // Draws the window as it is now and keeps the picture.
  void picture(const QString& name) {
    waitFor([] { return false; }, 150);  // transitions of 120 ms
    QImage image = ui_->window()->grabWindow();
    ASSERT_EQ(image.size(), QSize(1100, 720));
    ASSERT_GT(nColours(image), 20) << "an empty page";
    QString folder = qEnvironmentVariable("HEARTH_SCREENSHOTS", dir_.path());
    QString file = QStringLiteral("%1/%2-%3-%4.png").arg(folder, name, GetParam().language, GetParam().theme);
    ASSERT_TRUE(withFewColours(image).save(file, "PNG", 0)) << file.toStdString();
  }

  // The same picture in its 256 most frequent colours, each other one taken to the nearest: a quarter of the size.
  static QImage withFewColours(const QImage& image) {
    QHash<QRgb, int> counts;
    for (int y = 0; y < image.height(); ++y)
      for (int x = 0; x < image.width(); ++x) ++counts[image.pixel(x, y)];
    QList<QRgb> palette = counts.keys();
    std::sort(palette.begin(), palette.end(),
              [&](QRgb a, QRgb b) { return counts[a] != counts[b] ? counts[a] > counts[b] : a < b; });
    palette = palette.mid(0, 256);
    auto distance = [](QRgb a, QRgb b) {
      int r = qRed(a) - qRed(b), g = qGreen(a) - qGreen(b), bl = qBlue(a) - qBlue(b);
      return r * r + g * g + bl * bl;
    };
    QHash<QRgb, int> nearest;
    for (auto it = counts.keyBegin(); it != counts.keyEnd(); ++it)
      nearest[*it] =
          static_cast<int>(std::min_element(palette.begin(), palette.end(),
                                            [&](QRgb a, QRgb b) { return distance(a, *it) < distance(b, *it); }) -
                           palette.begin());
    QImage out(image.size(), QImage::Format_Indexed8);
    out.setColorTable(palette);
    for (int y = 0; y < image.height(); ++y)
      for (int x = 0; x < image.width(); ++x) out.setPixel(x, y, static_cast<uint>(nearest[image.pixel(x, y)]));
    return out;
  }

  static int nColours(const QImage& image) {
    QSet<QRgb> colours;
    for (int y = 0; y < image.height(); y += 3)
      for (int x = 0; x < image.width(); x += 3) colours.insert(image.pixel(x, y));
    return static_cast<int>(colours.size());
  }

  bool isChinese() const { return QLatin1String(GetParam().language) == QLatin1String("zh_CN"); }

  Warnings warnings_;
  QTemporaryDir dir_;
  FakeClient* client_ = nullptr;
  std::unique_ptr<Desktop> desktop_;
  std::unique_ptr<UiDriver> ui_;
};

// A row of work says what it is and how it stands, wherever rows of work are shown.
TEST_P(Pages, RowsOfWorkAreFilled) {
  client_->holdJobs();
  client_->importModel({.path = "/data/writer-2b"}, [](const Result<api::Job>&) {});
  for (const char* page : {"navHome", "navModels"}) {
    ASSERT_TRUE(ui_->click(page));
    ASSERT_TRUE(ui_->waitForText("jobTitle", QStringLiteral("writer-2b"), "job:j1")) << page;
    EXPECT_FALSE(ui_->textOf("jobState", "job:j1").isEmpty()) << page;
    EXPECT_TRUE(ui_->waitForText("jobDetail", QStringLiteral("MiB"), "job:j1")) << page;
    EXPECT_EQ(ui_->textOf("jobDetail", "job:j1").contains(QStringLiteral("copying")), !isChinese()) << page;
  }
  ASSERT_TRUE(ui_->click("navFinetune"));
  ASSERT_TRUE(ui_->waitForText("jobTitle", QStringLiteral("hearth-small"), "job:h1"));
  EXPECT_EQ(ui_->textOf("jobState", "job:h1"), isChinese() ? QStringLiteral("完成") : QStringLiteral("Done"));
  EXPECT_TRUE(ui_->textOf("jobDetail", "job:h1").contains(QStringLiteral("house-rules")));
  EXPECT_TRUE(ui_->textOf("jobDetail", "job:h2")
                  .contains(isChinese() ? QStringLiteral("内存") : QStringLiteral("MiB of memory")));
}

TEST_P(Pages, Home) {
  client_->holdJobs();
  client_->importModel({.path = "/data/writer-2b"}, [](const Result<api::Job>&) {});
  ASSERT_NE(ui_->waitForItem("job:j1"), nullptr);
  ASSERT_TRUE(waitFor([&] { return desktop_->box().job("j1")->progress > 0.4; }));
  picture("home");
  EXPECT_EQ(ui_->textOf("headline").contains(u'模'), isChinese());
}

TEST_P(Pages, HomeWithoutService) {
  client_->setReachable(false);
  ASSERT_NE(ui_->waitForItem("unreachableTitle"), nullptr);
  picture("unreachable");
}

TEST_P(Pages, Chat) {
  ASSERT_TRUE(ui_->click("navChat"));
  const char* questions[][2] = {{"Tell me a short story.", "给我讲一个小故事。"},
                                {"How do I install a model pack from a USB stick?", "怎样从 U 盘安装模型包？"}};
  for (auto& question : questions) {
    desktop_->chat()->startNew();
    ASSERT_TRUE(desktop_->chat()->send(QString::fromUtf8(question[isChinese()])));
    ASSERT_TRUE(waitFor([&] { return !desktop_->chat()->isAnswering(); }));
  }
  picture("chat");
}

// What an answer may hold, with its thoughts unfolded.
TEST_P(Pages, ChatAnswer) {
  ASSERT_TRUE(ui_->click("navChat"));
  client_->setAnswer(
      isChinese()
          ? QStringLiteral(
                "三种预设的区别如下（`rank` 越高，*附加部分*越大）：\n\n"
                "| 预设 | 方法 | 遍数 | 适用 |\n|---|---|--:|---|\n| **快速** | LoRA `r=8` | 1 | 先看看数据是否可用 |\n"
                "| **均衡** | LoRA `r=16` | 3 | 大多数情况 |\n| **彻底** | LoRA `r=32` | 6 | 必须记牢的内容 |\n\n"
                "每一步的参数更新为 $w \\leftarrow w - \\eta \\nabla L$。\n\n"
                "- 五十个好示例就可以开始；\n- 两百个会明显改变回答方式。\n\n"
                "> 十分之一的数据会留出来，用于衡量结果。\n\n另见[手册](https://hearth.example/handbook)。")
          : QStringLiteral("The presets differ in how much they change (a higher `rank` makes a larger *add-on*):\n\n"
                           "| Preset | Method | Passes | What for |\n|---|---|--:|---|\n"
                           "| **Quick** | LoRA `r=8` | 1 | whether the data work at all |\n"
                           "| **Balanced** | LoRA `r=16` | 3 | most work |\n"
                           "| **Thorough** | LoRA `r=32` | 6 | what must really stick |\n\n"
                           "Each step changes a weight by $w \\leftarrow w - \\eta \\nabla L$.\n\n"
                           "- Fifty good examples are a start;\n- two hundred change a model's manner clearly.\n\n"
                           "> A tenth of the data is held out to measure the result.\n\n"
                           "See also the [handbook](https://hearth.example/handbook)."),
      isChinese() ? QStringLiteral("用户想知道预设的区别。用表格比较最清楚。")
                  : QStringLiteral("They want to know how the presets differ. A table compares them best."));
  ASSERT_TRUE(desktop_->chat()->send(isChinese() ? QStringLiteral("三种预设有什么区别？")
                                                 : QStringLiteral("How do the presets differ?")));
  ASSERT_TRUE(waitFor([&] { return !desktop_->chat()->isAnswering(); }));
  ASSERT_TRUE(ui_->click("thoughtTitle"));
  ui_->key(Qt::Key_Tab);
  picture("chat-answer");
}

TEST_P(Pages, FileChooser) {
  ASSERT_TRUE(ui_->click("navUpdates"));
  QTemporaryDir folder(QDir::tempPath() + QStringLiteral("/stick-XXXXXX"));
  for (const char* name : {"mistral-7b", "story-1b", "coder-3b"}) QDir(folder.path()).mkdir(QLatin1String(name));
  ASSERT_TRUE(ui_->type("scanPathText", folder.path()));
  ASSERT_TRUE(ui_->click("scanPathBrowse"));
  ASSERT_TRUE(ui_->click("entry:mistral-7b"));
  EXPECT_FALSE(ui_->textOf("scanPathChooserFolder").isEmpty());
}

TEST_P(Pages, ChatWelcome) {
  ASSERT_TRUE(ui_->click("navChat"));
  picture("chat-welcome");
}

TEST_P(Pages, Models) {
  ASSERT_TRUE(ui_->click("navModels"));
  ASSERT_TRUE(waitFor([&] { return ui_->find("deploy", "model:qwen-4b") != nullptr; }));
  picture("models");
  ASSERT_TRUE(ui_->click("addModel"));
  ASSERT_NE(ui_->waitForItem("addBase"), nullptr);
  picture("models-add");
  ASSERT_TRUE(ui_->click("addDialogCancel"));
  ASSERT_TRUE(ui_->click("removeButton", "model:qwen-4b"));
  ASSERT_NE(ui_->waitForItem("removeModelAccept"), nullptr);
  picture("models-remove");
  ASSERT_TRUE(ui_->click("removeModelCancel"));
  ASSERT_TRUE(ui_->click("exportButton", "model:qwen-4b"));
  ASSERT_NE(ui_->waitForItem("exportPathText"), nullptr);
  picture("models-export");
}

TEST_P(Pages, FineTune) {
  QTemporaryDir data;
  std::ofstream file(pathIn(data, "front-desk.jsonl"));
  const char* days[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
  for (int i = 0; i < 40; ++i)
    file << fmt::format(R"({{"messages":[{{"role":"user","content":"When is the pool open on {0}, week {1}?"}},)"
                        R"({{"role":"assistant","content":"On {0} the pool is open from 9 to 17."}}]}})",
                        days[i % 7], 1 + i / 8)
         << '\n';
  file.close();
  std::ofstream(pathIn(data, "broken.jsonl")) << "{\"messages\": [{\"role\": \"user\"}]}\nnot json\n";

  ASSERT_TRUE(ui_->click("navFinetune"));
  picture("finetune");
  ASSERT_TRUE(ui_->click("wizardBegin"));
  ASSERT_TRUE(ui_->click("baseModel:hearth-small"));
  picture("finetune-model");
  ASSERT_TRUE(ui_->click("wizardNext"));
  desktop_->fineTune()->addData(QString::fromStdString(pathIn(data, "broken.jsonl").string()));
  ASSERT_NE(ui_->waitForItem("problemPlace"), nullptr);
  picture("finetune-problems");
  desktop_->fineTune()->addData(QString::fromStdString(pathIn(data, "front-desk.jsonl").string()));
  ASSERT_TRUE(
      waitFor([&] { return desktop_->fineTune()->canGoOn() && desktop_->fineTune()->preview()->rowCount() > 0; }));
  picture("finetune-data");
  ASSERT_TRUE(ui_->click("wizardNext"));
  ASSERT_TRUE(waitFor([&] { return desktop_->fineTune()->hasEstimate(); }));
  picture("finetune-preset");
  client_->setOverlong(3);
  desktop_->fineTune()->setPreset(QStringLiteral("quick"));
  ASSERT_TRUE(ui_->click("overlong:truncate"));
  ASSERT_TRUE(ui_->click("overlong:refuse"));
  EXPECT_TRUE(ui_->waitForText("overlongRefusal", QStringLiteral("line 3")));
  picture("finetune-long");
  ASSERT_TRUE(ui_->click("overlong:truncate"));
  ASSERT_TRUE(waitFor([&] { return desktop_->fineTune()->canGoOn(); }));
  ASSERT_TRUE(ui_->click("wizardNext"));
  ASSERT_TRUE(waitFor([&] {
    return desktop_->fineTune()->samples()->rowCount() > 0 && desktop_->fineTune()->curve()->train().size() == 60;
  }));
  picture("finetune-result");
}

TEST_P(Pages, Updates) {
  ASSERT_TRUE(ui_->click("navUpdates"));
  ASSERT_NE(ui_->waitForItem("install", "pack:mistral-7b"), nullptr);
  picture("updates");
}

TEST_P(Pages, Settings) {
  ASSERT_TRUE(ui_->click("navSettings"));
  picture("settings");
}

// Long texts and windows of any size: no layout runs in circles (Qt would warn, and a warning fails the test).
TEST_P(Pages, EverySizeOfWindowIsLaidOut) {
  api::Box box = fakeBox();
  box.gpus.clear();
  box.cpu_model = "Some Processor With A Very Long Name, Second Edition, With Graphics That Are Not Used Here";
  box.hostname = "a-box-with-a-very-long-name.in-a-long-domain.example";
  client_->setBox(box);
  client_->setReachable(false);
  ASSERT_NE(ui_->waitForItem("unreachableTitle"), nullptr);
  client_->setReachable(true);
  ASSERT_TRUE(waitFor([&] { return desktop_->home()->hostname().startsWith(QStringLiteral("a-box")); }));
  for (QSize size : {QSize(880, 560), QSize(967, 611), QSize(1500, 900)}) {
    ui_->window()->resize(size);
    for (const char* page : {"navHome", "navChat", "navModels", "navFinetune", "navUpdates", "navSettings"}) {
      ASSERT_TRUE(ui_->click(page));
      EXPECT_EQ(ui_->window()->grabWindow().size(), size);
    }
  }
}

// Everything a person can use has a name for a screen reader, on every page.
TEST_P(Pages, ControlsHaveNames) {
  for (const char* page : {"navHome", "navChat", "navModels", "navFinetune", "navUpdates", "navSettings"}) {
    ASSERT_TRUE(ui_->click(page));
    QList<QQuickItem*> items = {ui_->window()->contentItem()};
    while (!items.isEmpty()) {
      QQuickItem* item = items.takeLast();
      if (!item->isVisible()) continue;
      items += item->childItems();
      if (!item->inherits("QQuickAbstractButton") && !item->inherits("QQuickTextField") &&
          !item->inherits("QQuickTextArea") && !item->inherits("QQuickComboBox"))
        continue;
      QAccessibleInterface* accessible = QAccessible::queryAccessibleInterface(item);
      ASSERT_NE(accessible, nullptr);
      EXPECT_FALSE(accessible->text(QAccessible::Name).isEmpty())
          << page << ": " << item->metaObject()->className() << " " << item->objectName().toStdString();
    }
  }
}

// Every control can be reached by the Tab key alone: going round visits more than a handful and comes back.
TEST_P(Pages, TabGoesRound) {
  ui_->window()->requestActivate();
  for (const char* page : {"navHome", "navModels", "navFinetune", "navUpdates", "navSettings", "navChat"}) {
    ASSERT_TRUE(ui_->click(page));
    QSet<QQuickItem*> visited;
    bool cameBack = false;
    for (int i = 0; i < 80 && !cameBack; ++i) {
      ui_->key(Qt::Key_Tab);
      QQuickItem* item = ui_->window()->activeFocusItem();
      ASSERT_NE(item, nullptr) << page;
      cameBack = visited.contains(item);
      visited.insert(item);
    }
    EXPECT_TRUE(cameBack) << page;
    EXPECT_GE(visited.size(), 7) << page;
  }
}

TEST_P(Pages, LanguageAndThemeChangeAtOnce) {
  ASSERT_TRUE(ui_->click("navSettings"));
  ASSERT_TRUE(ui_->click("languageChoice:zh_CN"));
  EXPECT_TRUE(ui_->waitForText("navHome", QStringLiteral("主页")));
  ASSERT_TRUE(ui_->click("languageChoice:en"));
  EXPECT_TRUE(ui_->waitForText("navHome", QStringLiteral("Home")));
  ASSERT_TRUE(ui_->click("themeChoice:dark"));
  EXPECT_TRUE(waitFor([&] { return ui_->window()->color().lightnessF() < 0.3; }));
  ASSERT_TRUE(ui_->click("themeChoice:light"));
  EXPECT_TRUE(waitFor([&] { return ui_->window()->color().lightnessF() > 0.7; }));
}

INSTANTIATE_TEST_SUITE_P(Looks, Pages,
                         testing::Values(Look{"en", "light"}, Look{"en", "dark"}, Look{"zh_CN", "light"},
                                         Look{"zh_CN", "dark"}),
                         [](const auto& info) { return std::string(info.param.language) + "_" + info.param.theme; });

}  // namespace
}  // namespace hearth::gui
