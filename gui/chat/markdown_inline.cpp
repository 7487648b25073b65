// Spans: first the pieces that no emphasis reaches into (code, formulas, links) and the runs of * _ ~ between them,
// then the runs are paired by CommonMark's rule (the nearest opener of the same mark; "multiples of three").
#include "gui/chat/markdown_inline.h"

#include <QHash>

#include <algorithm>
#include <array>
#include <optional>

#include "gui/chat/links.h"

namespace hearth::gui {

namespace {
constexpr qsizetype kMaxLabelChars = 1000;  // between [ and ]

// What a backslash takes the meaning from. CommonMark lists all of ASCII's punctuation; of that, { } , ; : % & = ^ / @
// mean nothing in Markdown and something in LaTeX, so a backslash before them stays.
bool isEscapable(QChar c) {
  return QStringView(u"\\`*_[]()<>#+-.!|~\"'$?").contains(c);
}

struct Piece {
  Span span;
  QChar mark;  // a run of emphasis marks when not null: `span.text` is what is left of it
  bool canOpen = false, canClose = false;
  qsizetype length = 0;  // of the run as written
};

class InlineReader {
 public:
  InlineReader(QStringView text, QString href) : text_(text), href_(std::move(href)) {}

  std::vector<Span> read() {
    while (at_ < text_.size()) step();
    flush();
    pairMarks();
    return joined();
  }

 private:
  QChar peek(qsizetype n = 0) const { return at_ + n < text_.size() ? text_[at_ + n] : QChar(); }
  bool isInLink() const { return !href_.isEmpty(); }

  void step() {
    QChar c = peek();
    if (takeMath()) return;
    if (c == u'\\' && isEscapable(peek(1))) return takeLiteral(1);
    if (c == u'\\' && peek(1) == u'\n') return takeLiteral(1);
    if (c == u'`') return takeCode();
    if (c == u'&' && takeEntity()) return;
    if (c == u'!' && peek(1) == u'[' && takeImage()) return;
    if (c == u'[' && !isInLink() && takeLink()) return;
    if (c == u'<' && !isInLink() && takeAngleLink()) return;
    if (c == u'h' && !isInLink() && takeBareLink()) return;
    if (c == u'*' || c == u'_' || c == u'~') return takeMarks();
    if (c == u'\n') return takeBreak();
    plain_ += c;
    ++at_;
  }

  void takeLiteral(qsizetype nSkipped) {
    plain_ += text_[at_ + nSkipped];
    at_ += nSkipped + 1;
  }

  void takeBreak() {
    while (plain_.endsWith(u' ') || plain_.endsWith(u'\t')) plain_.chop(1);
    plain_ += u'\n';
    ++at_;
    while (peek() == u' ') ++at_;
  }

  void push(Span span) {
    flush();
    span.href = href_;
    pieces_.push_back({std::move(span), {}});
  }
  void flush() {
    if (plain_.isEmpty()) return;
    pieces_.push_back({Span{std::exchange(plain_, {})}, {}});
    pieces_.back().span.href = href_;
  }

  bool takeMath() {
    qsizetype n = mathLength(text_, at_);
    if (n > 0) {
      push({.text = text_.mid(at_, n).toString(), .isMath = true});
      at_ += n;
      return true;
    }
    // Half a formula, as it is being written: its backslash stays too.
    bool isHalf = peek() == u'\\' && (peek(1) == u'(' || peek(1) == u')' || peek(1) == u'[' || peek(1) == u']');
    if (!isHalf) return false;
    plain_ += text_.mid(at_, 2);
    at_ += 2;
    return true;
  }

  qsizetype runLength(QChar mark) const {
    qsizetype n = 0;
    while (peek(n) == mark) ++n;
    return n;
  }

  void takeCode() {
    qsizetype n = runLength(u'`');
    qsizetype end = closingBackticks(n);
    if (end < 0) {
      plain_ += text_.mid(at_, n);
      at_ += n;
      return;
    }
    QString code = text_.mid(at_ + n, end - at_ - n).toString();
    code.replace(u'\n', u' ');
    if (code.size() > 2 && code.startsWith(u' ') && code.endsWith(u' ') && !code.trimmed().isEmpty())
      code = code.mid(1).chopped(1);
    push({.text = code, .isCode = true});
    at_ = end + n;
  }
  // A length of run that is not found once is not looked for again.
  qsizetype closingBackticks(qsizetype n) {
    if (unclosed_.value(n, false)) return -1;
    for (qsizetype i = at_ + n; i < text_.size();) {
      qsizetype run = 0;
      while (i + run < text_.size() && text_[i + run] == u'`') ++run;
      if (run == n) return i;
      i += std::max<qsizetype>(run, 1);
    }
    unclosed_[n] = true;
    return -1;
  }

  bool takeEntity() {
    static const QHash<QString, QString> kNamed = {
        {"amp", "&"},          {"lt", "<"},   {"gt", ">"},    {"quot", "\""}, {"apos", "'"},
        {"nbsp", QChar(0xa0)}, {"copy", "©"}, {"ndash", "–"}, {"mdash", "—"}, {"hellip", "…"},
        {"times", "×"},        {"rarr", "→"}, {"larr", "←"},  {"deg", "°"}};
    qsizetype end = text_.indexOf(u';', at_);
    if (end < 0 || end - at_ > 10) return false;
    QString name = text_.mid(at_ + 1, end - at_ - 1).toString();
    QString value = kNamed.value(name);
    if (name.startsWith(u'#')) value = numbered(name.mid(1));
    if (value.isEmpty()) return false;
    plain_ += value;
    at_ = end + 1;
    return true;
  }
  static QString numbered(const QString& digits) {
    bool ok = false, isHex = digits.startsWith(u'x', Qt::CaseInsensitive);
    char32_t c = isHex ? digits.mid(1).toUInt(&ok, 16) : digits.toUInt(&ok, 10);
    if (!ok || c < 0x20 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) return {};
    return QString::fromUcs4(&c, 1);
  }

  // --- links ---

  struct Link {
    QStringView label;
    QString target;
    qsizetype end = 0;
  };

  // [label](target "title") at `from`.
  std::optional<Link> linkAt(qsizetype from) const {
    qsizetype close = closingBracket(from);
    if (close < 0 || close + 1 >= text_.size() || text_[close + 1] != u'(') return std::nullopt;
    Link link{.label = text_.mid(from + 1, close - from - 1), .target = {}};
    qsizetype i = close + 2, depth = 0;
    while (i < text_.size() && (text_[i] == u' ' || text_[i] == u'\n')) ++i;
    const bool isAngled = i < text_.size() && text_[i] == u'<';
    if (isAngled) ++i;
    for (; i < text_.size(); ++i) {
      QChar c = text_[i];
      if (isAngled ? c == u'>' : c == u' ' || c == u'\n' || (c == u')' && depth == 0)) break;
      depth += c == u'(' ? 1 : c == u')' ? -1 : 0;
      link.target += c;
    }
    if (isAngled) ++i;
    i = text_.indexOf(u')', skippedTitle(i));
    if (i < 0) return std::nullopt;
    link.end = i + 1;
    return link;
  }
  qsizetype skippedTitle(qsizetype i) const {
    while (i < text_.size() && (text_[i] == u' ' || text_[i] == u'\n')) ++i;
    if (i >= text_.size() || (text_[i] != u'"' && text_[i] != u'\'')) return i;
    qsizetype end = text_.indexOf(text_[i], i + 1);
    return end < 0 ? i : end + 1;
  }
  qsizetype closingBracket(qsizetype from) const {
    int depth = 0;
    const qsizetype limit = std::min(text_.size(), from + kMaxLabelChars);
    for (qsizetype i = from; i < limit; ++i) {
      if (text_[i] == u'\\') {
        ++i;
      } else if (text_[i] == u'[') {
        ++depth;
      } else if (text_[i] == u']' && --depth == 0) {
        return i;
      }
    }
    return -1;
  }

  // An image is what was written, never a picture: looking at one would tell somebody that it was looked at.
  bool takeImage() {
    auto link = linkAt(at_ + 1);
    if (!link) return false;
    plain_ += text_.mid(at_, link->end - at_);
    at_ = link->end;
    return true;
  }

  bool takeLink() {
    auto link = linkAt(at_);
    if (!link) return false;
    if (auto url = openableUrl(link->target)) {
      flush();
      for (Span& span : InlineReader(link->label, shownUrl(*url)).read()) pieces_.push_back({std::move(span), {}});
    } else {
      plain_ += text_.mid(at_, link->end - at_);
    }
    at_ = link->end;
    return true;
  }

  bool takeAngleLink() {
    qsizetype end = text_.indexOf(u'>', at_);
    if (end < 0) return false;
    QString target = text_.mid(at_ + 1, end - at_ - 1).toString();
    bool isMail = !target.contains(u':') && target.contains(u'@') && !target.contains(u'/');
    auto url = openableUrl(isMail ? QStringLiteral("mailto:") + target : target);
    if (!url) return false;
    flush();
    pieces_.push_back({Span{.text = target, .href = shownUrl(*url)}, {}});
    at_ = end + 1;
    return true;
  }

  bool takeBareLink() {
    QStringView rest = text_.mid(at_);
    if (!rest.startsWith(u"http://") && !rest.startsWith(u"https://")) return false;
    if (at_ > 0 && text_[at_ - 1].isLetterOrNumber()) return false;
    qsizetype n = 0, depth = 0;
    for (; n < rest.size() && !rest[n].isSpace() && rest[n] != u'<' && rest[n] != u'`' && rest[n] != u'"'; ++n) {
      depth += rest[n] == u'(' ? 1 : rest[n] == u')' ? -1 : 0;
      if (depth < 0) break;
    }
    while (n > 0 && QStringView(u".,:;!?*_~'").contains(rest[n - 1])) --n;
    QString target = rest.left(n).toString();
    auto url = openableUrl(target);
    if (!url) return false;
    flush();
    pieces_.push_back({Span{.text = target, .href = shownUrl(*url)}, {}});
    at_ += n;
    return true;
  }

  // --- emphasis ---

  void takeMarks() {
    QChar mark = peek();
    qsizetype n = runLength(mark);
    QChar before = at_ > 0 ? text_[at_ - 1] : QChar(u' ');
    at_ += n;
    QChar after = at_ < text_.size() ? text_[at_] : QChar(u' ');
    auto isPunctuation = [](QChar c) { return c.isPunct() || c.isSymbol(); };
    bool isLeft = !after.isSpace() && (!isPunctuation(after) || before.isSpace() || isPunctuation(before));
    bool isRight = !before.isSpace() && (!isPunctuation(before) || after.isSpace() || isPunctuation(after));
    flush();
    Piece piece{Span{QString(n, mark)}, mark, isLeft, isRight, n};
    piece.span.href = href_;
    if (mark == u'_') {
      piece.canOpen = isLeft && (!isRight || isPunctuation(before));
      piece.canClose = isRight && (!isLeft || isPunctuation(after));
    } else if (mark == u'~') {
      piece.canOpen = piece.canOpen && n == 2;
      piece.canClose = piece.canClose && n == 2;
    }
    pieces_.push_back(std::move(piece));
  }

  static bool match(const Piece& open, const Piece& close) {
    if (open.mark != close.mark || !open.canOpen || open.span.text.isEmpty()) return false;
    bool isOdd = (open.canClose || close.canOpen) && (open.length + close.length) % 3 == 0;
    return !isOdd || (open.length % 3 == 0 && close.length % 3 == 0);
  }

  void pairMarks() {
    // By mark, whether it opens too, and length mod 3: below this piece there is no opener.
    std::array<size_t, 18> bottom{};
    for (size_t close = 0; close < pieces_.size(); ++close)
      while (pieces_[close].canClose && !pieces_[close].span.text.isEmpty()) {
        const Piece& piece = pieces_[close];
        size_t kind = (piece.mark == u'*'   ? 0U
                       : piece.mark == u'_' ? 6U
                                            : 12U) +
                      (piece.canOpen ? 3U : 0U) + static_cast<size_t>(piece.length % 3);
        size_t open = close;
        while (open > bottom[kind] && !match(pieces_[open - 1], piece)) --open;
        if (open == bottom[kind]) {
          bottom[kind] = close;
          break;
        }
        join(open - 1, close);
      }
  }

  void join(size_t open, size_t close) {
    bool isStrike = pieces_[open].mark == u'~';
    bool isStrong = !isStrike && pieces_[open].span.text.size() >= 2 && pieces_[close].span.text.size() >= 2;
    for (size_t i = open + 1; i < close; ++i) {
      Span& span = pieces_[i].span;
      (isStrike ? span.isStruck : isStrong ? span.isBold : span.isItalic) = true;
      pieces_[i].canOpen = pieces_[i].canClose = false;  // a mark between two that belong together is a character
    }
    for (size_t i : {open, close}) pieces_[i].span.text.chop(isStrike || isStrong ? 2 : 1);
  }

  std::vector<Span> joined() const {
    std::vector<Span> out;
    for (const Piece& piece : pieces_) {
      if (piece.span.text.isEmpty()) continue;
      Span looks = piece.span;
      if (!out.empty()) {
        looks.text = out.back().text;
        if (looks == out.back()) {
          out.back().text += piece.span.text;
          continue;
        }
      }
      out.push_back(piece.span);
    }
    return out;
  }

  QStringView text_;
  QString href_;
  qsizetype at_ = 0;
  QString plain_;
  std::vector<Piece> pieces_;
  QHash<qsizetype, bool> unclosed_;
};

// Where `close` ends, looked for from `from`; 0 when there is none.
qsizetype endOf(QStringView text, qsizetype from, QStringView close) {
  qsizetype at = text.indexOf(close, from);
  return at < 0 ? 0 : at + close.size();
}
}  // namespace

qsizetype mathLength(QStringView text, qsizetype at) {
  QStringView rest = text.mid(at);
  qsizetype n = 0;
  if (rest.startsWith(u"\\(")) n = endOf(rest, 2, u"\\)");
  if (rest.startsWith(u"\\[")) n = endOf(rest, 2, u"\\]");
  if (rest.startsWith(u"\\begin{"))
    if (qsizetype end = endOf(rest, 7, u"\\end{")) n = endOf(rest, end, u"}");
  if (rest.startsWith(u"$$")) return endOf(rest, 2, u"$$");
  if (n > 0 || !rest.startsWith(u'$') || rest.size() < 3 || rest[1].isSpace()) return n;
  if (at > 0 && (text[at - 1] == u'\\' || text[at - 1].isLetterOrNumber())) return 0;
  for (qsizetype i = 2; i < rest.size() && rest[i] != u'\n'; ++i) {
    if (rest[i] != u'$' || rest[i - 1] == u'\\') continue;
    // "$5 and $10" is money.
    bool isMoney = rest[i - 1].isSpace() || (i + 1 < rest.size() && rest[i + 1].isDigit());
    return isMoney ? 0 : i + 1;
  }
  return 0;
}

std::vector<Span> inlineSpans(QStringView markdown) {
  return InlineReader(markdown, {}).read();
}

QString plainText(const std::vector<Span>& spans) {
  QString text;
  for (const Span& span : spans) text += span.text;
  return text;
}

}  // namespace hearth::gui
