// Number formatting, and the list model's smallest changes.
#include <gtest/gtest.h>

#include <QAbstractItemModelTester>
#include <QSignalSpy>

#include <random>

#include "gui/components/format.h"
#include "gui/components/row_list_model.h"

namespace hearth::gui {
namespace {

TEST(Format, Bytes) {
  EXPECT_EQ(bytesText(999), "999 bytes");
  EXPECT_EQ(bytesText(9'400'000), u"9.0\u00a0MiB");
  EXPECT_EQ(bytesText(1'073'700'000), u"1.0\u00a0GiB");
  EXPECT_EQ(bytesText(74'900'000'000), u"69.8\u00a0GiB");
  EXPECT_EQ(bytesText(512'000'000'000), u"477\u00a0GiB");
}

TEST(Format, Durations) {
  EXPECT_EQ(durationText(0), "0 s");
  EXPECT_EQ(durationText(59.4), "59 s");
  EXPECT_EQ(durationText(154), "3 min");
  EXPECT_EQ(durationText(7800), "2 h 10 min");
  EXPECT_EQ(durationText(7200), "2 h");
  EXPECT_EQ(durationText(-1), "unknown");
  EXPECT_EQ(durationText(std::nan("")), "unknown");
}

TEST(Format, Counts) {
  EXPECT_EQ(parametersText(4'700'000), "4.7 M parameters");
  EXPECT_EQ(parametersText(1'240'000'000), "1.2 B parameters");
  EXPECT_EQ(parametersText(1234), "1,234 parameters");
}

TEST(Format, ErrorsBeginLikeSentences) {
  EXPECT_EQ(textOf(error(Code::not_found, "no model named m")), "No model named m");
}

struct Row {
  QString key;
  int value = 0;
  bool operator==(const Row&) const = default;
};

class Rows : public RowListModel<Row> {
 public:
  Rows() : RowListModel<Row>({{"value", [](const Row& r) { return QVariant(r.value); }}}, nullptr) {}
};

TEST(RowListModel, OneChangedRowIsOneChange) {
  Rows rows;
  rows.setRows({{"a", 1}, {"b", 2}, {"c", 3}});
  QSignalSpy changed(&rows, &Rows::dataChanged), reset(&rows, &Rows::modelReset), inserted(&rows, &Rows::rowsInserted);
  rows.setRows({{"a", 1}, {"b", 9}, {"c", 3}});
  EXPECT_EQ(changed.size(), 1);
  EXPECT_EQ(reset.size() + inserted.size(), 0);
  EXPECT_EQ(rows.data(rows.index(1), Qt::UserRole).toInt(), 9);
}

// Thousands of rows come, go and come back as one change each, in a time that no one sees.
TEST(RowListModel, ManyRowsAreOneChange) {
  Rows rows;
  std::vector<Row> all, every;
  for (int i = 0; i < 20'000; ++i) all.push_back({QString::number(i), i});
  QSignalSpy inserted(&rows, &Rows::rowsInserted), removed(&rows, &Rows::rowsRemoved), moved(&rows, &Rows::rowsMoved);
  rows.setRows(all);
  EXPECT_EQ(inserted.size(), 1);
  rows.setRows({all.begin() + 9'000, all.begin() + 9'010});
  EXPECT_EQ(removed.size(), 2);
  rows.setRows(all);
  EXPECT_EQ(inserted.size(), 3);
  std::rotate(all.begin(), all.begin() + 15'000, all.begin() + 15'001);  // one was touched and is the newest now
  rows.setRows(all);
  EXPECT_EQ(moved.size(), 1);
  EXPECT_EQ(rows.rows(), all);
}

TEST(RowListModel, AKeyThatIsThereTwiceDoesNoHarm) {
  Rows rows;
  rows.setRows({{"a", 1}, {"a", 2}, {"b", 3}});
  EXPECT_LE(rows.rowCount(), 3);
  rows.setRows({{"b", 1}, {"a", 2}});
  EXPECT_EQ(rows.rowCount(), 2);
}

TEST(RowListModel, AnyListBecomesAnyOther) {
  Rows rows;
  QAbstractItemModelTester tester(&rows, QAbstractItemModelTester::FailureReportingMode::Fatal);
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<Row> wanted;
    for (int i = 0; i < 8; ++i)
      if (random() % 2) wanted.push_back({QString::number(i), static_cast<int>(random() % 3)});
    std::shuffle(wanted.begin(), wanted.end(), random);
    rows.setRows(wanted);
    ASSERT_EQ(rows.rows(), wanted);
  }
}

}  // namespace
}  // namespace hearth::gui
