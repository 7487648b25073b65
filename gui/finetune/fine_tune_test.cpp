// The wizard on the fake box: from a model to a deployed result, and every way it says no.
#include "gui/finetune/fine_tune.h"

#include <gtest/gtest.h>

#include <QSignalSpy>

#include <cmath>
#include <fstream>

#include "gui/client/fake_client.h"
#include "gui/tests/support.h"

namespace hearth::gui {
namespace {

struct FineTuneFixture {
  QTemporaryDir dir;
  FakeClient client;
  BoxState box{client};
  FineTune fineTune{box};
  FineTuneFixture() {
    client.start();
    EXPECT_TRUE(waitFor([&] { return fineTune.models()->rowCount() == 4 && fineTune.presets()->rowCount() == 3; }));
  }
  QString fileWith(const char* text) {
    std::ofstream(pathIn(dir, "data.jsonl")) << text;
    return QString::fromStdString(pathIn(dir, "data.jsonl").string());
  }
  void toPreset() {
    fineTune.begin();
    fineTune.setModel("hearth-small");
    fineTune.next();
    fineTune.addData(fileWith(R"({"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]})"));
    ASSERT_TRUE(waitFor([&] { return fineTune.canGoOn(); }));
    fineTune.next();
    ASSERT_TRUE(waitFor([&] { return fineTune.hasEstimate(); }));
  }
};

TEST(FineTune, SaysWhatIsTrainedOnAndRemovesData) {
  FineTuneFixture f;
  f.toPreset();
  EXPECT_TRUE(f.fineTune.estimateSplit().startsWith("1 of 1 examples, 20 answer tokens; none held out"))
      << f.fineTune.estimateSplit().toStdString();
  EXPECT_EQ(f.fineTune.estimateLengths(), "Half have at most 40 tokens, the longest 120; a row holds 512.");
  EXPECT_TRUE(f.fineTune.estimateLeavesOut());  // nothing will be measured
  f.fineTune.back();
  f.fineTune.removeData(f.fineTune.dataset());
  ASSERT_TRUE(waitFor([&] { return f.fineTune.dataset().isEmpty() && f.fineTune.datasets()->rowCount() == 0; }));
  EXPECT_FALSE(f.fineTune.canGoOn());
}

// Fourteen examples; `nOverlong` of them do not fit.
struct OverlongFixture : FineTuneFixture {
  explicit OverlongFixture(int nOverlong) {
    client.setOverlong(nOverlong);
    std::string rows;
    for (int i = 0; i < 14; ++i)
      rows += R"({"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]})"
              "\n";
    fineTune.begin();
    fineTune.setModel("hearth-small");
    fineTune.next();
    fineTune.addData(fileWith(rows.c_str()));
    EXPECT_TRUE(waitFor([&] { return fineTune.canGoOn(); }));
    fineTune.next();
    EXPECT_TRUE(waitFor([&] { return fineTune.hasEstimate(); }));
  }
  bool choose(const char* overlong) {
    fineTune.setOverlong(overlong);
    return waitFor([&] { return fineTune.hasEstimate(); });
  }
};

TEST(FineTune, WhereAllExamplesFitThereIsNothingToChoose) {
  OverlongFixture f(0);
  EXPECT_FALSE(f.fineTune.mayChooseOverlong());
  EXPECT_EQ(f.fineTune.overlongCount(), "No example is longer than a row of 512 tokens.");
}

TEST(FineTune, WhatHappensToLongExamplesIsChosenAndCounted) {
  OverlongFixture f(3);
  ASSERT_TRUE(f.fineTune.mayChooseOverlong());
  EXPECT_EQ(f.fineTune.overlong(), "drop");
  EXPECT_EQ(f.fineTune.overlongCount(), "3 of 14 examples are longer than a row of 512 tokens.");
  EXPECT_TRUE(f.fineTune.estimateLengths().contains("3 are longer and left out"));
  EXPECT_TRUE(f.fineTune.canGoOn());
  ASSERT_TRUE(f.choose("truncate"));
  EXPECT_TRUE(f.fineTune.estimateLengths().contains("3 are longer and lose their beginning"));
  EXPECT_EQ(f.fineTune.overlongCount(), "3 of 14 examples are longer than a row of 512 tokens.");
  f.fineTune.next();
  ASSERT_TRUE(waitFor([&] { return f.fineTune.step() == FineTune::Watch; }));
  EXPECT_EQ(f.client.trainRequests()[0].overrides.at("data.overlong"), "truncate");
}

TEST(FineTune, RefusingLongExamplesNamesThemAndStartsNothing) {
  OverlongFixture f(3);
  ASSERT_TRUE(f.choose("refuse"));
  EXPECT_FALSE(f.fineTune.canGoOn());
  EXPECT_EQ(f.fineTune.overlongCount(), "3 of 14 examples are longer than a row of 512 tokens.");
  EXPECT_TRUE(f.fineTune.overlongRefusal().startsWith("Training cannot be started"));
  EXPECT_TRUE(f.fineTune.estimateLengths().endsWith("3 are longer."));  // and not "left out"
  EXPECT_TRUE(waitFor([&] { return f.fineTune.overlongRefusal().contains("line 3"); }));
  f.fineTune.next();
  EXPECT_EQ(f.fineTune.step(), FineTune::ChoosePreset);
  ASSERT_TRUE(f.choose("drop"));
  EXPECT_TRUE(f.fineTune.canGoOn());
  EXPECT_EQ(f.fineTune.overlongRefusal(), "");
  f.fineTune.setOverlong("refuse");
  f.fineTune.begin();  // a new wizard begins as the presets are
  EXPECT_EQ(f.fineTune.overlong(), "drop");
}

// Refused where nothing is too long is as good as anything else; the service is told all the same.
TEST(FineTune, RefusingWhereAllFitsStarts) {
  OverlongFixture f(0);
  ASSERT_TRUE(f.choose("refuse"));
  EXPECT_TRUE(f.fineTune.mayChooseOverlong());
  ASSERT_TRUE(f.fineTune.canGoOn());
  f.fineTune.next();
  ASSERT_TRUE(waitFor([&] { return f.fineTune.step() == FineTune::Watch; }));
  EXPECT_EQ(f.client.trainRequests()[0].overrides.at("data.overlong"), "refuse");
}

// All examples too long: there is no estimate at all, and the way out is in sight.
TEST(FineTune, WithoutAnEstimateLongExamplesCanStillBeChosen) {
  OverlongFixture f(0);
  f.client.failNext(error(Code::invalid_argument, "all 14 examples are longer than a row"));
  f.fineTune.setPreset("quick");
  ASSERT_TRUE(waitFor([&] { return !f.fineTune.problem().isEmpty(); }));
  EXPECT_TRUE(f.fineTune.mayChooseOverlong());
}

TEST(FineTune, GoesFromModelToChat) {
  FineTuneFixture f;
  f.toPreset();
  EXPECT_EQ(f.fineTune.estimateTime(), "About 3 min");
  EXPECT_TRUE(f.fineTune.estimateFits());
  f.fineTune.setPreset("quick");
  f.fineTune.setResultName("mine");
  ASSERT_TRUE(waitFor([&] { return f.fineTune.canGoOn(); }));
  f.fineTune.next();
  ASSERT_TRUE(waitFor([&] { return f.fineTune.step() == FineTune::Watch; }));
  EXPECT_EQ(f.client.trainRequests()[0].preset, "quick");
  ASSERT_TRUE(waitFor([&] { return f.fineTune.jobState() == "done" && f.fineTune.samples()->rowCount() == 2; }));
  ASSERT_TRUE(waitFor([&] { return f.fineTune.curve()->train().size() == 60; }));
  EXPECT_LT(f.fineTune.curve()->trainSmooth().last().y(), f.fineTune.curve()->trainSmooth().first().y());
  EXPECT_TRUE(f.fineTune.evalText().contains("44 % better")) << f.fineTune.evalText().toStdString();
  EXPECT_EQ(f.fineTune.resultModel(), "mine");
  QSignalSpy ready(&f.fineTune, &FineTune::resultReady);
  f.fineTune.deployResult();
  EXPECT_TRUE(f.fineTune.resultIsStarting());
  ASSERT_TRUE(waitFor([&] { return ready.size() == 1; }));
  EXPECT_EQ(ready[0][0].toString(), "mine");
}

TEST(FineTune, BadLinesAreNamedAndStopTheWizard) {
  FineTuneFixture f;
  f.fineTune.begin();
  f.fineTune.setModel("hearth-small");
  f.fineTune.next();
  f.fineTune.addData(f.fileWith("{\"messages\":[]}\n{\"messages\":[{\"role\":\"user\"}]}\n"));
  ASSERT_TRUE(waitFor([&] { return f.fineTune.problems()->rowCount() == 1; }));
  const auto* problems = f.fineTune.problems();
  EXPECT_EQ(problems->data(problems->index(0), problems->roleNames().key("place")).toString(),
            "Line 2, field messages");
  EXPECT_FALSE(f.fineTune.canGoOn());
}

TEST(FineTune, AMissingFileIsSaid) {
  FineTuneFixture f;
  f.fineTune.addData("/no/such/file.jsonl");
  EXPECT_TRUE(f.fineTune.problem().contains("/no/such/file.jsonl"));
}

TEST(FineTune, WhatDoesNotFitCannotBeStarted) {
  FineTuneFixture f;
  f.toPreset();
  f.fineTune.back();
  f.fineTune.back();
  f.fineTune.setModel("llama-70b");
  f.fineTune.next();
  f.fineTune.next();
  ASSERT_TRUE(waitFor([&] { return f.fineTune.hasEstimate(); }));
  EXPECT_FALSE(f.fineTune.estimateFits());
  EXPECT_FALSE(f.fineTune.canGoOn());
}

TEST(FineTune, WithoutAnEstimateTrainingCanBeStartedWhereThatIsSaid) {
  FineTuneFixture f;
  f.toPreset();
  f.client.failNext(error(Code::deadline_exceeded, "no estimate within 90 s; training can be started without one"));
  f.fineTune.setPreset("quick");
  ASSERT_TRUE(waitFor([&] { return !f.fineTune.problem().isEmpty(); }));
  EXPECT_FALSE(f.fineTune.hasEstimate());
  EXPECT_TRUE(f.fineTune.canGoOn());
  EXPECT_TRUE(f.fineTune.estimateMissing().contains("can be started"));
  f.client.failNext(error(Code::failed_precondition, "no estimate: the trainer failed"));
  f.fineTune.setPreset("thorough");
  ASSERT_TRUE(waitFor([&] { return f.fineTune.problem().contains("failed"); }));
  EXPECT_FALSE(f.fineTune.canGoOn());
  EXPECT_TRUE(f.fineTune.estimateMissing().contains("could not"));
}

TEST(FineTune, ACancelledTrainingStaysInTheList) {
  FineTuneFixture f;
  f.toPreset();
  f.fineTune.next();
  ASSERT_TRUE(waitFor([&] { return f.fineTune.jobState() == "running"; }));
  f.fineTune.cancelJob();
  ASSERT_TRUE(waitFor([&] { return f.fineTune.jobState() == "cancelled"; }));
  f.fineTune.back();
  EXPECT_EQ(f.fineTune.step(), FineTune::Overview);
  EXPECT_EQ(f.fineTune.jobs()->rowCount(), static_cast<int>(fakeHistory().size()) + 1);
}

TEST(FineTune, AnUploadCanBeStopped) {
  FineTuneFixture f;
  f.fineTune.addData(f.fileWith(R"({"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]})"));
  EXPECT_TRUE(f.fineTune.isUploading());
  f.fineTune.cancelUpload();
  EXPECT_FALSE(f.fineTune.isUploading());
  EXPECT_EQ(f.fineTune.problem(), "");
  waitFor([] { return false; }, 50);
  EXPECT_EQ(f.fineTune.datasets()->rowCount(), 0);
}

TEST(FineTune, AnUploadTellsHowFarItIs) {
  FineTuneFixture f;
  QSignalSpy progressed(&f.fineTune, &FineTune::uploadProgressChanged);
  f.fineTune.addData(f.fileWith(R"({"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]})"));
  ASSERT_TRUE(waitFor([&] { return !f.fineTune.isUploading(); }));
  EXPECT_GE(progressed.size(), 1);
  EXPECT_NEAR(f.fineTune.uploadProgress(), 0.5, 0.1);
}

TEST(FineTune, ADatasetCanBeRemoved) {
  FineTuneFixture f;
  f.fineTune.addData(f.fileWith(R"({"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]})"));
  ASSERT_TRUE(waitFor([&] { return f.fineTune.datasets()->rowCount() == 1 && f.fineTune.preview()->rowCount() > 0; }));
  f.fineTune.removeData(f.fineTune.dataset());
  ASSERT_TRUE(waitFor([&] { return f.fineTune.datasets()->rowCount() == 0; }));
  EXPECT_EQ(f.fineTune.dataset(), "");
  EXPECT_EQ(f.fineTune.preview()->rowCount(), 0);
}

// A straight fall is drawn where it is, at its end too; an average of the past would lie above it.
TEST(LossCurve, TheTrendDoesNotLag) {
  LossCurve curve;
  std::vector<api::MetricPoint> points;
  for (int step = 1; step <= 200; ++step)
    points.push_back({.step = step, .loss = 5 - 0.02 * step + (step % 2 ? 0.2 : -0.2)});
  curve.setPoints(points, std::nullopt);
  for (const QPointF& p : curve.trainSmooth())
    EXPECT_NEAR(p.y(), 5 - 0.02 * p.x(), p.x() < 10 || p.x() > 190 ? 0.12 : 0.02) << p.x();
  // Half-way down a step it is half-way down.
  points.clear();
  for (int step = 1; step <= 200; ++step) points.push_back({.step = step, .loss = step <= 100 ? 4.0 : 2.0});
  curve.setPoints(points, std::nullopt);
  EXPECT_NEAR(curve.trainSmooth()[99].y() + curve.trainSmooth()[100].y(), 6, 0.05);
}

TEST(LossCurve, ManyPointsAreThinnedAndOddOnesLeftOut) {
  LossCurve curve;
  std::vector<api::MetricPoint> points;
  for (int step = 1; step <= 100'000; ++step)
    points.push_back({.step = step, .loss = step % 1000 == 1 ? std::nan("") : 2.0});
  curve.setPoints(points, std::nullopt);
  EXPECT_LE(curve.train().size(), 1300);
  EXPECT_EQ(curve.train().last().x(), 100'000);
  for (const QPointF& p : curve.trainSmooth()) EXPECT_DOUBLE_EQ(p.y(), 2);
}

TEST(LossCurve, SmoothsAndKeepsTheEvaluations) {
  LossCurve curve;
  EXPECT_TRUE(curve.isEmpty());
  curve.setPoints({{.step = 1, .loss = 4}, {.step = 2, .loss = 2, .eval_loss = 2.5}}, 4.5);
  EXPECT_GE(curve.trainSmooth()[0].y(), curve.trainSmooth()[1].y());
  ASSERT_EQ(curve.eval().size(), 2);
  EXPECT_EQ(curve.eval()[0], QPointF(0, 4.5));
}

}  // namespace
}  // namespace hearth::gui
