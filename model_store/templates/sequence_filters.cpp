// Filters over sequences and dicts: {{ value|map(attribute="x")|join(", ") }}.
#include <algorithm>

#include "model_store/templates/filters.h"
#include "model_store/templates/text.h"

namespace hearth::jinja {
namespace {

// Plain text, but inside {% autoescape %} markup as soon as one of the parts is.
Result<Value> join(Interpreter& in, const Value& input, Arguments& arguments) {
  const Value separator = arguments.take("d").value_or(TRY(in.runtime().string(Text())));
  auto attribute = arguments.take("attribute");
  auto items = TRY(items_of(in.runtime(), input));
  bool is_markup = in.autoescape() && separator.is_markup();
  for (Value& item : items) {
    if (attribute) item = TRY(path_of(in, item, *attribute));
    is_markup |= in.autoescape() && item.is_markup();
  }
  auto part = [&](const Value& v) { return is_markup ? markup_text(in.runtime(), v) : text_of(in, v); };
  const Text between = TRY(part(separator));
  Text out;
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out.append(between);
    out.append(TRY(part(items[i])));
    TRY(in.runtime().check_length(out.size()));
  }
  return TRY(in.runtime().string(std::move(out))).marked(is_markup);
}

Result<Value> items(Interpreter& in, const Value& input, Arguments&) {
  if (input.is(Kind::undefined)) return in.runtime().list({});
  if (!input.is(Kind::dict))
    return error(Code::invalid_argument, "only a dict has items, not {}", kind_name(input.kind()));
  std::vector<Value> out;
  for (const auto& [key, value] : input.as_dict().items) out.push_back(TRY(in.runtime().list({key, value}, true)));
  return in.runtime().generator(std::move(out));
}

Result<Value> list(Interpreter& in, const Value& input, Arguments&) {
  return in.runtime().list(TRY(items_of(in.runtime(), input)));
}

Result<Value> first(Interpreter& in, const Value& input, Arguments&) {
  if (input.is(Kind::generator)) {  // the rest stays in it
    std::vector<Value>& rest = input.as_list().items;
    if (rest.empty()) return in.runtime().undefined("the first item of nothing");
    const Value out = rest.front();
    TRY(in.runtime().step(rest.size() * sizeof(Value)));
    rest.erase(rest.begin());
    return out;
  }
  auto all = TRY(items_of(in.runtime(), input));
  return all.empty() ? in.runtime().undefined("the first item of nothing") : Result<Value>(all.front());
}

Result<Value> last(Interpreter& in, const Value& input, Arguments&) {
  if (input.is(Kind::generator)) return error(Code::invalid_argument, "a generator has no last item; make it a list");
  auto all = TRY(items_of(in.runtime(), input));
  return all.empty() ? in.runtime().undefined("the last item of nothing")
                     : Result<Value>(input.is_markup() ? all.back().marked() : all.back());
}

Result<Value> reverse(Interpreter& in, const Value& input, Arguments&) {
  auto all = TRY(items_of(in.runtime(), input));
  std::reverse(all.begin(), all.end());
  if (!input.is(Kind::string)) return in.runtime().generator(std::move(all));
  Text out;
  for (const auto& c : all) out.append(c.as_text());
  return TRY(in.runtime().string(std::move(out))).marked(input.is_markup());
}

// map(attribute="x", default=...) or map("filter", arguments...)
Result<Value> map(Interpreter& in, const Value& input, Arguments& arguments) {
  std::optional<Value> attribute, otherwise;
  if (arguments.positional.empty()) {
    attribute = TRY(arguments.require("attribute"));
    otherwise = arguments.take("default");
  }
  const std::string name = attribute ? "" : TRY(text_of(in, TRY(arguments.require("filter")))).bytes();
  Arguments rest;
  if (!attribute) {
    rest.positional.assign(arguments.positional.begin() + 1, arguments.positional.end());
    rest.named = std::move(arguments.named);
    arguments.positional.resize(1);
    arguments.named.clear();
  }
  std::vector<Value> out;
  if (!truth(input)) return in.runtime().generator({});  // none, too
  auto all = TRY(items_of(in.runtime(), input));
  for (const auto& item : all) {
    Value value = attribute ? TRY(path_of(in, item, *attribute)) : TRY(in.filter(name, item, Arguments(rest)));
    out.push_back(value.is(Kind::undefined) && otherwise ? *otherwise : value);
  }
  return in.runtime().generator(std::move(out));
}

// select, reject, selectattr, rejectattr: keep the items for which a test holds (or does not).
template <bool wanted, bool by_attribute>
Result<Value> select(Interpreter& in, const Value& input, Arguments& arguments) {
  std::optional<Value> attribute;
  if (by_attribute) attribute = TRY(arguments.require("attribute"));
  auto test = arguments.take("test");
  const size_t n_own = (by_attribute ? 1 : 0) + (test ? 1 : 0);
  Arguments rest;
  rest.positional.assign(
      arguments.positional.begin() + static_cast<ptrdiff_t>(std::min(n_own, arguments.positional.size())),
      arguments.positional.end());
  rest.named = std::move(arguments.named);
  arguments.positional.resize(std::min(n_own, arguments.positional.size()));
  arguments.named.clear();
  const std::string name = test ? TRY(text_of(in, *test)).bytes() : "";
  std::vector<Value> out;
  if (!truth(input)) return in.runtime().generator({});
  auto all = TRY(items_of(in.runtime(), input));
  for (const auto& item : all) {
    Value subject = attribute ? TRY(path_of(in, item, *attribute)) : item;
    bool holds = test ? TRY(in.test(name, subject, Arguments(rest))) : truth(subject);
    if (holds == wanted) out.push_back(item);
  }
  return in.runtime().generator(std::move(out));
}

Result<Value> lowered_if(Interpreter& in, bool lower, const Value& v) {
  return lower && v.is(Kind::string) ? in.runtime().string(to_lower(v.as_string())) : Result<Value>(v);
}

// Sorts (key, value) pairs by key; stable.
Result<void> sort_pairs(Interpreter& in, std::vector<std::pair<Value, Value>>& pairs, bool reverse) {
  std::optional<Error> problem;
  auto less = [&](const auto& a, const auto& b) {
    if (problem) return false;
    auto order = reverse ? compare(in.runtime(), b.first, a.first) : compare(in.runtime(), a.first, b.first);
    if (!order) {
      problem = order.error();
      return false;
    }
    return *order < 0;
  };
  std::stable_sort(pairs.begin(), pairs.end(), less);
  if (problem) return *problem;
  return {};
}

// An item itself, its attribute, or a list of several ("a,b").
Result<Value> sort_key(Interpreter& in, const Value& item, const std::optional<Value>& attribute, bool case_sensitive) {
  if (!attribute) return lowered_if(in, !case_sensitive, item);
  if (!attribute->is(Kind::string)) return lowered_if(in, !case_sensitive, TRY(path_of(in, item, *attribute)));
  std::vector<Value> keys;
  std::string_view rest = attribute->as_string();
  while (true) {
    const size_t comma = std::min(rest.find(','), rest.size());
    Value path = TRY(in.runtime().string(std::string(rest.substr(0, comma))));
    keys.push_back(TRY(lowered_if(in, !case_sensitive, TRY(path_of(in, item, path)))));
    if (comma == rest.size()) return in.runtime().list(std::move(keys));
    rest.remove_prefix(comma + 1);
  }
}

Result<Value> sort(Interpreter& in, const Value& input, Arguments& arguments) {
  bool reversed = TRY(arguments.flag_or("reverse", false)),
       case_sensitive = TRY(arguments.flag_or("case_sensitive", false));
  auto attribute = arguments.take("attribute");
  std::vector<std::pair<Value, Value>> pairs;
  auto all = TRY(items_of(in.runtime(), input));
  for (const auto& item : all) pairs.emplace_back(TRY(sort_key(in, item, attribute, case_sensitive)), item);
  TRY(sort_pairs(in, pairs, reversed));
  std::vector<Value> out;
  out.reserve(pairs.size());
  for (auto& [key, value] : pairs) out.push_back(std::move(value));
  return in.runtime().list(std::move(out));
}

Result<Value> dictsort(Interpreter& in, const Value& input, Arguments& arguments) {
  bool case_sensitive = TRY(arguments.flag_or("case_sensitive", false));
  std::string by = TRY(arguments.string_or("by", "key"));
  bool reversed = TRY(arguments.flag_or("reverse", false));
  if (!input.is(Kind::dict))
    return error(Code::invalid_argument, "only a dict can be sorted so, not {}", kind_name(input.kind()));
  std::vector<std::pair<Value, Value>> pairs;
  for (const auto& [key, value] : input.as_dict().items)
    pairs.emplace_back(TRY(lowered_if(in, !case_sensitive, by == "value" ? value : key)),
                       TRY(in.runtime().list({key, value}, true)));
  TRY(sort_pairs(in, pairs, reversed));
  std::vector<Value> out;
  out.reserve(pairs.size());
  for (auto& [key, value] : pairs) out.push_back(std::move(value));
  return in.runtime().list(std::move(out));
}

Result<Value> unique(Interpreter& in, const Value& input, Arguments& arguments) {
  bool case_sensitive = TRY(arguments.flag_or("case_sensitive", false));
  auto attribute = arguments.take("attribute");
  std::vector<Value> keys, out;
  auto all = TRY(items_of(in.runtime(), input));
  for (const auto& item : all) {
    Value key = TRY(lowered_if(in, !case_sensitive, attribute ? TRY(path_of(in, item, *attribute)) : item));
    if (!is_key(key) && (key.is_list() || key.is(Kind::dict)))
      return error(Code::invalid_argument, "{} cannot be compared by its hash", kind_name(key.kind()));
    bool is_new = true;
    for (const auto& seen : keys) is_new = is_new && !TRY(equals(in.runtime(), seen, key));
    if (!is_new) continue;
    keys.push_back(key);
    out.push_back(item);
  }
  return in.runtime().generator(std::move(out));
}

// One after the other, as Python's sum() has it of a list or tuple to start with.
Result<Value> sum_of_lists(Interpreter& in, const Value& input, const std::optional<Value>& attribute,
                           const Value& start) {
  std::vector<Value> out = start.as_list().items;
  for (const auto& item : TRY(items_of(in.runtime(), input))) {
    const Value v = attribute ? TRY(path_of(in, item, *attribute)) : item;
    if (!v.is_plain_list() || v.kind() != start.kind())
      return error(Code::invalid_argument, "{} cannot be added to {}", kind_name(v.kind()), kind_name(start.kind()));
    TRY(in.runtime().charge(v.as_list().items.size() * sizeof(Value)));
    out.insert(out.end(), v.as_list().items.begin(), v.as_list().items.end());
  }
  return in.runtime().list(std::move(out), start.is(Kind::tuple));
}

Result<Value> sum(Interpreter& in, const Value& input, Arguments& arguments) {
  auto attribute = arguments.take("attribute");
  const Value start = arguments.take("start").value_or(Value::integer(0));
  if (start.is_plain_list()) return sum_of_lists(in, input, attribute, start);
  if (!start.is_number()) return error(Code::invalid_argument, "a sum must start with a number");
  double real = start.as_real();
  int64_t whole = start.is_integral() ? start.as_integer() : 0;
  bool is_real = start.is(Kind::real);
  auto all = TRY(items_of(in.runtime(), input));
  for (const auto& item : all) {
    Value v = attribute ? TRY(path_of(in, item, *attribute)) : item;
    if (!v.is_number()) return error(Code::invalid_argument, "{} cannot be summed", kind_name(v.kind()));
    is_real |= v.is(Kind::real);
    real += v.as_real();
    if (v.is_integral() && __builtin_add_overflow(whole, v.as_integer(), &whole))
      return error(Code::invalid_argument, "an integer does not fit 64 bits");
  }
  return is_real ? Value::real(real) : Value::integer(whole);
}

template <int wanted>
Result<Value> extreme(Interpreter& in, const Value& input, Arguments& arguments) {
  const bool case_sensitive = TRY(arguments.flag_or("case_sensitive", false));
  auto attribute = arguments.take("attribute");
  auto all = TRY(items_of(in.runtime(), input));
  if (all.empty()) return in.runtime().undefined("the extreme of nothing");
  std::optional<Value> best, best_key;
  for (const auto& item : all) {
    Value key = TRY(lowered_if(in, !case_sensitive, attribute ? TRY(path_of(in, item, *attribute)) : item));
    if (best_key && TRY(compare(in.runtime(), key, *best_key)) != wanted) continue;
    best = item;
    best_key = std::move(key);
  }
  return *best;
}

Result<Value> batch(Interpreter& in, const Value& input, Arguments& arguments) {
  int64_t n = TRY(arguments.integer_or("linecount", 1));
  auto fill = arguments.take("fill_with");
  if (n < 1 || n > 100'000) return error(Code::invalid_argument, "a batch must have 1 to 100000 items, not {}", n);
  std::vector<Value> out, group;
  auto all = TRY(items_of(in.runtime(), input));
  for (const auto& item : all) {
    group.push_back(item);
    if (static_cast<int64_t>(group.size()) == n) out.push_back(TRY(in.runtime().list(std::exchange(group, {}))));
  }
  if (!group.empty()) {
    while (fill && static_cast<int64_t>(group.size()) < n) group.push_back(*fill);
    out.push_back(TRY(in.runtime().list(std::move(group))));
  }
  return in.runtime().generator(std::move(out));
}

// So many columns, the first ones longer when it does not come out even.
Result<Value> slice(Interpreter& in, const Value& input, Arguments& arguments) {
  const int64_t n_slices = TRY(arguments.integer_or("slices", 0));
  auto fill = arguments.take("fill_with");
  if (n_slices < 1 || n_slices > 100'000)
    return error(Code::invalid_argument, "there must be 1 to 100000 slices, not {}", n_slices);
  auto all = TRY(items_of(in.runtime(), input));
  const size_t n = static_cast<size_t>(n_slices), length = all.size() / n, n_longer = all.size() % n;
  std::vector<Value> out;
  for (size_t i = 0, at = 0; i < n; ++i) {
    const size_t end = at + length + (i < n_longer ? 1 : 0);
    std::vector<Value> group(all.begin() + static_cast<ptrdiff_t>(at), all.begin() + static_cast<ptrdiff_t>(end));
    if (fill && i >= n_longer) group.push_back(*fill);
    out.push_back(TRY(in.runtime().list(std::move(group))));
    at = end;
  }
  return in.runtime().generator(std::move(out));
}

// (key, items) for each value of an attribute, in the order of the keys.
Result<Value> groupby(Interpreter& in, const Value& input, Arguments& arguments) {
  const Value attribute = TRY(arguments.require("attribute"));
  auto otherwise = arguments.take("default");
  const bool case_sensitive = TRY(arguments.flag_or("case_sensitive", false));
  std::vector<std::pair<Value, Value>> pairs;
  for (const auto& item : TRY(items_of(in.runtime(), input))) {
    Value key = TRY(path_of(in, item, attribute));
    if (key.is(Kind::undefined) && otherwise) key = *otherwise;
    pairs.emplace_back(TRY(lowered_if(in, !case_sensitive, key)), item);
  }
  TRY(sort_pairs(in, pairs, false));
  std::vector<Value> out;
  for (size_t begin = 0, end = 0; begin < pairs.size(); begin = end) {
    std::vector<Value> group;
    for (end = begin; end < pairs.size() && TRY(equals(in.runtime(), pairs[end].first, pairs[begin].first)); ++end)
      group.push_back(pairs[end].second);
    // The key is shown as the first item has it.
    Value key = TRY(path_of(in, group[0], attribute));
    if (key.is(Kind::undefined) && otherwise) key = *otherwise;
    out.push_back(TRY(in.runtime().list({key, TRY(in.runtime().list(std::move(group)))}, true)));
    out.back().as_list().is_group = true;
  }
  return in.runtime().list(std::move(out));
}

constexpr BuiltinEntry kSequenceFilters[] = {
    {"batch", batch},
    {"dictsort", dictsort},
    {"first", first},
    {"groupby", groupby},
    {"items", items},
    {"join", join},
    {"last", last},
    {"list", list},
    {"map", map},
    {"max", extreme<1>},
    {"min", extreme<-1>},
    {"reject", select<false, false>},
    {"rejectattr", select<false, true>},
    {"reverse", reverse},
    {"select", select<true, false>},
    {"selectattr", select<true, true>},
    {"slice", slice},
    {"sort", sort},
    {"sum", sum},
    {"unique", unique},
};

}  // namespace

const Builtin* find_sequence_filter(std::string_view name) {
  return find_in(kSequenceFilters, name);
}

}  // namespace hearth::jinja
