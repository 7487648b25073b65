// Methods of lists and dicts, as Python has them. Those that would change one are refused, as transformers' sandbox
// does.
#include "model_store/templates/methods.h"

namespace hearth::jinja {
namespace {

Result<Value> refuse_change(Interpreter&, const Value& self, Arguments&) {
  return error(Code::invalid_argument, "{} cannot be changed in a chat template; build a new one",
               kind_name(self.kind()));
}

Result<Value> view(Interpreter& in, std::vector<Value> items, const char* name) {
  Value out = TRY(in.runtime().list(std::move(items)));
  out.as_list().view = name;
  return out;
}

Result<Value> dict_get(Interpreter&, const Value& self, Arguments& arguments) {
  Value key = TRY(arguments.require("key"));
  auto otherwise = arguments.take("default");
  if (const Value* found = self.as_dict().find(key)) return *found;
  return otherwise ? *otherwise : Value::none();
}
Result<Value> dict_items(Interpreter& in, const Value& self, Arguments&) {
  std::vector<Value> out;
  for (const auto& [key, value] : self.as_dict().items) out.push_back(TRY(in.runtime().list({key, value}, true)));
  return view(in, std::move(out), "dict_items");
}
Result<Value> dict_keys(Interpreter& in, const Value& self, Arguments&) {
  return view(in, TRY(items_of(in.runtime(), self)), "dict_keys");
}
Result<Value> dict_values(Interpreter& in, const Value& self, Arguments&) {
  std::vector<Value> out;
  for (const auto& [key, value] : self.as_dict().items) out.push_back(value);
  return view(in, std::move(out), "dict_values");
}
Result<Value> dict_copy(Interpreter& in, const Value& self, Arguments&) {
  return in.runtime().dict(self.as_dict());
}
Result<Value> list_copy(Interpreter& in, const Value& self, Arguments&) {
  return in.runtime().list(self.as_list().items);
}

Result<Value> list_index(Interpreter& in, const Value& self, Arguments& arguments) {
  Value what = TRY(arguments.require("value"));
  const auto& items = self.as_list().items;
  for (size_t i = 0; i < items.size(); ++i)
    if (TRY(equals(in.runtime(), items[i], what))) return Value::integer(static_cast<int64_t>(i));
  return error(Code::invalid_argument, "the item is not in the list");
}
Result<Value> list_count(Interpreter& in, const Value& self, Arguments& arguments) {
  Value what = TRY(arguments.require("value"));
  int64_t n = 0;
  for (const auto& item : self.as_list().items) n += TRY(equals(in.runtime(), item, what));
  return Value::integer(n);
}

constexpr BuiltinEntry kDictMethods[] = {
    {"clear", refuse_change},         {"copy", checked<dict_copy>},  {"get", checked<dict_get>},
    {"items", checked<dict_items>},   {"keys", checked<dict_keys>},  {"pop", refuse_change},
    {"popitem", refuse_change},       {"setdefault", refuse_change}, {"update", refuse_change},
    {"values", checked<dict_values>},
};
constexpr BuiltinEntry kListMethods[] = {
    {"append", refuse_change},      {"clear", refuse_change},  {"copy", checked<list_copy>},
    {"count", checked<list_count>}, {"extend", refuse_change}, {"index", checked<list_index>},
    {"insert", refuse_change},      {"pop", refuse_change},    {"remove", refuse_change},
    {"reverse", refuse_change},     {"sort", refuse_change},
};

constexpr BuiltinEntry kTupleMethods[] = {
    {"count", checked<list_count>},
    {"index", checked<list_index>},
};

}  // namespace

const Builtin* find_method(const Value& self, std::string_view name) {
  if (self.is(Kind::string)) return find_text_method(name);
  if (self.is(Kind::dict)) return find_in(kDictMethods, name);
  if (self.is_view()) return nullptr;
  if (self.is(Kind::tuple) || self.is_range()) return find_in(kTupleMethods, name);
  if (self.is(Kind::list)) return find_in(kListMethods, name);
  return nullptr;
}

}  // namespace hearth::jinja
