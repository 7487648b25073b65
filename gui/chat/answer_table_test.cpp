// Tables as they are laid out: measured, not looked at.
#include "gui/chat/answer_table.h"

#include <gtest/gtest.h>

#include <QTextBoundaryFinder>
#include <QTextLayout>

#include <numeric>
#include <random>

#include "gui/chat/block_list_model.h"
#include "gui/tests/support.h"

namespace hearth::gui {
namespace {

struct Table : AnswerTable {
  using AnswerTable::updatePolish;
};

// All pieces of the one table that an answer consists of.
struct Laid {
  BlockListModel model;
  std::vector<std::unique_ptr<Table>> pieces;
  double room;

  Laid(const QString& markdown, double roomFor) : room(roomFor) { append(markdown); }
  void append(const QString& markdown) {
    model.append(markdown);
    waitFor([&] { return model.rowCount() == static_cast<int>(model.reader().blocks().size()); });
    for (int row = 0; row < model.rowCount(); ++row) {
      if (row == static_cast<int>(pieces.size())) pieces.push_back(newPiece());
      pieces[static_cast<size_t>(row)]->setBlock(model.data(model.index(row), BlockListModel::BlockRole));
      pieces[static_cast<size_t>(row)]->setShape(
          model.data(model.index(row), BlockListModel::ShapeRole).value<TableShape*>());
    }
    for (int round = 0; round < 2; ++round)  // a later piece may widen an earlier one
      for (auto& piece : pieces) piece->updatePolish();
  }
  std::unique_ptr<Table> newPiece() const {
    auto piece = std::make_unique<Table>();
    QFont font;
    font.setPixelSize(14);
    piece->setProperty("font", font);
    piece->setProperty("monoFamilies", QStringList{"DejaVu Sans Mono"});
    piece->setProperty("room", room);
    return piece;
  }
  double width() const {
    const auto& widths = pieces[0]->columnWidths();
    return std::accumulate(widths.begin(), widths.end(), 0.0);
  }
  int nColumns() const { return static_cast<int>(pieces[0]->columnWidths().size()); }
};

// The first word that is cut in two; "" when none is.
QString brokenWord(const QTextLayout& layout) {
  QTextBoundaryFinder words(QTextBoundaryFinder::Line, layout.text());
  for (int i = 0; i + 1 < layout.lineCount(); ++i) {
    const int end = layout.lineAt(i).textStart() + layout.lineAt(i).textLength();
    words.setPosition(end);
    if (!words.isAtBoundary()) return layout.text().mid(end - 12, 12) + u'|' + layout.text().mid(end, 12);
  }
  return {};
}

QString brokenWord(const Laid& laid) {
  for (const auto& piece : laid.pieces)
    for (int row = 0; row < piece->nRows(); ++row)
      for (int c = 0; c < laid.nColumns(); ++c)
        if (QString word = brokenWord(piece->layoutOf(row, c)); !word.isEmpty()) return word;
  return {};
}

// What a cell shows must lie inside its column.
bool isInsideColumns(const Laid& laid) {
  for (const auto& piece : laid.pieces)
    for (int row = 0; row < piece->nRows(); ++row)
      for (int c = 0; c < laid.nColumns(); ++c)
        for (int i = 0; i < piece->layoutOf(row, c).lineCount(); ++i)
          if (piece->layoutOf(row, c).lineAt(i).naturalTextWidth() > piece->columnWidths()[static_cast<size_t>(c)])
            return false;
  return true;
}

QString tableOf(const std::vector<QStringList>& rows) {
  QString text;
  for (size_t i = 0; i < rows.size(); ++i) {
    text += QStringLiteral("| ") + rows[i].join(QStringLiteral(" | ")) + QStringLiteral(" |\n");
    if (i == 0) text += QStringLiteral("|---").repeated(rows[0].size()) + QStringLiteral("|\n");
  }
  return text;
}

const char* const kProse = "Takes the longest of all and looks at every example several times over, night after night";

TEST(AnswerTable, NoWordIsBrokenWhileThereIsRoomElsewhere) {
  const QStringList words = {
      "Thorough",        "**Thorough**", "***Thoroughly***",      "`learning_rate_warmup`",
      "**`gradients`**", "`WWWWWWWWWW`", "Donaudampfschifffahrt", "[a_link](https://h.example/x)",
      "*ffffffffff*",    "你好世界",     "ก็ไม่รู้เหมือนกัน",           "1,234,567.890"};
  for (const QString& word : words)
    for (double room : {420.0, 560.0, 737.3}) {
      // In the body, and in the head, which is bold throughout.
      for (const auto& rows : {std::vector<QStringList>{{"Preset", "What", "Why"}, {word, kProse, kProse}},
                               std::vector<QStringList>{{kProse, kProse, word}, {"a", "b", "c"}}}) {
        Laid laid(tableOf(rows), room);
        ASSERT_EQ(laid.nColumns(), 3);
        EXPECT_EQ(brokenWord(laid), "") << word.toStdString() << " in " << room;
        EXPECT_LE(laid.width(), room) << word.toStdString();
        EXPECT_TRUE(isInsideColumns(laid));
      }
    }
}

TEST(AnswerTable, AColumnTakesWhatOthersDoNotNeed) {
  Laid narrow(tableOf({{"a", "b"}, {"x", "y"}}), 700);
  EXPECT_LT(narrow.width(), 150);  // no wider than it needs
  Laid wide(tableOf({{"a", kProse}, {"x", kProse}}), 500);
  EXPECT_GT(wide.width(), 440);
  EXPECT_LT(wide.pieces[0]->columnWidths()[0], 60);
}

// Ten columns of words do not fit: the table is as wide as its words, and scrolls.
TEST(AnswerTable, WhatDoesNotFitIsWiderThanTheRoom) {
  QStringList head, cells;
  for (int i = 0; i < 10; ++i)
    head << QStringLiteral("Measurement%1").arg(i), cells << QStringLiteral("**Thoroughness**");
  cells[4] = kProse;
  Laid laid(tableOf({head, cells}), 500);
  EXPECT_GT(laid.width(), 500);
  EXPECT_EQ(brokenWord(laid), "");
  EXPECT_GE(laid.pieces[0]->columnWidths()[4], kEasyColumn);  // prose is not one word a line
}

// A word without an end takes the room and no more; many of them stay below what can be drawn.
TEST(AnswerTable, AWordWithoutAnEndIsBroken) {
  const QString endless = QString("x").repeated(1500);
  Laid one(tableOf({{"a", "b"}, {endless, "y"}}), 500);
  EXPECT_LE(one.pieces[0]->columnWidths()[0], 500);
  EXPECT_NE(brokenWord(one), "");
  EXPECT_TRUE(isInsideColumns(one));
  QStringList head, cells;
  for (int i = 0; i < 32; ++i) head << QString::number(i), cells << endless;
  EXPECT_LE(Laid(tableOf({head, cells}), 900).width(), kMaxTableWidth + 32);
}

TEST(AnswerTable, AllPiecesHaveTheSameColumns) {
  std::vector<QStringList> rows = {{"Number", "Name"}};
  for (int i = 0; i < 100; ++i) rows.push_back({QString::number(i), "a few words about it"});
  rows[90][0] = "**Unquestionably**";
  Laid laid(tableOf(rows), 300);
  ASSERT_EQ(laid.pieces.size(), 3u);
  EXPECT_EQ(brokenWord(laid), "");
  for (const auto& piece : laid.pieces) EXPECT_EQ(piece->columnWidths(), laid.pieces[0]->columnWidths());
}

// Half of a link is long; when it is whole, the column is as narrow as what it shows.
TEST(AnswerTable, ColumnsSettleWhenWordsHaveCome) {
  Laid laid("| a | b |\n|---|---|\n| [x](https://h.example/a_rather_long_address", 600);
  const double before = laid.pieces[0]->columnWidths()[0];
  laid.append("_that_ends) | y |\n");
  EXPECT_GE(laid.pieces[0]->columnWidths()[0], before);
  EXPECT_TRUE(waitFor([&] {
    laid.pieces[0]->updatePolish();
    return laid.pieces[0]->columnWidths()[0] < 60;
  }));
}

// A table that turns out not to be one, and one that comes after it, do not mix.
TEST(AnswerTable, WhatTurnsOutToBeNoTableHasNoShape) {
  BlockListModel model;
  model.append("| a | b |\n|---");
  model.append("x\n\nprose\n\n| c |\n|---|\n| d |\n");
  int nShapes = 0;
  for (int row = 0; row < model.rowCount(); ++row) {
    const bool isTable = model.data(model.index(row), BlockListModel::KindRole) == "table";
    const bool hasShape = model.data(model.index(row), BlockListModel::ShapeRole).value<TableShape*>() != nullptr;
    EXPECT_EQ(isTable, hasShape) << row;
    nShapes += hasShape;
  }
  EXPECT_EQ(nShapes, 1);
}

// Whatever the needs: words fit or the table scrolls, nothing is wider than needed, room is used before words give.
TEST(ColumnWidths, KeepTheirPromises) {
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<ColumnNeed> needs(1 + random() % 12);
    for (ColumnNeed& n : needs) {
      n.word = 22 + random() % 300;
      n.text = n.word + random() % 1500;
    }
    const double room = 200 + random() % 900;
    const std::vector<double> widths = columnWidths(needs, room);
    double words = 0, sum = 0, texts = 0;
    for (size_t c = 0; c < needs.size(); ++c) {
      const double word = std::clamp(needs[c].word, kMinColumn, room);
      words += word, sum += widths[c], texts += std::max(word, std::min(needs[c].text, kMaxTextColumn));
      EXPECT_GE(widths[c], word);
      EXPECT_LE(widths[c], std::max({needs[c].text, kMinColumn}));
    }
    if (words <= room) {
      EXPECT_LE(sum, room);
    }
    if (words <= room) {
      EXPECT_GT(sum, std::min(room, texts) - 1 - static_cast<double>(needs.size()));
    }
  }
}

}  // namespace
}  // namespace hearth::gui
