// Values written out: str(), repr(), JSON; and JSON read in.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "model_store/templates/text.h"
#include "model_store/templates/value.h"

namespace hearth::jinja {
namespace {

Result<void> append_list(Runtime& rt, const Value& list, Text& out) {
  if (const auto& range = list.as_list().range) {
    out.append(fmt::format("range({}, {}", range->begin, range->end));
    if (range->step != 1) out.append(fmt::format(", {}", range->step));
    out.append(")");
    return {};
  }
  const char* view = list.as_list().view;
  if (view) out.append(view).append("(");
  const bool is_tuple = list.is(Kind::tuple);
  out.append(is_tuple ? "(" : "[");
  bool first = true;
  for (const auto& item : list.as_list().items) {
    if (!first) out.append(", ");
    first = false;
    TRY(append_repr(rt, item, out));
  }
  if (is_tuple && list.as_list().items.size() == 1) out.append(",");
  out.append(is_tuple ? ")" : "]");
  if (view) out.append(")");
  return {};
}

Result<void> append_dict(Runtime& rt, const Dict& dict, Text& out) {
  out.append("{");
  bool first = true;
  for (const auto& [key, value] : dict.items) {
    if (!first) out.append(", ");
    first = false;
    TRY(append_repr(rt, key, out));
    out.append(": ");
    TRY(append_repr(rt, value, out));
  }
  out.append("}");
  return {};
}

// json.dumps of Python.
class JsonWriter {
 public:
  JsonWriter(Runtime& rt, int indent, bool ascii, bool sort_keys, std::string_view item_separator,
             std::string_view key_separator)
      : rt_(rt),
        indent_(indent),
        ascii_(ascii),
        sort_keys_(sort_keys),
        item_separator_(item_separator),
        key_separator_(key_separator) {}

  Result<void> write(const Value& v, int level) {
    TRY(rt_.step());
    TRY(rt_.check_length(out.size()));
    auto depth = TRY(rt_.enter());
    switch (v.kind()) {
      case Kind::none:
        out.append("null");
        return {};
      case Kind::boolean:
        out.append(v.as_bool() ? "true" : "false");
        return {};
      case Kind::integer:
        out.append(std::to_string(v.as_integer()));
        return {};
      case Kind::real:
        out.append(number(v.as_real()));
        return {};
      case Kind::string:
        TRY(rt_.step(v.as_string().size()));
        append_json_quoted(v.as_text(), ascii_, out);
        return {};
      case Kind::list:
      case Kind::tuple:
        if (!v.is_plain_list())
          return error(Code::invalid_argument, "{} cannot be written as JSON; make it a list",
                       v.is_range() ? "a range" : v.as_list().view);
        return write_list(v.as_list(), level);
      case Kind::dict:
        return write_dict(v.as_dict(), level);
      default:
        return error(Code::invalid_argument, "{} cannot be written as JSON", kind_name(v.kind()));
    }
  }

  Text out;

 private:
  static std::string number(double d) {
    if (std::isnan(d)) return "NaN";
    if (std::isinf(d)) return d > 0 ? "Infinity" : "-Infinity";
    return real_text(d);
  }

  void new_line(int level) {
    if (indent_ < 0) return;
    out.append("\n");
    out.append(std::string(static_cast<size_t>(indent_) * level, ' '));
  }

  Result<void> write_list(const List& list, int level) {
    if (list.items.empty()) {
      out.append("[]");
      return {};
    }
    out.append("[");
    for (size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) out.append(item_separator_);
      new_line(level + 1);
      TRY(write(list.items[i], level + 1));
    }
    new_line(level);
    out.append("]");
    return {};
  }

  Result<void> write_key(const Value& key) {
    if (key.is(Kind::string)) {
      append_json_quoted(key.as_text(), ascii_, out);
      return {};
    }
    out.append("\"");
    TRY(write(key, 0));
    out.append("\"");
    return {};
  }

  Result<void> write_dict(const Dict& dict, int level) {
    if (dict.items.empty()) {
      out.append("{}");
      return {};
    }
    std::vector<const std::pair<Value, Value>*> items;
    for (const auto& item : dict.items) items.push_back(&item);
    if (sort_keys_) {
      for (auto* item : items)
        if (!item->first.is(Kind::string)) return error(Code::invalid_argument, "only string keys can be sorted");
      std::sort(items.begin(), items.end(),
                [](auto* a, auto* b) { return a->first.as_string() < b->first.as_string(); });
    }
    out.append("{");
    for (size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out.append(item_separator_);
      new_line(level + 1);
      TRY(write_key(items[i]->first));
      out.append(key_separator_);
      TRY(write(items[i]->second, level + 1));
    }
    new_line(level);
    out.append("}");
    return {};
  }

  Runtime& rt_;
  int indent_;
  bool ascii_, sort_keys_;
  std::string item_separator_, key_separator_;
};

// Receives JSON events and builds values, innermost container last on the stack.
class JsonReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  JsonReader(Runtime& rt, bool (*is_own)(std::string_view name)) : rt_(rt), is_own_(is_own) {}
  Value result;
  std::optional<Error> problem;

  bool null() override { return put(Value::none()); }
  bool boolean(bool b) override { return put(Value::boolean(b)); }
  bool number_integer(int64_t i) override { return put(Value::integer(i)); }
  bool number_unsigned(uint64_t i) override {
    return i <= INT64_MAX ? put(Value::integer(static_cast<int64_t>(i))) : put(Value::real(static_cast<double>(i)));
  }
  bool number_float(double d, const std::string&) override { return put(Value::real(d)); }
  bool string(std::string& s) override { return put(rt_.string(Text(s, !in_own_))); }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(size_t) override { return open(true); }
  bool start_array(size_t) override { return open(false); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    if (open_.size() == 1) in_own_ = is_own_ && is_own_(name);
    auto value = rt_.string(Text(name, !in_own_));
    if (!value) return fail(value.error());
    open_.back().key = *value;
    return true;
  }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& e) override {
    return fail(error(Code::invalid_argument, "not valid JSON: {}", e.what()));
  }

 private:
  struct Open {
    bool is_dict;
    Dict dict;
    std::vector<Value> list;
    Value key;
  };

  bool fail(Error e) {
    problem = std::move(e);
    return false;
  }
  bool put(Result<Value> value) {
    if (!value) return fail(value.error());
    if (open_.empty())
      result = *value;
    else if (open_.back().is_dict)
      open_.back().dict.set(open_.back().key, *value);
    else
      open_.back().list.push_back(*value);
    auto charged = rt_.charge(sizeof(Value));
    return charged ? true : fail(charged.error());
  }
  bool open(bool is_dict) {
    if (static_cast<int>(open_.size()) >= rt_.limits().max_depth)
      return fail(error(Code::invalid_argument, "JSON nested deeper than {} levels", rt_.limits().max_depth));
    open_.push_back({is_dict, {}, {}, {}});
    return true;
  }
  bool close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    return put(done.is_dict ? rt_.dict(std::move(done.dict)) : rt_.list(std::move(done.list)));
  }

  Runtime& rt_;
  bool (*is_own_)(std::string_view name);
  bool in_own_ = false;
  std::vector<Open> open_;
};

}  // namespace

Result<void> append_repr(Runtime& rt, const Value& v, Text& out) {
  TRY(rt.step());
  TRY(rt.check_length(out.size()));
  auto depth = TRY(rt.enter());
  switch (v.kind()) {
    case Kind::undefined:
      out.append("Undefined");
      return {};
    case Kind::none:
      out.append("None");
      return {};
    case Kind::boolean:
      out.append(v.as_bool() ? "True" : "False");
      return {};
    case Kind::integer:
      out.append(std::to_string(v.as_integer()));
      return {};
    case Kind::real:
      out.append(real_text(v.as_real()));
      return {};
    case Kind::string:
      TRY(rt.step(v.as_string().size()));
      if (v.is_markup()) out.append("Markup(");
      append_quoted(v.as_text(), out);
      if (v.is_markup()) out.append(")");
      return {};
    case Kind::list:
    case Kind::tuple:
      return append_list(rt, v, out);
    case Kind::generator:
      out.append("<generator object>");
      return {};
    case Kind::dict:
      return append_dict(rt, v.as_dict(), out);
    case Kind::function:
      out.append("<function>");
      return {};
    case Kind::name_space:
      out.append("<Namespace>");
      return {};
    case Kind::object:
      out.append(v.as_object().repr());
      return {};
  }
  return {};
}

Result<Text> to_text(Runtime& rt, const Value& v) {
  if (v.is(Kind::string)) return v.as_text();
  Text out;
  if (!v.is(Kind::undefined)) TRY(append_repr(rt, v, out));
  return out;
}

Result<Text> markup_text(Runtime& rt, const Value& v) {
  Text text = TRY(to_text(rt, v));
  TRY(rt.step(text.size()));
  return v.is_markup() ? text : escape_html(text);
}

Result<Text> to_json_text(Runtime& rt, const Value& value, int indent, bool ascii, bool sort_keys,
                          std::string_view item_separator, std::string_view key_separator) {
  JsonWriter writer(rt, indent, ascii, sort_keys, item_separator, key_separator);
  TRY(writer.write(value, 0));
  return std::move(writer.out);
}

Result<Value> value_from_json(Runtime& rt, std::string_view json, bool (*is_own)(std::string_view name)) {
  JsonReader reader(rt, is_own);
  bool ok = false;
  try {
    ok = nlohmann::json::sax_parse(json.begin(), json.end(), &reader);
  } catch (const nlohmann::json::exception& e) {
    return error(Code::invalid_argument, "not valid JSON: {}", e.what());
  }
  if (!ok) return reader.problem ? *reader.problem : error(Code::invalid_argument, "not valid JSON");
  return reader.result;
}

}  // namespace hearth::jinja
