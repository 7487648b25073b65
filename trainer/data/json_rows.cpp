// The grammar of JSON as far as it decides where a value ends; numbers, escapes and literals are left to the parser.
#include "trainer/data/json_rows.h"

#include "trainer/data/example_formats.h"

namespace hearth::train {
namespace {

std::string shown(int c) {
  if (c == TextCursor::kEnd) return "the end of the file";
  if (c == '\n') return "a line break";
  if (c < 0x20 || c >= 0x7f) return fmt::format("byte 0x{:02X}", c);
  return fmt::format("'{}'", static_cast<char>(c));
}

bool is_word(int c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-' || c == '.';
}

// Is this element one message, and so the array it stands in one conversation?
bool is_message(std::string_view text) {
  const auto json = parse_json(text);
  return json && json->is_object() && (json->contains("role") || json->contains("from")) &&
         !json->contains("messages") && !json->contains("conversations");
}

}  // namespace

bool TextCursor::fill() {
  if (!status_) return false;
  auto more = source_.read(piece_);
  at_ = 0;
  if (more) return *more;
  piece_.clear();
  status_ = std::move(more).error();
  return false;
}

void JsonRows::put(std::string& out, int c) {
  if (out.size() >= max_row_bytes_)
    is_too_long_ = true;
  else
    out += static_cast<char>(c);
}

JsonRows::Damage JsonRows::read_string(std::string& out) {
  put(out, in_.get());
  for (;;) {
    const int c = in_.peek();
    if (c == TextCursor::kEnd || c == '\n') {
      why_ = c == '\n' ? "a text is not closed before the end of the line (a line break in it is written \\n)"
                       : "the file ends within a text: it was cut off";
      return Damage::broken;
    }
    put(out, in_.get());
    if (c == '"') return Damage::none;
    if (c == '\\' && in_.peek() != TextCursor::kEnd && in_.peek() != '\n') put(out, in_.get());
  }
}

// One value with all that is nested in it.
JsonRows::Damage JsonRows::read_value(std::string& out) {
  enum class Wants : uint8_t { value, value_or_end, key, key_or_end, colon, comma_or_end };
  constexpr const char* kWanted[] = {"a value", "a value or ']'",          "a key in quotes", "a key in quotes or '}'",
                                     "':'",     "',' or a closing bracket"};
  Wants wants = Wants::value;
  std::string open;  // the brackets to be closed
  is_too_long_ = false;
  const auto close = [&](int c) {
    open.pop_back();
    put(out, c);
    wants = Wants::comma_or_end;
  };
  do {
    in_.skip_blanks();
    const int c = in_.peek();
    const bool wants_key = wants == Wants::key || wants == Wants::key_or_end;
    const bool wants_value = wants == Wants::value || wants == Wants::value_or_end;
    if (c == '"' && (wants_key || wants_value)) {
      if (read_string(out) != Damage::none) return Damage::broken;
      wants = wants_key ? Wants::colon : Wants::comma_or_end;
    } else if (wants_value && (c == '{' || c == '[')) {
      open += static_cast<char>(c);
      put(out, in_.get());
      wants = c == '{' ? Wants::key_or_end : Wants::value_or_end;
      if (open.size() > kMaxRowDepth) {
        why_ = fmt::format("nests deeper than {} levels", kMaxRowDepth);
        return Damage::broken;
      }
    } else if (wants_value && is_word(c)) {
      while (is_word(in_.peek())) put(out, in_.get());
      wants = Wants::comma_or_end;
    } else if (c == ':' && wants == Wants::colon) {
      put(out, in_.get());
      wants = Wants::value;
    } else if (c == ',' && wants == Wants::comma_or_end) {
      put(out, in_.get());
      wants = open.back() == '{' ? Wants::key : Wants::value;
    } else if (!open.empty() && c == (open.back() == '{' ? '}' : ']') &&
               (wants == Wants::comma_or_end || wants == Wants::key_or_end || wants == Wants::value_or_end)) {
      close(in_.get());
    } else {
      why_ = c == TextCursor::kEnd ? "the file ends within a value: it was cut off"
                                   : fmt::format("is not valid JSON: expected {}, got {} in line {}",
                                                 kWanted[static_cast<int>(wants)], shown(c), in_.line());
      return Damage::broken;
    }
  } while (!open.empty());
  if (!is_too_long_) return Damage::none;
  why_ = fmt::format("is longer than the limit of {} bytes", max_row_bytes_);
  return Damage::too_long;
}

bool JsonRows::bad(RawRow& row, int line, std::string why) {
  row = {"", line, std::move(why)};
  return true;
}

// Behind a row that is damaged. Where it is all on one line, the next line; else the next line that begins a value.
void JsonRows::go_to_next_row(int first_line) {
  const auto begins_row = [&] { return in_.begins_line() && (in_.peek() == '{' || in_.peek() == '['); };
  if (in_.line() == first_line) return in_.skip_line();
  while (in_.peek() != TextCursor::kEnd && !begins_row()) in_.skip_line();
}

bool JsonRows::fail_array(RawRow& row, int line, const std::string& why) {
  is_cut_ = true;
  while (in_.get() != TextCursor::kEnd) continue;  // an error of reading is still told
  return bad(
      row, line,
      why + fmt::format(" (in the array that begins in line {}); nothing behind this place was read", array_line_));
}

// A list of messages: the array is one row, and its first message has been read.
bool JsonRows::finish_list(RawRow& row) {
  std::string list = "[" + std::move(row.text), element;
  for (;;) {
    in_.skip_blanks();
    const int c = in_.get(), line = in_.line();
    if (c == ']') break;
    element.clear();
    if (c != ',') return fail_array(row, line, fmt::format("expected ',' or ']' after a message, got {}", shown(c)));
    if (read_value(element) == Damage::broken) return fail_array(row, line, why_);
    if (list.size() + element.size() > max_row_bytes_) is_too_long_ = true;
    if (!is_too_long_) list += "," + element;
  }
  if (is_too_long_) return bad(row, array_line_, fmt::format("is longer than the limit of {} bytes", max_row_bytes_));
  row = {list + "]", array_line_, ""};
  return true;
}

bool JsonRows::begin_array(RawRow& row) {
  array_line_ = in_.line();
  in_.get();
  in_.skip_blanks();
  in_array_ = in_.peek() != ']';
  wants_comma_ = false;
  if (!in_array_) return in_.get(), false;
  if (!next_in_array(row)) return false;
  if (!row.problem.empty() || !is_message(row.text)) return true;
  in_array_ = false;
  return finish_list(row);
}

// The next element; false behind the last one.
bool JsonRows::next_in_array(RawRow& row) {
  in_.skip_blanks();
  const int line = in_.line();
  if (wants_comma_) {
    const int c = in_.get();
    if (c == ']') return in_array_ = false;
    if (c == TextCursor::kEnd) return fail_array(row, line, "the file ends before the array does: it was cut off");
    if (c != ',') return fail_array(row, line, fmt::format("expected ',' or ']' after an element, got {}", shown(c)));
    in_.skip_blanks();
  }
  wants_comma_ = true;
  row = {"", in_.line(), ""};
  if (in_.peek() == TextCursor::kEnd) return fail_array(row, row.line, "the file ends after a comma: it was cut off");
  const Damage damage = read_value(row.text);
  if (damage == Damage::broken) return fail_array(row, row.line, why_);
  if (damage == Damage::too_long) return bad(row, row.line, why_);
  return true;
}

Result<bool> JsonRows::next(RawRow& row) {
  for (;;) {
    if (in_array_ && !is_cut_) {
      if (next_in_array(row)) break;
      continue;
    }
    in_.skip_blanks();
    const int c = in_.peek(), line = in_.line();
    if (c == TextCursor::kEnd) {
      TRY(in_.status());
      return false;
    }
    if (c == '[') {
      if (begin_array(row)) break;
      continue;
    }
    row = {"", line, ""};
    if (c != '{') {
      in_.skip_line();
      bad(row, line,
          c == ',' ? "a comma stands between rows: put the rows into [ and ], or one object on each line"
                   : fmt::format("is not valid JSON: expected an object, got {}", shown(c)));
      break;
    }
    const Damage damage = read_value(row.text);
    if (damage == Damage::none) break;
    bad(row, line, why_);
    if (damage == Damage::broken) go_to_next_row(line);
    break;
  }
  TRY(in_.status());
  return true;
}

}  // namespace hearth::train
