// The four things that people do, through the real window: chat, deploy, fine-tune, update from a stick. The same steps
// run on the fake box and, where the build knows the programs, against a real hearthd with a real engine and trainer.
#include <gtest/gtest.h>

#include <fstream>

#include "gui/app/desktop.h"
#include "gui/client/fake_client.h"
#include "gui/tests/rig.h"
#include "gui/tests/support.h"
#include "gui/tests/ui_driver.h"

namespace hearth::gui {
namespace {

constexpr int kMinuteMs = 60'000;

class UserFlow : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    rig_ = makeRig(GetParam());
    ASSERT_NE(rig_, nullptr) << "cannot prepare the " << GetParam() << " box";
    desktop_ = std::make_unique<Desktop>(DesktopOptions{.stateDir = rig_->stateDir(),
                                                        .dataDir = pathIn(dir_),
                                                        .settingsFile = dir_.filePath("desktop.ini"),
                                                        .language = "en",
                                                        .theme = "light",
                                                        .page = "home"},
                                         rig_->client());
    QQuickWindow* window = desktop_->show();
    ASSERT_NE(window, nullptr);
    ui_ = std::make_unique<UiDriver>(window);
    window->requestActivate();
    ASSERT_TRUE(waitFor([&] { return desktop_->home()->isKnown(); }, kMinuteMs))
        << desktop_->connection()->problem().toStdString();
  }
  void TearDown() override {
    if (HasFailure() && ui_)
      ui_->window()->grabWindow().save(QStringLiteral("user_flow_failed_%1.png").arg(GetParam()));
    if (HasFailure() && rig_) rig_->explain();
    ui_.reset();
    desktop_.reset();
    rig_.reset();
  }

  QString card() const { return QStringLiteral("model:") + rig_->chatModel(); }

  bool waitForState(const char* state, const QString& card, int timeoutMs) {
    bool isSo = ui_->waitForText("modelState", QLatin1String(state), card, timeoutMs);
    if (!isSo)
      std::fprintf(stderr, "%s is: %s %s\n", qPrintable(card), qPrintable(ui_->textOf("modelState", card)),
                   qPrintable(desktop_->library()->problem()));
    return isSo;
  }

  // Models page. The model that comes with the box runs by itself: stopped, then started by hand.
  void deploy() {
    ASSERT_TRUE(ui_->click("navModels"));
    ASSERT_NE(ui_->waitForItem(card(), {}, kMinuteMs), nullptr);
    ASSERT_TRUE(waitForState("Running", card(), 2 * kMinuteMs));
    ASSERT_TRUE(ui_->click("undeploy", card()));
    ASSERT_TRUE(waitForState("Installed", card(), kMinuteMs));
    ASSERT_TRUE(ui_->click("deploy", card()));
    ASSERT_TRUE(waitForState("Running", card(), 2 * kMinuteMs));
  }

  // Chat page: asks and waits for an answer that ended well.
  void ask(const QString& question) {
    int before = desktop_->chat()->messages()->rowCount();
    ASSERT_TRUE(ui_->type("messageInput", question));
    EXPECT_EQ(ui_->textOf("messageInput"), question);
    ASSERT_TRUE(ui_->click("sendButton"));
    ASSERT_TRUE(waitFor(
        [&] { return desktop_->chat()->messages()->rowCount() == before + 2 && !desktop_->chat()->isAnswering(); },
        3 * kMinuteMs));
    const ChatMessage& answer = desktop_->chat()->messages()->at(before + 1);
    EXPECT_EQ(answer.error, QString());
    EXPECT_FALSE(answer.text.trimmed().isEmpty());
    std::printf("  %s\n  > %s\n", qPrintable(question), qPrintable(answer.text.simplified()));
  }

  std::unique_ptr<Rig> rig_;
  QTemporaryDir dir_;
  std::unique_ptr<Desktop> desktop_;
  std::unique_ptr<UiDriver> ui_;
};

TEST_P(UserFlow, DeployThenChat) {
  deploy();
  ASSERT_FALSE(HasFatalFailure());
  ASSERT_TRUE(ui_->click("chatWith", card()));
  ask("How do I install a model pack from a USB stick?");
  ASSERT_FALSE(HasFatalFailure());

  // Answered again, then asked differently; the conversation is in the list and on disk.
  ASSERT_TRUE(ui_->click("regenerate"));
  ASSERT_TRUE(waitFor([&] { return !desktop_->chat()->isAnswering(); }, 3 * kMinuteMs));
  ASSERT_TRUE(ui_->click("editMessage"));
  ASSERT_NE(ui_->waitForItem("editText"), nullptr);
  ui_->key(Qt::Key_A, Qt::ControlModifier);
  ASSERT_TRUE(ui_->write("What is Hearth?"));
  ASSERT_TRUE(ui_->click("resend"));
  ASSERT_TRUE(waitFor([&] { return !desktop_->chat()->isAnswering(); }, 3 * kMinuteMs));
  ASSERT_EQ(desktop_->chat()->messages()->rowCount(), 2);
  EXPECT_EQ(desktop_->chat()->messages()->at(0).text, "What is Hearth?");
  EXPECT_EQ(desktop_->chat()->messages()->at(1).error, QString());
  EXPECT_EQ(desktop_->chat()->conversations()->rowCount(), 1);
  ASSERT_FALSE(ChatLog::list(pathIn(dir_, "chats")).empty());
  Conversation kept = *ChatLog::read(pathIn(dir_, "chats"), ChatLog::list(pathIn(dir_, "chats")).front().id);
  ASSERT_EQ(kept.messages.size(), 2u);
  EXPECT_EQ(kept.messages[1].text, desktop_->chat()->messages()->at(1).text);

  // And stopped again on the Models page.
  ASSERT_TRUE(ui_->click("navModels"));
  ASSERT_TRUE(ui_->click("undeploy", card()));
  EXPECT_TRUE(waitForState("Installed", card(), kMinuteMs));
}

TEST_P(UserFlow, FineTuneThenChatWithTheResult) {
  QString file = QString::fromStdString(pathIn(dir_, "front-desk.jsonl").string());
  std::ofstream(file.toStdString()) << rig_->trainingData();
  ASSERT_TRUE(ui_->click("navFinetune"));
  ASSERT_TRUE(ui_->click("wizardBegin"));
  ASSERT_TRUE(ui_->click("baseModel:" + rig_->chatModel(), {}, kMinuteMs));
  ASSERT_TRUE(ui_->click("wizardNext"));
  ASSERT_TRUE(ui_->type("dataPathText", file));
  ASSERT_TRUE(ui_->click("dataAdd"));
  ASSERT_TRUE(ui_->click("wizardNext", {}, kMinuteMs)) << desktop_->fineTune()->problem().toStdString();
  ASSERT_TRUE(ui_->click("preset:quick"));
  ASSERT_TRUE(ui_->waitForText("estimateTime", "About", {}, kMinuteMs))
      << desktop_->fineTune()->problem().toStdString();
  ASSERT_TRUE(ui_->type("resultName", "front-desk"));
  ASSERT_TRUE(ui_->click("wizardNext", {}, kMinuteMs));

  ASSERT_TRUE(ui_->waitForText("resultText", "front-desk", {}, 10 * kMinuteMs))
      << desktop_->fineTune()->problem().toStdString() << desktop_->fineTune()->jobDetail().toStdString();
  EXPECT_NE(ui_->waitForItem("lossCurve"), nullptr);
  EXPECT_FALSE(desktop_->fineTune()->curve()->isEmpty());
  std::printf("  %s\n", qPrintable(desktop_->fineTune()->evalText()));
  // It is in the list of trainings, with its texts, and opens from there.
  ASSERT_TRUE(ui_->click("toOverview"));
  QString row = QStringLiteral("job:") + desktop_->fineTune()->jobId();
  EXPECT_TRUE(ui_->waitForText("jobTitle", rig_->chatModel(), row));
  EXPECT_EQ(ui_->textOf("jobState", row), "Done");
  ASSERT_TRUE(ui_->click("jobAction", row));
  ASSERT_TRUE(ui_->click("deployResult"));
  ASSERT_TRUE(waitFor([&] { return ui_->find("messageInput") != nullptr; }, 2 * kMinuteMs))
      << desktop_->fineTune()->problem().toStdString();
  EXPECT_EQ(desktop_->chat()->model(), "front-desk");
  ask("When is the pool open on Sundays?");
}

// The offline desktop shows what a real box offers.
TEST_P(UserFlow, PresetsAreTheServicesOwn) {
  std::optional<std::vector<api::TrainPreset>> answer;
  desktop_->client().presets(
      [&](Result<std::vector<api::TrainPreset>> presets) { answer = std::move(presets).value_or({}); });
  ASSERT_TRUE(waitFor([&] { return answer.has_value(); }));
  std::vector<api::TrainPreset> expected = fakePresets();
  ASSERT_EQ(answer->size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(dump_json(to_json_value((*answer)[i])), dump_json(to_json_value(expected[i])));
}

TEST_P(UserFlow, InstallFromAStick) {
  ASSERT_TRUE(ui_->click("navUpdates"));
  if (!rig_->stickIsPluggedIn()) {
    ASSERT_TRUE(ui_->type("scanPathText", rig_->stickPath()));
    ASSERT_TRUE(ui_->click("scanButton"));
  }
  QString pack = QStringLiteral("pack:") + rig_->stickPack();
  ASSERT_NE(ui_->waitForItem(pack, {}, kMinuteMs), nullptr) << desktop_->updates()->problem().toStdString();
  EXPECT_TRUE(ui_->waitForText("packStatus", "Trusted", pack));
  ASSERT_TRUE(ui_->click("install", pack));
  ASSERT_TRUE(waitFor([&] { return desktop_->updates()->success().contains(rig_->stickPack()); }, 2 * kMinuteMs))
      << desktop_->updates()->problem().toStdString();
  ASSERT_TRUE(ui_->click("updatesSuccessAction"));  // "Start it"
  ASSERT_NE(ui_->waitForItem("model:" + rig_->stickPack()), nullptr);
  EXPECT_TRUE(waitForState("Running", "model:" + rig_->stickPack(), 2 * kMinuteMs));
}

TEST_P(UserFlow, ADamagedPackIsRefusedAndSaysWhatToDo) {
  ASSERT_TRUE(ui_->click("navUpdates"));
  if (!rig_->stickIsPluggedIn()) {
    ASSERT_TRUE(ui_->type("scanPathText", rig_->damagedStickPath()));
    ASSERT_TRUE(ui_->click("scanButton"));
  }
  QString pack = QStringLiteral("pack:") + rig_->damagedPack();
  ASSERT_NE(ui_->waitForItem(pack, {}, kMinuteMs), nullptr) << desktop_->updates()->problem().toStdString();
  ASSERT_TRUE(
      waitFor([&] { return !desktop_->chat()->model().isEmpty(); }, kMinuteMs));  // the bundled model is installed
  size_t nModels = desktop_->box().models().size();
  // What a look at the signatures shows is told at once; a flipped bit in the weights is found when they are copied.
  if (ui_->waitForText("packStatus", "Damaged", pack, 2'000)) {
    EXPECT_FALSE(ui_->textOf("packProblem", pack).isEmpty());
    EXPECT_EQ(ui_->find("install", pack), nullptr);
  } else {
    ASSERT_TRUE(ui_->click("install", pack));
    ASSERT_TRUE(waitFor([&] { return !desktop_->updates()->problem().isEmpty(); }, kMinuteMs));
    std::printf("  %s\n", qPrintable(desktop_->updates()->problem()));
    EXPECT_TRUE(ui_->find("updatesProblem"));
  }
  EXPECT_EQ(desktop_->updates()->success(), QString());
  EXPECT_EQ(desktop_->box().models().size(), nModels);
}

INSTANTIATE_TEST_SUITE_P(Boxes, UserFlow, testing::ValuesIn(rigNames()),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace hearth::gui
