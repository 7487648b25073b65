// Models on the fake box: deploy, stop, remove, add, and what is said of memory.
#include <gtest/gtest.h>

#include <QRegularExpression>
#include <QTranslator>

#include <algorithm>

#include "gui/client/fake_client.h"
#include "gui/home/home.h"
#include "gui/home/phrases.h"
#include "gui/models/model_library.h"
#include "gui/tests/support.h"

namespace hearth::gui {
namespace {

struct ModelsFixture {
  FakeClient client;
  BoxState box{client};
  ModelLibrary library{box};
  Home home{box};
  ModelsFixture() {
    client.start();
    EXPECT_TRUE(waitFor(
        [&] { return library.models()->rowCount() == 4 && !of("qwen-4b", "fitText").isEmpty() && home.isKnown(); }));
  }
  QString of(const char* model, const char* role) {
    int row = library.models()->indexOf(model);
    return library.models()->data(library.models()->index(row), library.models()->roleNames().key(role)).toString();
  }
};

TEST(Models, SayWhetherTheyFit) {
  ModelsFixture f;
  ASSERT_TRUE(waitFor([&] { return f.of("llama-70b", "fitVerdict") == "too_large"; }));
  EXPECT_EQ(f.of("llama-70b", "canDeploy"), "false");
  EXPECT_EQ(f.of("qwen-4b", "fitVerdict"), "fits");
  EXPECT_TRUE(f.of("qwen-4b", "fitDetail").contains("tokens/s"));
}

// The name for people, in their script; the one for the command line beside it.
TEST(Models, AreCalledAsPeopleCallThem) {
  ModelsFixture f;
  EXPECT_EQ(f.of("qwen-4b", "calledName"), "通义千问 4B");
  EXPECT_EQ(f.of("llama-70b", "calledName"), "llama-70b");
}

// Everywhere: where it runs, and where it is chosen to answer.
TEST(Home, RunningModelsAreCalledSoToo) {
  ModelsFixture f;
  f.library.deploy("qwen-4b");
  auto row = [&] {
    const DeploymentListModel& running = *f.home.deployments();
    for (int r = 0; r < running.rowCount(); ++r)
      if (running.data(running.index(r, 0), running.roleNames().key("model")) == "qwen-4b")
        return running.data(running.index(r, 0), running.roleNames().key("calledName")).toString();
    return QString();
  };
  EXPECT_TRUE(waitFor([&] { return row() == "通义千问 4B"; })) << row().toStdString();
}

// An empty list that nobody has sent yet is no empty box.
TEST(Models, NothingIsSaidOfABoxThatHasNotAnswered) {
  FakeClient client;
  BoxState box(client);
  ModelLibrary library(box);
  Home home(box);
  EXPECT_FALSE(library.isKnown());
  EXPECT_FALSE(home.knowsModels());
  client.start();
  EXPECT_TRUE(waitFor([&] { return library.isKnown() && home.knowsModels(); }));
}

TEST(Models, DeployAndStop) {
  ModelsFixture f;
  f.library.deploy("qwen-4b");
  ASSERT_TRUE(waitFor([&] { return f.of("qwen-4b", "stateText") == "Starting"; }));
  EXPECT_EQ(f.of("qwen-4b", "canRemove"), "false");
  ASSERT_TRUE(waitFor([&] { return f.of("qwen-4b", "stateText") == "Running"; }));
  EXPECT_TRUE(f.home.headline().startsWith("2 models"));
  f.library.undeploy("qwen-4b");
  EXPECT_TRUE(waitFor([&] { return f.of("qwen-4b", "stateText") == "Installed"; }));
}

// Another window, or the terminal, was faster: the model is there all the same.
TEST(Models, StoppingWhatIsNotRunningDoesNotSayThatTheModelIsGone) {
  ModelsFixture f;
  f.client.failNext(error(Code::unavailable, "the service stops"));
  f.library.undeploy("hearth-small");
  EXPECT_TRUE(waitFor([&] { return f.library.problem() == "The service stops"; })) << f.library.problem().toStdString();
  f.library.undeploy("qwen-4b");
  EXPECT_TRUE(waitFor([&] { return f.library.problem() == "qwen-4b is not running any more."; }))
      << f.library.problem().toStdString();
  f.library.remove("nobody");
  EXPECT_TRUE(waitFor([&] { return f.library.problem() == "There is no model named nobody any more"; }));
}

TEST(Models, AreRemovedOnlyWhenStopped) {
  ModelsFixture f;
  f.library.remove("hearth-small");
  ASSERT_TRUE(waitFor([&] { return f.library.problem().contains("stop it first"); }));
  f.library.remove("qwen-4b");
  EXPECT_TRUE(waitFor([&] { return f.library.models()->rowCount() == 3; }));
  EXPECT_TRUE(f.library.removalText("llama-70b").contains("69.8"));
}

TEST(Models, AFolderIsInstalledOrImported) {
  ModelsFixture f;
  f.library.add("file:///data/my-model", "", "");
  ASSERT_TRUE(waitFor([&] { return f.library.models()->indexOf("my-model") >= 0; }));
  f.library.add("/media/HEARTH-2026-11", "", "");  // four packs: to be chosen in Updates
  ASSERT_TRUE(waitFor([&] { return f.library.problem().contains("Updates"); }));
  f.library.add("   ", "", "");
  EXPECT_TRUE(f.library.problem().startsWith("Choose"));
}

// The fake box knows the base of no adapter (a path that ends in "-adapter") by itself.
TEST(Models, AnAdaptersBaseIsChosenWhereItIsNotFound) {
  ModelsFixture f;
  EXPECT_EQ(f.library.baseNames().size(), 4);
  f.library.add("/data/support-adapter", "", "");
  ASSERT_TRUE(waitFor([&] { return f.library.baselessPath() == "/data/support-adapter"; }));
  EXPECT_TRUE(f.library.problem().contains("choose the one it belongs to")) << f.library.problem().toStdString();
  f.library.add(f.library.baselessPath(), "", "qwen-4b");
  EXPECT_EQ(f.library.baselessPath(), "");
  ASSERT_TRUE(waitFor([&] { return f.library.models()->indexOf("support-adapter") >= 0; }));
  EXPECT_EQ(f.of("support-adapter", "parentName"), "qwen-4b");
  EXPECT_FALSE(f.library.baseNames().contains("support-adapter"));  // no adapter of an adapter
}

TEST(Models, AreExported) {
  ModelsFixture f;
  f.library.exportTo("qwen-4b", " ");
  EXPECT_TRUE(f.library.problem().startsWith("Choose"));
  f.library.exportTo("qwen-4b", "file:///media/stick/qwen");
  ASSERT_TRUE(waitFor([&] { return !f.library.success().isEmpty(); }));
  EXPECT_EQ(f.library.success(), "qwen-4b is written to /media/stick/qwen.");
  f.client.setReachable(false);
  f.library.exportTo("qwen-4b", "/media/stick/qwen");
  ASSERT_TRUE(waitFor([&] { return f.library.problem().startsWith("No answer"); }));
  EXPECT_EQ(f.library.success(), QString());
}

TEST(Phrases, ValuesAreWordedAndWhatIsUnknownIsShownAsItCame) {
  EXPECT_EQ(phraseTextOf({"training", {{"step", "1200"}, {"of", "41300"}}}, ""), "training: step 1,200 of 41,300");
  EXPECT_EQ(phraseTextOf({"imported", {{"from", "/data/x"}}}, ""), "imported from /data/x");
  EXPECT_EQ(phraseTextOf({"dancing"}, "a step of tomorrow"), "a step of tomorrow");
  EXPECT_EQ(phraseTextOf({}, "an older service's words"), "an older service's words");
}

TEST(Phrases, FailuresAreWordedByTheirCause) {
  EXPECT_EQ(failureTextOf(Phrase{"diverged", {{"step", "12"}, {"loss", "9.1e+08"}}}, "prose"),
            "Training diverged at step 12: the loss became 9.1e+08; start it again with a lower learning rate");
  EXPECT_EQ(failureTextOf(Phrase{"disk_full_at", {{"path", "/media/stick"}}}, "prose"),
            "The disk that holds /media/stick is full; free some space there and start it again");
  EXPECT_EQ(failureTextOf(Phrase{}, "the service's own words"), "The service's own words");
  EXPECT_EQ(failureTextOf(Phrase{"cause_of_tomorrow"}, "its words"), "Its words");
  EXPECT_EQ(failureTextOf(error(Code::not_found, "no such thing"), "qwen-4b"),
            "There is no model named qwen-4b any more");
  EXPECT_EQ(failureTextOf(error(Code::internal, "broken"), "qwen-4b"), "Broken");
}

TEST(Phrases, ADeathIsWordedByItsCause) {
  api::Job job;
  say(job, {"trainer_died", {{"death", "the trainer killed by signal 9"}}});
  EXPECT_EQ(stepTextOf(job), "the trainer killed by signal 9; starting again from the last checkpoint");
  job.cause = {"worker_crashed", {{"signal", "Segmentation fault"}}};
  EXPECT_EQ(stepTextOf(job),
            "the program that did the work crashed (Segmentation fault); starting again from the last checkpoint");
}

// What does not fit is said in the numbers of its card, not in the service's English.
TEST(Models, AModelThatDoesNotFitIsToldInNumbers) {
  ModelsFixture f;
  ASSERT_TRUE(waitFor([&] { return !f.of("llama-70b", "fitDetail").isEmpty(); }));
  f.client.failNext(
      error(Code::resource_exhausted, "llama-70b needs more; with force (`hearth deploy`) it is started"));
  f.library.deploy("llama-70b");
  ASSERT_TRUE(waitFor([&] { return !f.library.problem().isEmpty(); }));
  EXPECT_TRUE(f.library.problem().startsWith("llama-70b needs more memory than is free"));
  EXPECT_TRUE(f.library.problem().contains(f.of("llama-70b", "fitDetail")));
  EXPECT_FALSE(f.library.problem().contains("force"));
}

TEST(Phrases, EachIsTranslated) {
  QTranslator chinese;
  ASSERT_TRUE(chinese.load(QStringLiteral(":/i18n/hearth_zh_CN.qm")));
  const auto collected = wordsToTranslate();
  ASSERT_EQ(collected.size(), phrases().size());
  for (const PhraseWords& p : phrases()) {
    EXPECT_NE(std::find_if(collected.begin(), collected.end(),
                           [&](const char* w) { return std::string_view(w) == p.english; }),
              collected.end())
        << p.english;
    const QString translated = chinese.translate("Steps", p.english);
    EXPECT_FALSE(translated.isEmpty()) << p.english;
    static const QRegularExpression place(QStringLiteral("\\{\\w+\\}"));
    for (auto places = place.globalMatch(QString::fromUtf8(p.english)); places.hasNext();)
      EXPECT_TRUE(translated.contains(places.next().captured())) << p.english;
  }
}

TEST(Home, SuggestsTheBundledModel) {
  ModelsFixture f;
  EXPECT_EQ(f.home.suggestedModel(), "hearth-small");
  EXPECT_TRUE(f.home.canChat());
  EXPECT_NEAR(f.home.memoryUsed(), 0.239, 0.01);
  f.library.undeploy("hearth-small");
  EXPECT_TRUE(waitFor([&] { return !f.home.canChat(); }));
}

}  // namespace
}  // namespace hearth::gui
