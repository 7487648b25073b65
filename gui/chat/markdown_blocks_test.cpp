// Markdown blocks: fences, unfinished ones, and HTML as text.
#include "gui/chat/markdown_blocks.h"

#include <gtest/gtest.h>

namespace hearth::gui {
namespace {

TEST(MarkdownBlocks, CutsCodeOutOfProse) {
  auto blocks = markdownBlocks("Before\n\n```python title\nprint(1)\n\nprint(2)\n```\nAfter");
  ASSERT_EQ(blocks.size(), 3u);
  EXPECT_EQ(blocks[0], (MarkdownBlock{false, "Before", ""}));
  EXPECT_EQ(blocks[1], (MarkdownBlock{true, "print(1)\n\nprint(2)", "python"}));
  EXPECT_EQ(blocks[2].text, "After");
}

TEST(MarkdownBlocks, AnOpenFenceIsCodeToTheEnd) {
  auto blocks = markdownBlocks("```sh\nls\nec");
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(blocks[0], (MarkdownBlock{true, "ls\nec", "sh"}));
}

TEST(MarkdownBlocks, ALongerFenceHoldsAShorterOne) {
  auto blocks = markdownBlocks("````\n```\nx\n```\n````");
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(blocks[0].text, "```\nx\n```");
}

TEST(MarkdownBlocks, TildesAndIndentation) {
  auto blocks = markdownBlocks("1. do\n   ~~~\n   a\n     b\n   ~~~");
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(blocks[1].text, "a\n  b");
}

TEST(MarkdownBlocks, InlineCodeIsProse) {
  EXPECT_FALSE(markdownBlocks("```x``` is inline").front().isCode);
  EXPECT_TRUE(markdownBlocks("").empty());
}

TEST(MarkdownBlocks, HtmlIsText) { EXPECT_EQ(markdownBlocks("a <b>bold</b>").front().text, "a &lt;b>bold&lt;/b>"); }

}  // namespace
}  // namespace hearth::gui
