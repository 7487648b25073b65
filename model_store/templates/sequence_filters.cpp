// Filters over sequences and dicts: {{ value|map(attribute="x")|join(", ") }}.
#include <algorithm>

#include "model_store/templates/filters.h"
#include "model_store/templates/text.h"

namespace hearth::jinja {
namespace {

Result<Value> join(Interpreter& in, const Value& input, Arguments& arguments) {
  std::string separator;
  if (auto d = arguments.take("d")) separator = TRY(text_of(in, *d));
  auto attribute = arguments.take("attribute");
  std::string out;
  bool first = true;
  auto items = TRY(items_of(in.runtime(), input));
  for (const auto& item : items) {
    if (!first) out += separator;
    first = false;
    out += TRY(text_of(in, attribute ? TRY(path_of(in, item, *attribute)) : item));
    TRY(in.runtime().check_length(out.size()));
  }
  return in.runtime().string(std::move(out));
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
  auto all = TRY(items_of(in.runtime(), input));
  return all.empty() ? in.runtime().undefined("the first item of nothing") : Result<Value>(all.front());
}

Result<Value> last(Interpreter& in, const Value& input, Arguments&) {
  auto all = TRY(items_of(in.runtime(), input));
  return all.empty() ? in.runtime().undefined("the last item of nothing") : Result<Value>(all.back());
}

Result<Value> reverse(Interpreter& in, const Value& input, Arguments&) {
  auto all = TRY(items_of(in.runtime(), input));
  std::reverse(all.begin(), all.end());
  if (!input.is(Kind::string)) return in.runtime().generator(std::move(all));
  std::string out;
  for (const auto& c : all) out += c.as_string();
  return in.runtime().string(std::move(out));
}

// map(attribute="x", default=...) or map("filter", arguments...)
Result<Value> map(Interpreter& in, const Value& input, Arguments& arguments) {
  std::optional<Value> attribute, otherwise;
  if (arguments.positional.empty()) {
    attribute = TRY(arguments.require("attribute"));
    otherwise = arguments.take("default");
  }
  std::string name = attribute ? "" : TRY(text_of(in, TRY(arguments.require("filter"))));
  Arguments rest;
  if (!attribute) {
    rest.positional.assign(arguments.positional.begin() + 1, arguments.positional.end());
    rest.named = std::move(arguments.named);
    arguments.positional.resize(1);
    arguments.named.clear();
  }
  std::vector<Value> out;
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
  std::string name = test ? TRY(text_of(in, *test)) : "";
  std::vector<Value> out;
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

Result<Value> sort(Interpreter& in, const Value& input, Arguments& arguments) {
  bool reversed = TRY(arguments.flag_or("reverse", false)),
       case_sensitive = TRY(arguments.flag_or("case_sensitive", false));
  auto attribute = arguments.take("attribute");
  std::vector<std::pair<Value, Value>> pairs;
  auto all = TRY(items_of(in.runtime(), input));
  for (const auto& item : all) {
    Value key = attribute ? TRY(path_of(in, item, *attribute)) : item;
    pairs.emplace_back(TRY(lowered_if(in, !case_sensitive, key)), item);
  }
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
    bool is_new = true;
    for (const auto& seen : keys) is_new = is_new && !TRY(equals(in.runtime(), seen, key));
    if (!is_new) continue;
    keys.push_back(key);
    out.push_back(item);
  }
  return in.runtime().generator(std::move(out));
}

Result<Value> sum(Interpreter& in, const Value& input, Arguments& arguments) {
  auto attribute = arguments.take("attribute");
  double real = 0;
  int64_t whole = 0;
  bool is_real = false;
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
Result<Value> extreme(Interpreter& in, const Value& input, Arguments&) {
  auto all = TRY(items_of(in.runtime(), input));
  if (all.empty()) return in.runtime().undefined("the extreme of nothing");
  Value best = all[0];
  for (const auto& item : all)
    if (TRY(compare(in.runtime(), item, best)) == wanted) best = item;
  return best;
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

constexpr BuiltinEntry kSequenceFilters[] = {
    {"batch", batch},
    {"dictsort", dictsort},
    {"first", first},
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
    {"sort", sort},
    {"sum", sum},
    {"unique", unique},
};

}  // namespace

const Builtin* find_sequence_filter(std::string_view name) {
  return find_in(kSequenceFilters, name);
}

}  // namespace hearth::jinja
