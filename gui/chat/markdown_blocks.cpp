// Markdown blocks: CommonMark's fences (``` or ~~~, up to three spaces in), everything else is prose.
#include "gui/chat/markdown_blocks.h"

#include <QStringList>
#include <QStringView>

namespace hearth::gui {

namespace {
struct Fence {
  QChar mark;
  qsizetype length = 0, indent = 0;
  QString info;
};

// The fence that a line is, if it is one.
Fence fenceOf(QStringView line) {
  Fence fence;
  while (fence.indent < line.size() && line[fence.indent] == u' ') ++fence.indent;
  QStringView rest = line.mid(fence.indent);
  if (fence.indent > 3 || rest.isEmpty() || (rest[0] != u'`' && rest[0] != u'~')) return {};
  fence.mark = rest[0];
  while (fence.length < rest.size() && rest[fence.length] == fence.mark) ++fence.length;
  fence.info = rest.mid(fence.length).trimmed().toString();
  bool isFence = fence.length >= 3 && !(fence.mark == u'`' && fence.info.contains(u'`'));
  return isFence ? fence : Fence{};
}

bool closes(const Fence& fence, const Fence& open) {
  return fence.length >= open.length && fence.mark == open.mark && fence.info.isEmpty();
}

// HTML would be rendered by Qt's Markdown reader; what a model writes is text.
QString escapedHtml(QString prose) {
  return prose.replace(u'<', QStringLiteral("&lt;"));
}

void flush(std::vector<MarkdownBlock>& blocks, bool isCode, QStringList& lines, const QString& language) {
  QString text = lines.join(u'\n');
  lines.clear();
  if (!isCode) text = escapedHtml(text.trimmed());
  if (isCode || !text.isEmpty()) blocks.push_back({isCode, text, language});
}

QStringView withoutIndent(QStringView line, qsizetype indent) {
  qsizetype n = 0;
  while (n < indent && n < line.size() && line[n] == u' ') ++n;
  return line.mid(n);
}
}  // namespace

std::vector<MarkdownBlock> markdownBlocks(const QString& markdown) {
  std::vector<MarkdownBlock> blocks;
  QStringList lines;
  Fence open;
  for (QStringView line : QStringView(markdown).split(u'\n')) {
    Fence fence = fenceOf(line);
    if (open.length > 0 && closes(fence, open)) {
      flush(blocks, true, lines, open.info.section(u' ', 0, 0));
      open = {};
    } else if (open.length == 0 && fence.length > 0) {
      flush(blocks, false, lines, {});
      open = fence;
    } else {
      lines.append(withoutIndent(line, open.length > 0 ? open.indent : 0).toString());
    }
  }
  flush(blocks, open.length > 0, lines, open.info.section(u' ', 0, 0));
  return blocks;
}

}  // namespace hearth::gui
