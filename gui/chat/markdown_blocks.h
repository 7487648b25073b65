// Markdown cut into what the chat draws: prose, which Qt renders, and fenced code, which gets a frame and a copy button.
#pragma once

#include <QString>

#include <vector>

namespace hearth::gui {

struct MarkdownBlock {
  bool isCode = false;
  QString text;      // Markdown, or the code without its fences
  QString language;  // of code, as written after the fence; may be ""
  bool operator==(const MarkdownBlock&) const = default;
};

// Takes unfinished Markdown too: a fence that is still open is code up to the end.
std::vector<MarkdownBlock> markdownBlocks(const QString& markdown);

}  // namespace hearth::gui
