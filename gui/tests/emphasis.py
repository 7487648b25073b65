#!/usr/bin/env python3
"""Writes emphasis.txt: Markdown with random emphasis, and what markdown-it (CommonMark) makes of it.

    python3 gui/tests/emphasis.py > gui/tests/emphasis.txt      needs markdown-it-py

One case a line: the Markdown, a tab, its text with {b|bold}, {i|italic} and {bi|both}.
"""
import random

from markdown_it import MarkdownIt

READER = MarkdownIt("commonmark")
N_CASES = 250
SWITCHES = {"strong_open": (1, 0), "strong_close": (-1, 0), "em_open": (0, 1), "em_close": (0, -1)}


def told(text):
    """The text with its looks, or None when there is more in it than emphasis."""
    out, bold, italic, last = "", 0, 0, ""
    for token in READER.parseInline(text)[0].children:
        if token.type in SWITCHES:
            bold, italic = bold + SWITCHES[token.type][0], italic + SWITCHES[token.type][1]
        elif token.type == "text" and token.content:
            looks = "b" * bool(bold) + "i" * bool(italic)
            if looks != last:
                out += ("}" if last else "") + ("{" + looks + "|" if looks else "")
            out, last = out + token.content, looks
        elif token.type != "text":
            return None
    return out + ("}" if last else "")


random.seed(5)
cases = {}
while len(cases) < N_CASES:
    text = ("x " + "".join(random.choice("**__ab .*_é，") for _ in range(10))).strip()
    if told(text) is not None:
        cases[text] = told(text)
for text, looks in cases.items():
    print(text + "\t" + looks)
