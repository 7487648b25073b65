// The reader: a line is asked in turn what it is: code in a fence, a formula's middle, a table's row, a paragraph that
// goes on, the beginning of something, text.
#include "gui/chat/markdown_blocks.h"

#include <QStringList>
#include <QStringView>

#include <algorithm>
#include <numeric>

namespace hearth::gui {

namespace {
using Kind = MarkdownBlock::Kind;
using Align = MarkdownTable::Align;
constexpr size_t kMaxParagraphs = 40;  // in one block

qsizetype indentOf(QStringView line) {
  qsizetype columns = 0;
  for (QChar c : line) {
    if (c == u'\t') {
      columns += 4 - columns % 4;
    } else if (c == u' ') {
      ++columns;
    } else {
      break;
    }
  }
  return columns;
}

QString withoutIndent(QStringView line, qsizetype indent) {
  qsizetype columns = 0, n = 0;
  while (n < line.size() && columns < indent && (line[n] == u' ' || line[n] == u'\t')) {
    columns += line[n] == u'\t' ? 4 - columns % 4 : 1;
    ++n;
  }
  return QString(std::max<qsizetype>(0, columns - indent), u' ') + line.mid(n).toString();
}

constexpr int kMaxQuotes = 8;

// Takes up to `limit` "> " off the line, the first of them indented by `indent` at most; how many there were.
int takeQuotes(QStringView& line, int limit, qsizetype indent = 3) {
  int n = 0;
  for (; n < limit; ++n, indent = 3) {
    QStringView rest = line;
    while (rest.startsWith(u' ')) rest = rest.mid(1);
    if (line.size() - rest.size() > indent || !rest.startsWith(u'>')) break;
    line = rest.mid(1);
    if (line.startsWith(u' ')) line = line.mid(1);
  }
  return n;
}

bool isRule(QStringView text) {
  if (text.isEmpty() || !QStringView(u"-*_").contains(text[0])) return false;
  qsizetype n = 0;
  for (QChar c : text) {
    if (c != text[0] && c != u' ' && c != u'\t') return false;
    n += c == text[0];
  }
  return n >= 3;
}

int headingLevel(QStringView text) {
  int n = 0;
  while (n < text.size() && text[n] == u'#') ++n;
  return n >= 1 && n <= 6 && (n == text.size() || text[n] == u' ') ? n : 0;
}

// The length of "- " or "12. " at the beginning, without the blank; 0 when there is none.
qsizetype markerLength(QStringView text) {
  qsizetype n = 0;
  if (!text.isEmpty() && QStringView(u"-*+").contains(text[0])) {
    n = 1;
  } else {
    while (n < text.size() && n < 9 && text[n] >= u'0' && text[n] <= u'9') ++n;
    if (n == 0 || n >= text.size() || (text[n] != u'.' && text[n] != u')')) return 0;
    ++n;
  }
  return n == text.size() || text[n] == u' ' || text[n] == u'\t' ? n : 0;
}

// A list may interrupt a paragraph only when it has text and, with numbers, begins with 1: "in\n1986. It was" is no
// list.
bool interrupts(QStringView text, qsizetype marker) {
  if (marker == 0 || marker == text.size()) return false;
  return !text[0].isDigit() || (marker == 2 && text[0] == u'1');
}

// What closes the formula that `text` opens; "" when it opens none, or closes it before its end.
QString mathEndOf(QStringView text) {
  for (auto [open, close] : {std::pair(u"$$", u"$$"), std::pair(u"\\[", u"\\]")})
    if (text.startsWith(QStringView(open))) {
      qsizetype at = text.indexOf(QStringView(close), 2);
      return at < 0 || at + 2 == text.size() ? QString::fromUtf16(close) : QString();
    }
  if (!text.startsWith(u"\\begin{") || !text.contains(u'}')) return {};
  return QStringLiteral("\\end") + text.mid(6, text.indexOf(u'}') - 5).toString();
}

QString breaksOf(QString cell) {
  for (const char* tag : {"<br>", "<br/>", "<br />"})
    cell.replace(QLatin1String(tag), QStringLiteral("\n"), Qt::CaseInsensitive);
  return cell;
}

std::vector<QString> cellsOf(QStringView line) {
  line = line.trimmed();
  if (line.startsWith(u'|')) line = line.mid(1);
  if (line.endsWith(u'|') && !line.endsWith(u"\\|")) line.chop(1);
  std::vector<QString> cells(1);
  for (qsizetype i = 0; i < line.size(); ++i) {
    if (line[i] == u'\\' && i + 1 < line.size() && line[i + 1] == u'|') {
      cells.back() += line[++i];
    } else if (line[i] == u'|') {
      cells.emplace_back();
    } else {
      cells.back() += line[i];
    }
  }
  for (QString& cell : cells) cell = breaksOf(cell.trimmed());
  return cells;
}

// |:--|--:|; empty when the line is none.
std::vector<Align> alignmentsOf(QStringView line) {
  std::vector<Align> columns;
  if (!line.contains(u'|')) return columns;
  for (const QString& cell : cellsOf(line)) {
    QStringView dashes = cell;
    const bool isStart = dashes.startsWith(u':'), isEnd = dashes.size() > 1 && dashes.endsWith(u':');
    if (isStart) dashes = dashes.mid(1);
    if (isEnd) dashes.chop(1);
    if (dashes.isEmpty() || std::any_of(dashes.begin(), dashes.end(), [](QChar c) { return c != u'-'; })) return {};
    columns.push_back(isStart && isEnd ? Align::centre : isEnd ? Align::end : Align::start);
  }
  return columns;
}

qsizetype sizeOf(const MarkdownBlock& block) {
  return std::accumulate(block.paragraphs.begin(), block.paragraphs.end(), block.code.size(),
                         [](qsizetype sum, const Paragraph& p) { return sum + p.text.size(); });
}

// Where a line that is too long is cut: after a blank if there is one in its second half.
qsizetype cutOf(QStringView line) {
  constexpr qsizetype most = MarkdownReader::kMaxLineChars;
  qsizetype at = line.left(most).lastIndexOf(u' ') + 1;
  if (at < most / 2) at = line[most - 1].isHighSurrogate() ? most - 1 : most;
  return at;
}
}  // namespace

size_t MarkdownReader::append(const QString& piece) {
  const size_t first = nSaved_ == 0 ? 0 : nSaved_ - 1;
  blocks_.resize(nSaved_);
  if (nSaved_ > 0) blocks_.back() = savedLast_;
  state_ = savedState_;

  unfinished_ += piece;
  QStringView rest = unfinished_;
  for (qsizetype end; (end = rest.indexOf(u'\n')) >= 0 || rest.size() > kMaxLineChars;) {
    if (end < 0 || end > kMaxLineChars) {
      const qsizetype cut = cutOf(rest);
      takeLine(rest.left(cut), false);
      state_.isLineCut = true;
      rest = rest.mid(cut);
    } else {
      QStringView line = rest.left(end);
      takeLine(line.endsWith(u'\r') ? line.chopped(1) : line, true);
      state_.isLineCut = false;
      rest = rest.mid(end + 1);
    }
  }
  unfinished_ = rest.toString();

  nSaved_ = blocks_.size();
  if (nSaved_ > 0) savedLast_ = blocks_.back();
  savedState_ = state_;
  if (!unfinished_.isEmpty()) takeLine(unfinished_, false);
  return first;
}

void MarkdownReader::takeLine(QStringView line, bool isWhole) {
  charsRead_ += line.size() + 1;
  if (takeFencedLine(line, isWhole)) return;
  if (state_.isLineCut && state_.isIndentedCode) return addCode(line.toString(), false);
  if (state_.isLineCut) return takeParagraphLine(line, 0, static_cast<int>(state_.indents.size()));
  if (takeMathLine(line)) return;
  const qsizetype column = indentOf(line);  // a quote in a list stands where the list's text does
  const bool isInList = !state_.indents.empty() && column >= state_.indents.front();
  const int quotes = takeQuotes(line, kMaxQuotes, quoteIndent());
  if (line.trimmed().isEmpty()) {
    state_.wasBlank = true;
    state_.isParagraph = state_.isTable = false;
    state_.nBlanks += state_.isIndentedCode;
    return;
  }
  if (state_.isTable && line.contains(u'|') && takeTableLine(line)) return;
  state_.isTable = false;
  quoteColumn_ = isInList && quotes > 0 ? column : 0;
  takeText(line, quotes, quoteColumn_ + indentOf(line));
  state_.wasBlank = false;
}

// --- prose ---

// A line that begins nothing belongs to the open paragraph, however it is indented.
void MarkdownReader::takeText(QStringView line, int quotes, qsizetype indent) {
  QStringView text = line.trimmed();
  if (const Paragraph* open = openParagraph(); open && quotes <= open->quotes) {
    if (takeUnderline(text) || takeTableHead(text)) return;
    const qsizetype marker = markerLength(text);
    bool isItem = state_.indents.empty() ? interrupts(text, marker) : marker > 0;
    bool begins = isItem || isRule(text) || headingLevel(text) > 0 || fenceOf(text, 3).length > 0;
    if (!begins) return takeParagraphLine(text, open->quotes, open->depth);
  }
  while (!state_.indents.empty() && indent < state_.indents.back()) state_.indents.pop_back();
  if (state_.indents.empty() && indent >= 4 && (state_.wasBlank || state_.isIndentedCode)) {
    if (!state_.isIndentedCode) begin({.kind = Kind::code});
    state_.isCodeBegun = state_.isIndentedCode;
    for (; state_.nBlanks > 0; --state_.nBlanks) addCode({}, true);
    state_.isIndentedCode = true;
    return addCode(withoutIndent(line, 4), true);
  }
  state_.isIndentedCode = state_.isParagraph = false;
  state_.nBlanks = 0;
  beginParagraph(text, indent, quotes);
}

void MarkdownReader::beginParagraph(QStringView text, qsizetype indent, int quotes) {
  if (isRule(text)) return begin({.kind = Kind::rule});
  Paragraph paragraph{.quotes = quotes};
  for (qsizetype n; (n = markerLength(text)) > 0 && state_.indents.size() < 12;) {
    QStringView marker = text.left(n), rest = text.mid(n).trimmed();
    state_.indents.push_back(indent + n + std::clamp<qsizetype>(indentOf(text.mid(n)), 1, 4));
    indent = state_.indents.back();
    paragraph.kind = Paragraph::Kind::item;
    static constexpr QChar kBullets[] = {u'•', u'◦', u'▪'};
    paragraph.marker = marker[0].isDigit() ? marker.toString() : QString(kBullets[(state_.indents.size() - 1) % 3]);
    for (auto [box, sign] : {std::pair(u"[ ] ", u'☐'), std::pair(u"[x] ", u'☑'), std::pair(u"[X] ", u'☑')})
      if (rest.startsWith(QStringView(box))) {
        paragraph.marker = QChar(sign);
        rest = rest.mid(4);
      }
    text = rest;
    if (isRule(text)) break;
  }
  paragraph.depth = static_cast<int>(state_.indents.size());
  paragraph.quotes += takeQuotes(text, kMaxQuotes - quotes);
  text = text.trimmed();
  if (Fence fence = fenceOf(text, 3); fence.length > 0) {
    fence.quotes = paragraph.quotes;
    fence.indent = paragraph.quotes > quotes ? 0 : indent - quoteColumn_;
    if (paragraph.kind == Paragraph::Kind::item) addParagraph(paragraph);
    begin({.kind = Kind::code, .language = fence.info.section(u' ', 0, 0)});
    state_.fence = fence;
    state_.isCodeBegun = false;
    return;
  }
  if (int level = headingLevel(text)) {
    paragraph.kind = Paragraph::Kind::heading;
    paragraph.level = level;
    text = text.mid(level).trimmed();
    while (text.endsWith(u'#')) text.chop(1);
    paragraph.text = text.trimmed().toString();
    return addParagraph(paragraph);
  }
  if (QString end = mathEndOf(text); !end.isEmpty() && paragraph.kind == Paragraph::Kind::text) {
    paragraph.kind = Paragraph::Kind::math;
    if (text.indexOf(end, 2) < 0) state_.mathEnd = end;
  }
  paragraph.text = text.toString();
  state_.isParagraph = paragraph.kind != Paragraph::Kind::math;
  addParagraph(std::move(paragraph));
}

Paragraph* MarkdownReader::openParagraph() {
  if (!state_.isParagraph || blocks_.empty() || blocks_.back().paragraphs.empty()) return nullptr;
  return &blocks_.back().paragraphs.back();
}

void MarkdownReader::takeParagraphLine(QStringView line, int quotes, int depth) {
  state_.isTable = false;
  Paragraph* open = openParagraph();
  if (!open || open->text.size() > kMaxBlockChars) {
    addParagraph({.text = line.toString(), .depth = depth, .quotes = quotes, .joins = open || state_.isLineCut});
    state_.isParagraph = true;
    return;
  }
  if (!state_.isLineCut) open->text += u'\n';
  open->text += line;
}

void MarkdownReader::addParagraph(Paragraph paragraph) {
  const bool isProse = !blocks_.empty() && blocks_.back().kind == Kind::prose;
  if (!isProse || sizeOf(blocks_.back()) > kMaxBlockChars || blocks_.back().paragraphs.size() >= kMaxParagraphs)
    begin({.kind = Kind::prose, .continues = isProse});
  blocks_.back().paragraphs.push_back(std::move(paragraph));
}

// "Title" over "=====" is a heading.
bool MarkdownReader::takeUnderline(QStringView text) {
  Paragraph* open = openParagraph();
  bool isLine = text.size() >= 3 && (text[0] == u'=' || text[0] == u'-') &&
                std::all_of(text.begin(), text.end(), [&](QChar c) { return c == text[0]; });
  if (!isLine || open->kind != Paragraph::Kind::text) return false;
  open->kind = Paragraph::Kind::heading;
  open->level = text[0] == u'=' ? 1 : 2;
  state_.isParagraph = false;
  return true;
}

bool MarkdownReader::takeMathLine(QStringView line) {
  if (state_.mathEnd.isEmpty()) return false;
  const bool isOver = line.contains(state_.mathEnd);
  if (isOver || line.trimmed().isEmpty()) state_.mathEnd.clear();
  if (line.trimmed().isEmpty()) return false;
  Paragraph& formula = blocks_.back().paragraphs.back();
  if (formula.text.size() > kMaxBlockChars) {
    addParagraph({.kind = Paragraph::Kind::math, .text = line.toString(), .joins = true});
  } else {
    formula.text += u'\n' + line.toString();
  }
  return true;
}

// --- code ---

MarkdownReader::Fence MarkdownReader::fenceOf(QStringView line, qsizetype maxIndent) {
  Fence fence;
  while (fence.indent < line.size() && line[fence.indent] == u' ') ++fence.indent;
  QStringView rest = line.mid(fence.indent);
  if (fence.indent > maxIndent || rest.isEmpty() || (rest[0] != u'`' && rest[0] != u'~')) return {};
  fence.mark = rest[0];
  while (fence.length < rest.size() && rest[fence.length] == fence.mark) ++fence.length;
  fence.info = rest.mid(fence.length).trimmed().toString();
  bool isFence = fence.length >= 3 && !(fence.mark == u'`' && fence.info.contains(u'`'));
  return isFence ? fence : Fence{};
}

bool MarkdownReader::takeFencedLine(QStringView line, bool isWhole) {
  Fence& open = state_.fence;
  if (open.length == 0) return false;
  takeQuotes(line, open.quotes, quoteIndent());
  Fence fence = state_.isLineCut ? Fence{} : fenceOf(line, open.indent + 3);
  if (fence.length >= open.length && fence.mark == open.mark && fence.info.isEmpty()) {
    open = {};
    state_.wasBlank = true;
    return true;
  }
  // Perhaps the fence that closes it, half written.
  QStringView text = line.trimmed();
  bool isHalfFence =
      !isWhole && !text.isEmpty() && std::all_of(text.begin(), text.end(), [&](QChar c) { return c == open.mark; });
  if (!isHalfFence) addCode(withoutIndent(line, state_.isLineCut ? 0 : open.indent), !state_.isLineCut);
  return true;
}

void MarkdownReader::addCode(const QString& line, bool isNewLine) {
  const bool needsBreak = isNewLine && std::exchange(state_.isCodeBegun, true);
  if (needsBreak) blocks_.back().code += u'\n';
  if (blocks_.back().code.size() > kMaxBlockChars)
    begin({.kind = Kind::code, .continues = true, .language = blocks_.back().language});
  blocks_.back().code += line;
}

// --- tables ---

bool MarkdownReader::takeTableHead(QStringView text) {
  Paragraph* open = openParagraph();
  std::vector<Align> columns = alignmentsOf(text);
  if (columns.empty() || columns.size() > kMaxTableColumns || open->kind != Paragraph::Kind::text) return false;
  const qsizetype lineStart = open->text.lastIndexOf(u'\n') + 1;
  std::vector<QString> head = cellsOf(QStringView(open->text).mid(lineStart));
  if (head.size() != columns.size()) return false;
  open->text.truncate(std::max<qsizetype>(0, lineStart - 1));
  if (open->text.isEmpty()) blocks_.back().paragraphs.pop_back();
  if (blocks_.back().paragraphs.empty()) blocks_.pop_back();
  begin({.kind = Kind::table, .table = {std::move(columns), {std::move(head)}}});
  state_.isParagraph = false;
  state_.isTable = true;
  return true;
}

bool MarkdownReader::takeTableLine(QStringView line) {
  if (fenceOf(line, 3).length > 0) return false;
  if (blocks_.back().table.rows.size() >= kMaxTableRows) {
    const MarkdownBlock& full = blocks_.back();
    auto begun = full.begun ? full.begun : std::make_shared<const MarkdownTable>(full.table);
    begin({.kind = Kind::table, .continues = true, .table = {begun->columns, {}}, .begun = begun});
  }
  MarkdownTable& table = blocks_.back().table;
  table.rows.push_back(cellsOf(line));
  table.rows.back().resize(table.columns.size());
  return true;
}

std::vector<MarkdownBlock> markdownBlocks(const QString& markdown) {
  MarkdownReader reader;
  reader.append(markdown);
  return reader.blocks();
}

}  // namespace hearth::gui
