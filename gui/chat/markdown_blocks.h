// Markdown cut into what the chat draws, while it is still being written.
//
//   MarkdownReader reader;
//   size_t first = reader.append(piece);   // blocks before `first` are as they were
//   draw(reader.blocks());
//
// The work of append() is in proportion to the piece, not to the answer: whole lines are read once, and only the line
// that is not finished is read again. No block grows without end, either: prose, code and tables are cut after a few
// thousand characters into a block that `continues` the one before, so drawing the last one stays cheap.
//
// CommonMark's blocks (headings, lists, quotes, rules, fences, indented code) and GitHub's tables. HTML is text.
#pragma once

#include <QMetaType>
#include <QString>

#include <memory>
#include <vector>

namespace hearth::gui {

// A paragraph of prose: its inline Markdown, and how it stands on the page.
struct Paragraph {
  enum class Kind { text, heading, item, math };
  Kind kind = Kind::text;
  QString text;
  int level = 0;       // of a heading: 1..6
  int depth = 0;       // of lists around it
  int quotes = 0;      // around it
  QString marker;      // of an item: "•", "3."
  bool joins = false;  // the rest of a paragraph that was cut: no gap above it
  bool operator==(const Paragraph&) const = default;
};

struct MarkdownTable {
  enum class Align { start, centre, end };
  std::vector<Align> columns;
  std::vector<std::vector<QString>> rows;  // inline Markdown; the first is the head
  bool operator==(const MarkdownTable&) const = default;
};

struct MarkdownBlock {
  enum class Kind { prose, code, table, rule };
  Kind kind = Kind::prose;
  bool continues = false;  // the same code, table or text as the block before
  std::vector<Paragraph> paragraphs;
  QString code;      // with the line break that ends it, when the next block continues it
  QString language;  // as written after the fence; may be ""
  MarkdownTable table;
  // Of a table that continues: the one whose columns it shares.
  std::shared_ptr<const MarkdownTable> begun = {};
  bool operator==(const MarkdownBlock&) const = default;
};

class MarkdownReader {
 public:
  static constexpr qsizetype kMaxBlockChars = 4000;  // a block is cut at the first line that ends beyond
  static constexpr qsizetype kMaxLineChars = 2000;   // a line without an end is cut at a blank
  static constexpr size_t kMaxTableRows = 40, kMaxTableColumns = 32;

  // Takes what came next. Returns the first block that is new or not as it was.
  size_t append(const QString& piece);
  const std::vector<MarkdownBlock>& blocks() const { return blocks_; }
  // How much was read in all, lines that were read twice counted twice: for tests of the promise above.
  qint64 charsRead() const { return charsRead_; }

 private:
  struct Fence {
    QChar mark;
    qsizetype length = 0, indent = 0;
    int quotes = 0;  // around it
    QString info;
  };
  // What the next line's meaning depends on.
  struct State {
    Fence fence;                     // open when its length is not 0
    QString mathEnd;                 // of an open formula
    std::vector<qsizetype> indents;  // of the open lists' contents
    int nBlanks = 0;                 // lines since the last one of indented code
    bool wasBlank = true, isIndentedCode = false, isTable = false, isParagraph = false;
    bool isCodeBegun = false;  // the open code has a line
    bool isLineCut = false;    // what comes next belongs to the line before
  };

  void takeLine(QStringView line, bool isWhole);
  void takeText(QStringView line, int quotes, qsizetype indent);
  void beginParagraph(QStringView text, qsizetype indent, int quotes);
  void takeParagraphLine(QStringView line, int quotes, int depth);
  bool takeUnderline(QStringView text);
  bool takeMathLine(QStringView line);
  bool takeFencedLine(QStringView line, bool isWhole);
  bool takeTableHead(QStringView text);
  bool takeTableLine(QStringView line);
  void addParagraph(Paragraph paragraph);
  void addCode(const QString& line, bool isNewLine);
  void begin(MarkdownBlock block) { blocks_.push_back(std::move(block)); }
  Paragraph* openParagraph();
  qsizetype quoteIndent() const { return 3 + (state_.indents.empty() ? 0 : state_.indents.back()); }
  static Fence fenceOf(QStringView line, qsizetype maxIndent);

  std::vector<MarkdownBlock> blocks_;
  State state_;
  qsizetype quoteColumn_ = 0;  // where the quotes of this line begin, in a list
  QString unfinished_;         // the last line, without its end
  // How it was before the unfinished line: `nSaved` blocks, the last of which was this.
  size_t nSaved_ = 0;
  MarkdownBlock savedLast_;
  State savedState_;
  qint64 charsRead_ = 0;
};

// The whole of a finished text.
std::vector<MarkdownBlock> markdownBlocks(const QString& markdown);

using BlockPointer = std::shared_ptr<const MarkdownBlock>;  // how a block travels to its view

}  // namespace hearth::gui

Q_DECLARE_METATYPE(hearth::gui::BlockPointer)
