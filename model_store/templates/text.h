// Text as Python sees it: characters, white space, numbers written out, quoting.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model_store/templates/typed_text.h"

namespace hearth::jinja {

bool is_space(uint32_t code_point);  // str.isspace of Python
std::string_view strip_left(std::string_view text);
std::string_view strip_right(std::string_view text);
// Strips characters that occur in `characters` (UTF-8).
std::string_view strip_left(std::string_view text, std::string_view characters);
std::string_view strip_right(std::string_view text, std::string_view characters);

// Where `what` stands in the text at or after `from`; npos: nowhere. Linear, whatever the two are.
size_t find_text(std::string_view text, std::string_view what, size_t from);

int64_t count_characters(std::string_view text);
// The text from one character to another, clamped; begin <= end.
std::string_view characters(std::string_view text, int64_t begin, int64_t end);
std::vector<std::string_view> split_characters(std::string_view text);
// Lines as str.splitlines of Python cuts them, with their ends or without.
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends = false);

std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
std::string to_case_folded(std::string_view text);
std::string to_capitalized(std::string_view text);
std::string to_title(std::string_view text);

std::string real_text(double value);              // repr of a Python float
void append_quoted(const Text& text, Text& out);  // repr of a Python str
Text escape_html(const Text& text);               // & < > " '
void append_json_quoted(const Text& text, bool ascii, Text& out);

}  // namespace hearth::jinja
