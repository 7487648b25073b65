// Markdown blocks: what is cut how, that pieces give what the whole gives, and that no piece costs more than itself.
#include "gui/chat/markdown_blocks.h"

#include <gtest/gtest.h>

#include <QStringList>

#include <random>

namespace hearth::gui {
namespace {

using Kind = MarkdownBlock::Kind;

// One line a block: its kind's letter and its texts.
std::string told(const QString& markdown) {
  QString out;
  for (const MarkdownBlock& block : markdownBlocks(markdown)) {
    if (!out.isEmpty()) out += u'\n';
    if (block.continues) out += u'+';
    if (block.kind == Kind::code) out += QStringLiteral("code %1: %2").arg(block.language, block.code);
    if (block.kind == Kind::rule) out += QStringLiteral("rule");
    if (block.kind == Kind::prose) out += QStringLiteral("prose");
    for (const Paragraph& p : block.paragraphs) {
      out += QStringLiteral(" (");
      if (p.kind == Paragraph::Kind::heading) out += QStringLiteral("h%1 ").arg(p.level);
      if (p.kind == Paragraph::Kind::math) out += QStringLiteral("math ");
      if (p.quotes > 0) out += QStringLiteral("> ");
      if (p.depth > 0) out += QStringLiteral("%1%2 ").arg(p.marker).arg(p.depth);
      out += p.text + u')';
    }
    if (block.kind == Kind::table) out += QStringLiteral("table");
    for (const auto& row : block.table.rows)
      out += QStringLiteral(" (%1)").arg(QStringList(row.begin(), row.end()).join(u'|'));
  }
  return out.toStdString();
}

TEST(MarkdownBlocks, CutsCodeOutOfProse) {
  EXPECT_EQ(told("Before\n\n```python title\nprint(1)\n\nprint(2)\n```\nAfter"),
            "prose (Before)\ncode python: print(1)\n\nprint(2)\nprose (After)");
  EXPECT_EQ(told("```sh\nls\nec"), "code sh: ls\nec");  // open: code to the end
  EXPECT_EQ(told("````\n```\nx\n```\n````"), "code : ```\nx\n```");
  EXPECT_EQ(told("1. do\n   ~~~\n   a\n     b\n   ~~~\n2. go"), "prose (1.1 do)\ncode : a\n  b\nprose (2.1 go)");
  EXPECT_EQ(told("> ```\n> x\n> ```"), "code : x");
  EXPECT_EQ(told("```x``` is inline"), "prose (```x``` is inline)");
  EXPECT_EQ(told("a\n\n    b\n\n    c\n\nd"), "prose (a)\ncode : b\n\nc\nprose (d)");
  EXPECT_EQ(told(""), "");
}

TEST(MarkdownBlocks, ProseStandsInParagraphs) {
  EXPECT_EQ(told("# One\ntext\nmore\n\nnext\n***\n## Two ##\nThree\n==="),
            "prose (h1 One) (text\nmore) (next)\nrule\nprose (h2 Two) (h1 Three)");
  EXPECT_EQ(told("- a\n- b\n  goes on\n  1. c\n  2. d\n* e\n\ntext"),
            "prose (•1 a) (•1 b\ngoes on) (1.2 c) (2.2 d) (•1 e) (text)");
  EXPECT_EQ(told("- [ ] open\n- [x] done"), "prose (☐1 open) (☑1 done)");
  EXPECT_EQ(told("> a\n> b\n\nc"), "prose (> a\nb) (c)");
  EXPECT_EQ(told("in\n1986. It was\n#hash\n- item"), "prose (in\n1986. It was\n#hash) (•1 item)");
}

TEST(MarkdownBlocks, QuotesStandInLists) {
  EXPECT_EQ(told("- > a\n  > b\n- c"), "prose (> •1 a\nb) (•1 c)");
  EXPECT_EQ(told("1. do\n\n   > note\n\n2. go"), "prose (1.1 do) (> 1 note) (2.1 go)");
  EXPECT_EQ(told("- a\n  - b\n\n    > note"), "prose (•1 a) (◦2 b) (> 2 note)");
  EXPECT_EQ(told("- a\n\n  > ```\n  > x\n  >   y\n  > ```\n- b"), "prose (•1 a)\ncode : x\n  y\nprose (•1 b)");
  EXPECT_EQ(told("> - a\n>   b\n> - c"), "prose (> •1 a\nb) (> •1 c)");
  EXPECT_EQ(told("- a\n\n> b"), "prose (•1 a) (> b)");
  EXPECT_EQ(told("> - ```\n>   x\n>   ```"), "prose (> •1 )\ncode : x");
  EXPECT_EQ(told("- a\n\n  > - b\n  >   - c"), "prose (•1 a) (> ◦2 b) (> ▪3 c)");
}

TEST(MarkdownBlocks, FormulasAreWhole) {
  EXPECT_EQ(told("$$\na_1 * b\n- c\n$$\nafter"), "prose (math $$\na_1 * b\n- c\n$$) (after)");
  EXPECT_EQ(told("\\[\n# x\n\\]"), "prose (math \\[\n# x\n\\])");
  EXPECT_EQ(told("\\begin{align}\na &= b \\\\\n\\end{align}"),
            "prose (math \\begin{align}\na &= b \\\\\n\\end{align})");
  EXPECT_EQ(told("$$x$$ is good"), "prose ($$x$$ is good)");
}

TEST(MarkdownBlocks, Tables) {
  EXPECT_EQ(told("before\n| a | b |\n|:--|--:|\n| 1 | `x\\|y` |\n| 2 |\n\nafter"),
            "prose (before)\ntable (a|b) (1|`x|y`) (2|)\nprose (after)");
  EXPECT_EQ(told("a | b\n--|--\n1 | 2<br>3"), "table (a|b) (1|2\n3)");
  EXPECT_EQ(told("a | b\n---\nc"), "prose (h2 a | b) (c)");
  EXPECT_EQ(told("| a |\n| b | c |"), "prose (| a |\n| b | c |)");
}

TEST(MarkdownBlocks, HtmlIsText) {
  EXPECT_EQ(told("a <b>bold</b>\n<img src=x>"), "prose (a <b>bold</b>\n<img src=x>)");
}

QString sample() {
  QString text =
      QStringLiteral("# Title\n\nSome **prose** with `code`\nand a line.\n\n- one\n- two\n  - three\n\n> quoted\n\n");
  text += QStringLiteral("| a | b | c |\n|---|:-:|--:|\n");
  for (int i = 0; i < 130; ++i) text += QStringLiteral("| row %1 | some words here | **%1** |\n").arg(i);
  text += QStringLiteral("\n```cpp\n");
  for (int i = 0; i < 700; ++i) text += QStringLiteral("int x%1 = %1;\n").arg(i);
  text += QStringLiteral("```\n\n$$\n\\frac{a}{b}\n$$\n\n") + QStringLiteral("word ").repeated(6000) +
          QStringLiteral("\n\nlast line");
  return text;
}

TEST(MarkdownBlocks, PiecesGiveWhatTheWholeGives) {
  const QString text = sample();
  const std::vector<MarkdownBlock> whole = markdownBlocks(text);
  std::mt19937 random(7);
  for (int round = 0; round < 5; ++round) {
    MarkdownReader reader;
    std::vector<MarkdownBlock> seen;
    for (qsizetype at = 0; at < text.size();) {
      const qsizetype n = 1 + static_cast<qsizetype>(random() % (round < 3 ? 9 : 3000));
      const size_t first = reader.append(text.mid(at, n));
      at += n;
      // What is said to be unchanged is.
      ASSERT_LE(first, seen.size());
      for (size_t i = 0; i < first; ++i) ASSERT_EQ(seen[i].paragraphs, reader.blocks()[i].paragraphs);
      seen = reader.blocks();
    }
    ASSERT_EQ(reader.blocks().size(), whole.size());
    for (size_t i = 0; i < whole.size(); ++i) {
      EXPECT_EQ(reader.blocks()[i].kind, whole[i].kind) << i;
      EXPECT_EQ(reader.blocks()[i].paragraphs, whole[i].paragraphs) << i;
      EXPECT_EQ(reader.blocks()[i].code, whole[i].code) << i;
      EXPECT_EQ(reader.blocks()[i].table, whole[i].table) << i;
    }
  }
}

TEST(MarkdownBlocks, NothingIsLostWhereItIsCut) {
  QString code, prose;
  size_t nRows = 0;
  for (const MarkdownBlock& block : markdownBlocks(sample())) {
    code += block.kind == Kind::code ? block.code : QString();
    for (const Paragraph& p : block.paragraphs) prose += p.text;
    nRows += block.table.rows.size();
    // No block is large, so that drawing the last one again is cheap.
    EXPECT_LE(block.code.size(), MarkdownReader::kMaxBlockChars + 100);
    EXPECT_LE(block.table.rows.size(), MarkdownReader::kMaxTableRows);
  }
  EXPECT_TRUE(code.startsWith(QLatin1String("int x0 = 0;\nint x1 = 1;\n")) &&
              code.endsWith(QLatin1String("int x699 = 699;")));
  EXPECT_EQ(code.count(u'\n'), 699);
  EXPECT_EQ(prose.count(QLatin1String("word")), 6000);
  EXPECT_EQ(nRows, 131u);
}

// The promise of the reader: a piece costs what it is long, and the unfinished line, however long the answer has
// become.
TEST(MarkdownBlocks, APieceCostsTheSameAtTheEndOfALongAnswer) {
  for (const char* unit :
       {"| some | cells | of a table |\n", "word ", "- item\n", "int x = 1;\n", "a line of prose\n\n", "x"}) {
    MarkdownReader reader;
    QString text = QString::fromUtf8(unit);
    if (text.startsWith(u'|')) reader.append("| a | b | c |\n|---|---|---|\n");
    if (text.startsWith(QLatin1String("int"))) reader.append("```\n");
    for (int i = 0; i < 20'000; ++i) {
      const qint64 before = reader.charsRead();
      reader.append(text);
      ASSERT_LE(reader.charsRead() - before, 2 * MarkdownReader::kMaxLineChars) << unit << i;
    }
  }
}

}  // namespace
}  // namespace hearth::gui
