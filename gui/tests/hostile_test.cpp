// What a model (a pack, a file's name, the service) says is text: nothing is fetched, read or run for it, whatever it
// spells. The real window shows hostile answers while its network and the system's opener are watched, and every text
// element there is, in the sources and in the window, is a plain-text one.
#include <gtest/gtest.h>

#include <QDirIterator>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QQmlNetworkAccessManagerFactory>
#include <QQuickTextDocument>
#include <QRegularExpression>
#include <QTextBlock>
#include <QTextDocument>
#include <QtTest/QTest>

#include "gui/app/desktop.h"
#include "gui/chat/answer_table.h"
#include "gui/client/fake_client.h"
#include "gui/tests/link_recorder.h"
#include "gui/tests/support.h"
#include "gui/tests/ui_driver.h"

namespace hearth::gui {
namespace {

class WatchedManager : public QNetworkAccessManager {
 public:
  WatchedManager(QStringList& asked, QObject* parent) : QNetworkAccessManager(parent), asked_(asked) {}

 protected:
  QNetworkReply* createRequest(Operation operation, const QNetworkRequest& request, QIODevice* data) override {
    asked_.append(request.url().toString());
    return QNetworkAccessManager::createRequest(operation, request, data);
  }

 private:
  QStringList& asked_;
};

struct WatchedNetwork : QQmlNetworkAccessManagerFactory {
  QStringList asked;
  QNetworkAccessManager* create(QObject* parent) override { return new WatchedManager(asked, parent); }
};

const char* const kHostile[] = {
    "![x](http://127.0.0.1:9/leak?secret=42)",
    "![x](file:///etc/passwd)",
    "![x](qrc:/qt/qml/Hearth/app/Main.qml)",
    "![x](data:image/png;base64,iVBORw0KGgo=)",
    "![x](smb://h/share)",
    "![x](//127.0.0.1:9/leak)",
    "![x][ref]",
    "[ref]: http://127.0.0.1:9/leak",
    "[![x](http://127.0.0.1:9/leak)](http://127.0.0.1:9/)",
    "<img src=\"http://127.0.0.1:9/leak\">",
    "<img src='file:///etc/passwd'/>",
    "<IMG SRC=http://127.0.0.1:9/leak>",
    "<link rel=\"stylesheet\" href=\"http://127.0.0.1:9/x.css\">",
    "<style>@import url(http://127.0.0.1:9/x.css); body{background:url(http://127.0.0.1:9/y)}</style>",
    "<body background=\"http://127.0.0.1:9/leak\">",
    "<table background=\"http://127.0.0.1:9/leak\"><tr><td>x</td></tr></table>",
    "<p style=\"background-image:url(http://127.0.0.1:9/leak)\">x</p>",
    "<a href=\"javascript:alert(1)\">x</a>",
    "<iframe src=\"http://127.0.0.1:9/\"></iframe>",
    "<script>fetch('http://127.0.0.1:9/')</script>",
    "<object data=http://127.0.0.1:9/>",
    "&lt;img src=http://127.0.0.1:9/leak&gt;",
    "<b>bold</b> text<br>",
    "| ![x](http://127.0.0.1:9/t) | <img src=http://127.0.0.1:9/t> |\n|---|---|\n| ![x](http://127.0.0.1:9/t) | x |",
    "> ![x](http://127.0.0.1:9/q)\n\n- ![x](http://127.0.0.1:9/l)",
    "# ![x](http://127.0.0.1:9/h)",
    "```html\n<img src=http://127.0.0.1:9/c>\n```",
    "```<img src=http://127.0.0.1:9/lang>\nx\n```",
    "[x](file:///etc/passwd) [y](javascript:alert(1)) <file:///etc/passwd> file:///etc/passwd"};

QString allHostile() {
  QStringList all;
  for (const char* text : kHostile) all.append(QString::fromUtf8(text));
  return all.join(QStringLiteral("\n\n"));
}
const char* const kHostileName = "<img src='http://127.0.0.1:9/name'><a href='file:///etc/passwd'>n</a>";

class Hostile : public testing::Test {
 protected:
  void SetUp() override {
    auto client = std::make_unique<FakeClient>(0);
    client_ = client.get();
    desktop_ = std::make_unique<Desktop>(DesktopOptions{.dataDir = pathIn(dir_),
                                                        .settingsFile = dir_.filePath("desktop.ini"),
                                                        .language = "en",
                                                        .theme = "light",
                                                        .page = "home"},
                                         std::move(client));
    desktop_->setNetwork(&network_);
    QQuickWindow* window = desktop_->show();
    ASSERT_NE(window, nullptr);
    ui_ = std::make_unique<UiDriver>(window);
    ASSERT_TRUE(waitFor([&] { return desktop_->home()->isKnown() && !desktop_->chat()->model().isEmpty(); }));
  }
  void TearDown() override {
    EXPECT_EQ(network_.asked, QStringList());
    EXPECT_EQ(links_.urls(), QStringList());
    ui_.reset();
    desktop_.reset();
  }

  QList<QQuickItem*> items() const {
    QList<QQuickItem*> all = {ui_->window()->contentItem()};
    for (qsizetype i = 0; i < all.size(); ++i) all += all[i]->childItems();
    return all;
  }

  // Every text element of the window is a plain one, no element shows a picture, no document holds one.
  void everythingIsPlain(const char* where) {
    for (QQuickItem* item : items()) {
      const bool isText = item->inherits("QQuickText"), isEdit = item->inherits("QQuickTextEdit");
      EXPECT_FALSE(item->inherits("QQuickImageBase")) << where << item->metaObject()->className();
      // The style makes one for every field; ours have no text in it.
      const bool isEmptyHint = item->inherits("QQuickPlaceholderText") && item->property("text").toString().isEmpty();
      if ((isText || isEdit) && !isEmptyHint)
        EXPECT_EQ(item->property("textFormat").toInt(), int(Qt::PlainText))
            << where << ": " << item->metaObject()->className() << " \""
            << item->property("text").toString().left(60).toStdString() << '"';
      if (auto* document = isEdit ? item->property("textDocument").value<QQuickTextDocument*>() : nullptr)
        for (QTextBlock block = document->textDocument()->begin(); block.isValid(); block = block.next())
          for (auto it = block.begin(); !it.atEnd(); ++it) {
            EXPECT_FALSE(it.fragment().charFormat().isImageFormat()) << where;
            const QString href = it.fragment().charFormat().anchorHref();
            EXPECT_TRUE(href.isEmpty() || href.startsWith("http")) << where << href.toStdString();
          }
    }
  }

  void answerWith(const QString& text, const QString& thought = {}) {
    client_->setAnswer(text, thought, 7);
    desktop_->chat()->startNew();
    ASSERT_TRUE(desktop_->chat()->send(QString::fromUtf8(kHostileName)));
    ASSERT_TRUE(waitFor([&] { return !desktop_->chat()->isAnswering(); }));
    ui_->window()->grabWindow();
    waitFor([] { return false; }, 60);
  }

  QTemporaryDir dir_;
  LinkRecorder links_;
  WatchedNetwork network_;
  FakeClient* client_ = nullptr;
  std::unique_ptr<Desktop> desktop_;
  std::unique_ptr<UiDriver> ui_;
};

TEST_F(Hostile, AnswersFetchNothing) {
  ASSERT_TRUE(ui_->click("navChat"));
  for (const char* text : kHostile) {
    answerWith(QString::fromUtf8(text));
    everythingIsPlain(text);
  }
  answerWith(allHostile(), allHostile());
  ASSERT_TRUE(ui_->click("thoughtTitle"));
  ui_->window()->grabWindow();
  everythingIsPlain("everything, thought and said");
  desktop_->chat()->rename(desktop_->chat()->conversationId(), QString::fromUtf8(kHostileName));
  ui_->window()->grabWindow();
  everythingIsPlain("as a title");
}

// Names come from packs, files and other people; they stand in cards, dialogs, notices, hints and headings.
TEST_F(Hostile, NamesFetchNothing) {
  api::PackSource stick = fakeStick();
  stick.path = stick.label = kHostileName;
  for (api::PackInfo& pack : stick.packs)
    pack.name = pack.version = pack.description = pack.license = pack.problem = kHostileName;
  client_->plugIn(stick);
  api::Box box = fakeBox();
  box.hostname = box.cpu_model = box.version = kHostileName;
  box.gpus = {kHostileName};
  client_->setBox(box);
  std::vector<api::Model> models = fakeModels();
  models[1].name = models[1].description = models[1].license = models[1].source = kHostileName;
  client_->setModels(models);
  client_->setSamples({{.prompt = kHostileName,
                        .before = allHostile().toStdString(),
                        .after = allHostile().toStdString(),
                        .expected = kHostileName}});
  client_->setReachable(false);
  client_->setReachable(true);
  ASSERT_TRUE(waitFor([&] { return desktop_->home()->hostname() == kHostileName; }));
  QFile data(dir_.filePath("<b>data<b>.jsonl"));
  ASSERT_TRUE(data.open(QIODevice::WriteOnly));
  const QByteArray image = "![x](http://127.0.0.1:9/d)<img src='http://127.0.0.1:9/d'>";
  const QByteArray turns = "{'role':'user','content':'" + image + "'},{'role':'assistant','content':'" + image + "'}";
  data.write(QByteArray("{'messages':[" + turns + "]}\n")
                 .replace('\'', '"')
                 .replace("src=\"http://127.0.0.1:9/d\"", "src=http://127.0.0.1:9/d"));
  data.write("{\"<img src=http://127.0.0.1:9/k>\":1}\n");
  data.close();
  desktop_->fineTune()->addData(data.fileName());
  for (const char* page : {"navHome", "navModels", "navUpdates", "navFinetune", "navSettings", "navChat"}) {
    ASSERT_TRUE(ui_->click(page));
    waitFor([] { return false; }, 60);
    ui_->window()->grabWindow();
    everythingIsPlain(page);
  }
  ASSERT_TRUE(ui_->click("navFinetune"));
  ASSERT_TRUE(ui_->click("wizardBegin"));
  everythingIsPlain("the models of the wizard");
  ASSERT_TRUE(ui_->click("baseModel:hearth-small"));
  ASSERT_TRUE(ui_->click("wizardNext"));
  everythingIsPlain("the data of the wizard");
  desktop_->fineTune()->openJob("h1");
  ASSERT_TRUE(waitFor([&] { return desktop_->fineTune()->samples()->rowCount() > 0; }));
  ui_->window()->grabWindow();
  everythingIsPlain("before and after");
  ASSERT_TRUE(ui_->click("navModels"));
  for (const char* button : {"removeButton", "exportButton"}) {
    ASSERT_TRUE(ui_->click(button, QStringLiteral("model:") + kHostileName));
    waitFor([] { return false; }, 60);
    ui_->window()->grabWindow();
    everythingIsPlain(button);
    ui_->key(Qt::Key_Escape);
  }
  client_->failNext(error(Code::internal, "{}", kHostileName));
  desktop_->library()->undeploy("hearth-small");
  ASSERT_TRUE(waitFor([&] { return !desktop_->library()->problem().isEmpty(); }));
  ui_->window()->grabWindow();
  everythingIsPlain("an error");
}

// A click on a link asks first, with the whole address; Cancel opens nothing, Open opens that one.
TEST_F(Hostile, ALinkAsksBeforeItOpens) {
  ASSERT_TRUE(ui_->click("navChat"));
  answerWith(QStringLiteral("[click](https://аpple.example/?q=1)"));
  QQuickItem* text = ui_->waitForItem("answerText");
  ASSERT_NE(text, nullptr);
  auto clickText = [&] {
    QTest::mouseClick(ui_->window(), Qt::LeftButton, {}, text->mapToScene(QPointF(12, 10)).toPoint());
  };
  clickText();
  ASSERT_NE(ui_->waitForItem("openLinkAccept"), nullptr);
  EXPECT_EQ(ui_->textOf("linkDestination"), "xn--pple-43d.example");
  EXPECT_EQ(ui_->textOf("linkUrl"), "https://xn--pple-43d.example/?q=1");
  everythingIsPlain("the link's dialog");
  ASSERT_TRUE(ui_->click("openLinkCancel"));
  EXPECT_EQ(links_.urls(), QStringList());
  ASSERT_TRUE(waitFor([&] { return ui_->find("openLinkAccept") == nullptr; }));
  clickText();
  ASSERT_TRUE(ui_->click("openLinkAccept"));
  EXPECT_EQ(links_.urls().size(), 1);
  links_.forget();
  // In a table too.
  answerWith(QStringLiteral("| a |\n|---|\n| [click](https://host.example/) |"));
  QQuickItem* table = ui_->waitForItem("answerTable");
  ASSERT_NE(table, nullptr);
  QTest::mouseClick(ui_->window(), Qt::LeftButton, {},
                    table->mapToScene(QPointF(20, table->height() * 0.75)).toPoint());
  EXPECT_TRUE(waitFor([&] { return ui_->textOf("linkUrl") == QLatin1String("https://host.example/"); }));
}

// The engine itself has no way out, whatever asks it.
TEST(NoNetworkTest, RefusesEverything) {
  NoNetwork factory;
  std::unique_ptr<QNetworkAccessManager> manager(factory.create(nullptr));
  for (const char* url : {"http://127.0.0.1:9/x", "https://127.0.0.1:9/x", "file:///etc/passwd", "ftp://127.0.0.1/x",
                          "data:text/plain,x"}) {
    QNetworkReply* reply = manager->get(QNetworkRequest(QUrl(QLatin1String(url))));
    QSignalSpy finished(reply, &QNetworkReply::finished);
    ASSERT_TRUE(waitFor([&] { return finished.size() == 1; })) << url;
    EXPECT_EQ(reply->error(), QNetworkReply::ContentAccessDenied) << url;
    EXPECT_TRUE(reply->readAll().isEmpty()) << url;
    reply->deleteLater();
  }
}

// Text elements whose format Qt would guess, pictures, and calls that leave the program are in no source at all.
TEST(Sources, HoldNothingThatReadsTextAsMoreThanText) {
  const QRegularExpression never(QStringLiteral(
      R"(RichText|StyledText|MarkdownText|AutoText|openUrlExternally|XMLHttpRequest|createQmlObject|\beval\(|placeholderText|ToolTip\.|\b(Image|AnimatedImage|BorderImage|AnimatedSprite|MediaPlayer|WebView|WebEngineView|Label|FontLoader)\s*\{|QtQuick\.Dialogs|https?://(?!192\.168))"));
  const QRegularExpression element(QStringLiteral(R"(^\s*(?:[\w.]+:\s*)?(Text|TextEdit|TextArea|ToolTip)\s*\{)"));
  int nFiles = 0, nElements = 0;
  for (QDirIterator it(QStringLiteral(":/qt/qml/Hearth"), {"*.qml"}, QDir::Files, QDirIterator::Subdirectories);
       it.hasNext();) {
    QFile file(it.next());
    ASSERT_TRUE(file.open(QIODevice::ReadOnly));
    const QStringList lines = QString::fromUtf8(file.readAll()).split(u'\n');
    ++nFiles;
    for (qsizetype i = 0; i < lines.size(); ++i) {
      const QString code = lines[i].section(QStringLiteral("// "), 0, 0);
      EXPECT_FALSE(never.match(code).hasMatch()) << file.fileName().toStdString() << ':' << i + 1 << code.toStdString();
      auto match = element.match(code);
      if (!match.hasMatch()) continue;
      ++nElements;
      const QString what = match.captured(1), name = QFileInfo(file).fileName();
      if (what == QLatin1String("ToolTip")) {
        EXPECT_EQ(name, "AppToolTip.qml");
        continue;
      }
      if (what == QLatin1String("Text")) {
        EXPECT_EQ(name, "AppText.qml");
      }
      bool isPlain = false;
      for (qsizetype k = i + 1; k < std::min(lines.size(), i + 16); ++k)
        isPlain =
            isPlain || lines[k].contains("textFormat: " + (what == "Text" ? what : QString("TextEdit")) + ".PlainText");
      EXPECT_TRUE(isPlain) << file.fileName().toStdString() << ':' << i + 1;
    }
  }
  EXPECT_GT(nFiles, 50);
  EXPECT_GE(nElements, 6);
}

}  // namespace
}  // namespace hearth::gui
