// pprint.pformat: what does not fit a line is laid out one item below the other, long strings in pieces.
#include <algorithm>

#include "model_store/templates/layout.h"
#include "model_store/templates/text.h"

namespace hearth::jinja {
namespace {

constexpr int64_t kWidth = 80;

class PrettyPrinter {
 public:
  explicit PrettyPrinter(Runtime& rt) : rt_(rt) {}

  // `indent`: the column where it begins; `allowance`: what must fit behind it on its last line.
  Result<void> write(const Value& value, int64_t indent, int64_t allowance, int level) {
    auto depth = TRY(rt_.enter());
    TRY(rt_.step(out.size() / 16));
    const std::string text = TRY(one_line(value));
    const int64_t width = kWidth - indent - allowance;
    if (count_characters(text) <= width || !is_split(value)) {
      out += text;
      return {};
    }
    if (value.is(Kind::dict)) return write_dict(value.as_dict(), indent, allowance + 1);
    if (value.is(Kind::string)) return write_string(value.as_string(), indent, allowance, level);
    const bool is_tuple = value.is(Kind::tuple);
    const std::string_view close = !is_tuple ? "]" : value.as_list().items.size() == 1 ? ",)" : ")";
    out += is_tuple ? '(' : '[';
    TRY(write_items(value.as_list().items, indent, allowance + static_cast<int64_t>(close.size())));
    out += close;
    return {};
  }

  std::string out;

 private:
  // What Python's str(type(v)) is ordered by.
  static std::string_view type_name(const Value& v) {
    switch (v.kind()) {
      case Kind::none:
        return "NoneType";
      case Kind::boolean:
        return "bool";
      case Kind::integer:
        return "int";
      case Kind::real:
        return "float";
      case Kind::string:
        return v.is_markup() ? "Markup" : "str";
      case Kind::tuple:
        return "tuple";
      default:
        return kind_name(v.kind());
    }
  }

  static bool is_split(const Value& v) {
    return v.is(Kind::dict) || v.is_plain_list() || (v.is(Kind::string) && !v.is_markup());
  }

  // repr(), with sorted keys all the way down.
  Result<std::string> one_line(const Value& v) {
    auto depth = TRY(rt_.enter());
    if (v.is(Kind::dict)) {
      std::string text = "{";
      for (const auto* item : sorted(v.as_dict())) {
        if (text.size() > 1) text += ", ";
        text += TRY(one_line(item->first)) + ": " + TRY(one_line(item->second));
      }
      return text + "}";
    }
    if (!v.is_plain_list()) return repr(v);
    const bool is_tuple = v.is(Kind::tuple);
    std::string text(1, is_tuple ? '(' : '[');
    for (const Value& item : v.as_list().items) {
      if (text.size() > 1) text += ", ";
      text += TRY(one_line(item));
    }
    if (is_tuple && v.as_list().items.size() == 1) text += ',';
    return text + (is_tuple ? ')' : ']');
  }

  Result<std::string> repr(const Value& v) {
    Text text;
    TRY(append_repr(rt_, v, text));
    return text.bytes();
  }

  std::vector<const std::pair<Value, Value>*> sorted(const Dict& dict) {
    std::vector<const std::pair<Value, Value>*> out;
    for (const auto& item : dict.items) out.push_back(&item);
    // What has no order among itself goes by the name of its kind.
    std::stable_sort(out.begin(), out.end(), [&](const auto* a, const auto* b) {
      const auto order = compare(rt_, a->first, b->first);
      return order ? *order < 0 : type_name(a->first) < type_name(b->first);
    });
    return out;
  }

  Result<void> write_dict(const Dict& dict, int64_t indent, int64_t allowance) {
    out += '{';
    const auto items = sorted(dict);
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out += ",\n" + std::string(static_cast<size_t>(indent + 1), ' ');
      const std::string key = TRY(one_line(items[i]->first));
      out += key + ": ";
      TRY(write(items[i]->second, indent + 3 + count_characters(key), i + 1 == items.size() ? allowance : 1, 1 + 1));
    }
    out += '}';
    return {};
  }

  Result<void> write_items(const std::vector<Value>& items, int64_t indent, int64_t allowance) {
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out += ",\n" + std::string(static_cast<size_t>(indent + 1), ' ');
      TRY(write(items[i], indent + 1, i + 1 == items.size() ? allowance : 1, 1 + 1));
    }
    return {};
  }

  // Words with the blanks behind them: r"\S*\s*".
  static std::vector<std::string_view> words(std::string_view line) {
    std::vector<std::string_view> out;
    const auto all = split_characters(line);
    size_t begin = 0, at = 0;
    bool in_blanks = false;
    for (std::string_view c : all) {
      const bool is_blank = strip_left(c).empty();
      if (!is_blank && in_blanks) {
        out.push_back(line.substr(begin, at - begin));
        begin = at;
      }
      in_blanks = is_blank;
      at += c.size();
    }
    out.push_back(line.substr(begin));
    return out;
  }

  static std::string quoted(std::string_view text) {
    Text out;
    append_quoted(Text(std::string(text)), out);
    return out.bytes();
  }

  Result<void> write_string(std::string_view text, int64_t indent, int64_t allowance, int level) {
    const bool has_brackets = level == 1;
    if (has_brackets) {
      ++indent;
      ++allowance;
    }
    const auto lines = split_lines(text, /*keep_ends=*/true);
    std::vector<std::string> chunks;
    for (size_t i = 0; i < lines.size(); ++i) {
      const bool is_last = i + 1 == lines.size();
      const int64_t width = kWidth - indent - (is_last ? allowance : 0);
      if (const std::string whole = quoted(lines[i]); count_characters(whole) <= width)
        chunks.push_back(whole);
      else
        TRY(cut_line(lines[i], kWidth - indent, is_last ? allowance : 0, chunks));
    }
    if (chunks.size() == 1) {
      out += quoted(lines.back());
      return {};
    }
    if (has_brackets) out += '(';
    for (size_t i = 0; i < chunks.size(); ++i)
      out += (i > 0 ? "\n" + std::string(static_cast<size_t>(indent), ' ') : std::string()) + chunks[i];
    if (has_brackets) out += ')';
    return {};
  }

  Result<void> cut_line(std::string_view line, int64_t width, int64_t allowance, std::vector<std::string>& chunks) {
    const auto parts = words(line);
    std::string current;
    for (size_t j = 0; j < parts.size(); ++j) {
      const std::string candidate = current + std::string(parts[j]);
      TRY(rt_.step(candidate.size()));
      if (j + 1 == parts.size()) width -= allowance;
      if (count_characters(quoted(candidate)) <= width) {
        current = candidate;
        continue;
      }
      if (!current.empty()) chunks.push_back(quoted(current));
      current = parts[j];
    }
    if (!current.empty()) chunks.push_back(quoted(current));
    return {};
  }

  Runtime& rt_;
};

}  // namespace

Result<std::string> pretty_text(Runtime& rt, const Value& value) {
  PrettyPrinter printer(rt);
  TRY(printer.write(value, 0, 0, 1));
  return std::move(printer.out);
}

}  // namespace hearth::jinja
