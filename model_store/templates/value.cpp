// Values: truth, equality, order, containers, and the runtime that owns them.
#include "model_store/templates/value.h"

#include <time.h>

#include <algorithm>
#include <cmath>

#include "model_store/templates/text.h"

namespace hearth::jinja {
namespace {

constexpr size_t kIndexedFrom = 16;

// Ranges of the same numbers are equal: how many, the first, the step.
std::vector<int64_t> numbers_of(const List& range) {
  const size_t n = range.items.size();
  if (n == 0) return {};
  const int64_t first = range.items[0].as_integer();
  return {static_cast<int64_t>(n), first, n > 1 ? range.items[1].as_integer() - first : 0};
}

// Equal keys have equal texts: 1, 1.0 and true are one key, as in Python.
std::string key_text(const Value& key) {
  switch (key.kind()) {
    case Kind::string:
      return "s" + key.as_string();
    case Kind::boolean:
    case Kind::integer:
      return "n" + std::to_string(key.as_integer());
    case Kind::real: {
      double d = key.as_real();
      if (d == std::floor(d) && std::abs(d) < 9e15) return "n" + std::to_string(static_cast<int64_t>(d));
      return "r" + real_text(d);
    }
    case Kind::undefined:
      return "u";
    case Kind::list:
      return fmt::format("range {}", fmt::join(numbers_of(key.as_list()), ","));
    case Kind::tuple: {
      std::string out = "t";
      for (const Value& item : key.as_list().items) {
        const std::string part = key_text(item);
        out += fmt::format("{}:{}", part.size(), part);
      }
      return out;
    }
    default:
      return "none";
  }
}

bool same_key(const Value& a, const Value& b) {
  if (a.is(Kind::string) != b.is(Kind::string)) return false;
  if (a.is(Kind::string)) return a.as_string() == b.as_string();
  return key_text(a) == key_text(b);
}

}  // namespace

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::undefined:
      return "undefined";
    case Kind::none:
      return "none";
    case Kind::boolean:
      return "a boolean";
    case Kind::integer:
      return "an integer";
    case Kind::real:
      return "a float";
    case Kind::string:
      return "a string";
    case Kind::list:
      return "a list";
    case Kind::tuple:
      return "a tuple";
    case Kind::generator:
      return "a generator";
    case Kind::dict:
      return "a dict";
    case Kind::function:
      return "a function";
    case Kind::name_space:
      return "a namespace";
    case Kind::object:
      return "an object";
  }
  return "";
}

bool is_key(const Value& v) {
  if (v.is(Kind::tuple)) return std::all_of(v.as_list().items.begin(), v.as_list().items.end(), is_key);
  return v.is_number() || v.is(Kind::string) || v.is(Kind::none) || v.is(Kind::undefined) || v.is_range();
}

const Value* Dict::find(const Value& key) const {
  if (!is_key(key)) return nullptr;
  if (!index.empty()) {
    auto it = index.find(key_text(key));
    return it == index.end() ? nullptr : &items[it->second].second;
  }
  for (const auto& [k, v] : items)
    if (same_key(k, key)) return &v;
  return nullptr;
}

const Value* Dict::find(std::string_view key) const {
  if (!index.empty()) {
    auto it = index.find("s" + std::string(key));
    return it == index.end() ? nullptr : &items[it->second].second;
  }
  for (const auto& [k, v] : items)
    if (k.is(Kind::string) && k.as_string() == key) return &v;
  return nullptr;
}

void Dict::set(const Value& key, Value value) {
  if (const Value* old = find(key)) {
    *const_cast<Value*>(old) = std::move(value);
    return;
  }
  items.emplace_back(key, std::move(value));
  if (items.size() == kIndexedFrom) {
    for (size_t i = 0; i < items.size(); ++i) index.emplace(key_text(items[i].first), i);
  } else if (items.size() > kIndexedFrom) {
    index.emplace(key_text(key), items.size() - 1);
  }
}

std::optional<Value> Arguments::take(std::string_view name) {
  if (n_taken_ < positional.size()) return positional[n_taken_++];
  for (auto it = named.begin(); it != named.end(); ++it)
    if (it->first == name) {
      Value value = std::move(it->second);
      named.erase(it);
      return value;
    }
  return std::nullopt;
}

Result<Value> Arguments::require(std::string_view name) {
  if (auto value = take(name)) return *value;
  return error(Code::invalid_argument, "argument \"{}\" is missing", name);
}

Result<std::string> Arguments::string_or(std::string_view name, std::string_view otherwise) {
  return TRY(text_or(name, otherwise)).bytes();
}

Result<Text> Arguments::text_or(std::string_view name, std::string_view otherwise) {
  auto value = take(name);
  if (!value || value->is(Kind::none)) return Text(std::string(otherwise));
  if (!value->is(Kind::string))
    return error(Code::invalid_argument, "argument \"{}\" must be a string, it is {}", name, kind_name(value->kind()));
  return value->as_text();
}

Result<int64_t> Arguments::integer_or(std::string_view name, int64_t otherwise) {
  auto value = take(name);
  if (!value || value->is(Kind::none)) return otherwise;
  if (!value->is_integral())
    return error(Code::invalid_argument, "argument \"{}\" must be an integer, it is {}", name,
                 kind_name(value->kind()));
  return value->as_integer();
}

Result<bool> Arguments::flag_or(std::string_view name, bool otherwise) {
  auto value = take(name);
  return value ? truth(*value) : otherwise;
}

Result<void> Arguments::finish() const {
  if (n_taken_ < positional.size())
    return error(Code::invalid_argument, "{} arguments are expected at most, {} were given", n_taken_,
                 positional.size());
  if (!named.empty())
    return error(Code::invalid_argument, "argument \"{}\" is not known", named[0].first.substr(0, 60));
  return {};
}

// What this thread has computed: other programs on a busy machine do not count.
static std::chrono::nanoseconds processor_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

size_t text_bytes(const Arguments& arguments) {
  size_t n = 0;
  for (const Value& value : arguments.positional) n += text_bytes(value);
  for (const auto& [name, value] : arguments.named) n += text_bytes(value);
  return n;
}

bool any_typed(const Arguments& arguments) {
  for (const Value& value : arguments.positional)
    if (value.is_typed()) return true;
  for (const auto& [name, value] : arguments.named)
    if (value.is_typed()) return true;
  return false;
}

Runtime::Runtime(const TemplateLimits& limits) : limits_(limits), deadline_(processor_time() + limits.max_time) {}
Runtime::~Runtime() = default;

Result<void> Runtime::step(size_t n_bytes) {
  n_steps_ += 1 + static_cast<int64_t>(n_bytes / 64);
  if (n_steps_ > limits_.max_steps)
    return error(Code::resource_exhausted, "the chat template took more than {} steps", limits_.max_steps);
  if (n_steps_ >= next_clock_check_) {
    next_clock_check_ = n_steps_ + 256;
    if (processor_time() > deadline_)
      return error(Code::deadline_exceeded, "the chat template took longer than {} ms", limits_.max_time.count());
  }
  return {};
}

Result<Runtime::Depth> Runtime::enter() {
  // One level of the source may need several of these: a block, its expression, the operands.
  if (depth_ >= limits_.max_depth * 8)
    return error(Code::resource_exhausted, "the chat template calls or nests too deeply");
  ++depth_;
  return Depth(this);
}

Result<void> Runtime::check_length(size_t n_bytes) const {
  if (n_bytes > limits_.max_output_bytes || live_bytes_ + n_bytes > limits_.max_memory_bytes)
    return error(Code::resource_exhausted, "the chat template makes a text of {} bytes; the limit is {}", n_bytes,
                 limits_.max_output_bytes);
  return {};
}

Result<Value> Runtime::string(std::string text) {
  return string(Text(std::move(text), inputs_are_typed_));
}

Result<Value> Runtime::string(Text text) {
  TRY(check_length(text.memory_bytes()));
  TRY(step(text.size()));
  return Value::text(Kind::string, std::make_shared<CountedString>(std::move(text), &live_bytes_));
}

Result<Value> Runtime::undefined(std::string_view name) {
  return Value::text(Kind::undefined,
                     std::make_shared<CountedString>(Text(std::string(name.substr(0, 80))), &live_bytes_));
}

Result<void> Runtime::charge(size_t n_bytes) {
  container_bytes_ += n_bytes;
  if (container_bytes_ + live_bytes_ > limits_.max_memory_bytes)
    return error(Code::resource_exhausted, "the chat template needs more than {} bytes of memory",
                 limits_.max_memory_bytes);
  return step(n_bytes);
}

Result<Value> Runtime::list(std::vector<Value> items, bool is_tuple) {
  TRY(charge(sizeof(List) + items.size() * sizeof(Value)));
  const bool is_typed = std::any_of(items.begin(), items.end(), [](const Value& v) { return v.is_typed(); });
  lists_.push_back(List{std::move(items), {}, is_typed});
  return Value::list(&lists_.back(), is_tuple);
}

Result<Value> Runtime::range(std::vector<Value> items, const Range& bounds) {
  Value value = TRY(list(std::move(items)));
  value.as_list().range = bounds;
  return value;
}

Result<Value> Runtime::generator(std::vector<Value> items) {
  Value value = TRY(list(std::move(items)));
  return Value::generator(&value.as_list());
}

Result<Value> Runtime::dict(Dict dict) {
  TRY(charge(sizeof(Dict) + dict.items.size() * (2 * sizeof(Value) + (dict.index.empty() ? 0 : 64))));
  for (const auto& [key, value] : dict.items) dict.is_typed |= key.is_typed() || value.is_typed();
  dicts_.push_back(std::move(dict));
  return Value::dict(&dicts_.back());
}

Result<Value> Runtime::function(Function function) {
  TRY(charge(sizeof(Function)));
  functions_.push_back(std::move(function));
  return Value::function(&functions_.back());
}

Result<Value> Runtime::name_space() {
  TRY(charge(sizeof(Namespace)));
  namespaces_.emplace_back();
  return Value::name_space(&namespaces_.back());
}

Result<Value> Runtime::object(std::unique_ptr<Object> object) {
  TRY(charge(sizeof(Object) + 96));
  objects_.push_back(std::move(object));
  return Value::object(objects_.back().get());
}

Result<Value> Object::call(Interpreter&, Arguments&) {
  return error(Code::invalid_argument, "{} cannot be called", repr());
}

Result<Scope*> Runtime::scope(Scope* parent) {
  TRY(charge(sizeof(Scope)));
  scopes_.push_back(std::make_unique<Scope>());
  scopes_.back()->parent = parent;
  return scopes_.back().get();
}

bool Value::is_typed() const {
  switch (kind_) {
    case Kind::string:
      return string_->text.is_typed();
    case Kind::list:
    case Kind::tuple:
    case Kind::generator:
      return list_->is_typed;
    case Kind::dict:
      return dict_->is_typed;
    case Kind::function:
      return function_->self.is_typed();
    case Kind::name_space:  // it changes, and may hold itself
      return !namespace_->members.empty();
    case Kind::object:
      return true;
    default:
      return false;
  }
}

bool truth(const Value& v) {
  switch (v.kind()) {
    case Kind::undefined:
    case Kind::none:
      return false;
    case Kind::boolean:
    case Kind::integer:
      return v.as_integer() != 0;
    case Kind::real:
      return v.as_real() != 0;
    case Kind::string:
      return !v.as_string().empty();
    case Kind::list:
    case Kind::tuple:
      return !v.as_list().items.empty();
    case Kind::dict:
      return !v.as_dict().items.empty();
    case Kind::generator:
    case Kind::function:
    case Kind::name_space:
      return true;
    case Kind::object:
      return v.as_object().length().value_or(1) != 0;
  }
  return false;
}

bool is_none_or_undefined(const Value& v) {
  return v.is(Kind::none) || v.is(Kind::undefined);
}

Result<bool> equals(Runtime& rt, const Value& a, const Value& b) {
  TRY(rt.step(std::min(text_bytes(a), text_bytes(b))));
  auto depth = TRY(rt.enter());
  if (a.is_number() && b.is_number())
    return a.is_integral() && b.is_integral() ? a.as_integer() == b.as_integer() : a.as_real() == b.as_real();
  if (a.kind() != b.kind() || a.is_range() != b.is_range() || a.is_view() != b.is_view()) return false;
  switch (a.kind()) {
    case Kind::undefined:
    case Kind::none:
      return true;
    case Kind::string:
      return a.as_string() == b.as_string();
    case Kind::list:
    case Kind::tuple: {
      const auto &x = a.as_list().items, &y = b.as_list().items;
      if (x.size() != y.size()) return false;
      for (size_t i = 0; i < x.size(); ++i)
        if (!TRY(equals(rt, x[i], y[i]))) return false;
      return true;
    }
    case Kind::dict: {
      const Dict &x = a.as_dict(), &y = b.as_dict();
      if (x.items.size() != y.items.size()) return false;
      for (const auto& [key, value] : x.items) {
        const Value* other = y.find(key);
        if (!other || !TRY(equals(rt, value, *other))) return false;
      }
      return true;
    }
    case Kind::function:
      return &a.as_function() == &b.as_function();
    case Kind::name_space:
      return &a.as_namespace() == &b.as_namespace();
    case Kind::object:
      return &a.as_object() == &b.as_object();
    case Kind::generator:
      return &a.as_list() == &b.as_list();
    default:
      return false;
  }
}

Result<int> compare(Runtime& rt, const Value& a, const Value& b) {
  TRY(rt.step(std::min(text_bytes(a), text_bytes(b))));
  auto depth = TRY(rt.enter());
  auto sign = [](auto x, auto y) { return x < y ? -1 : x > y ? 1 : 0; };
  if (a.is_integral() && b.is_integral()) return sign(a.as_integer(), b.as_integer());
  if (a.is_number() && b.is_number()) return sign(a.as_real(), b.as_real());
  if (a.is(Kind::string) && b.is(Kind::string)) return sign(a.as_string().compare(b.as_string()), 0);
  if (a.is_plain_list() && a.kind() == b.kind() && b.is_plain_list()) {
    const auto &x = a.as_list().items, &y = b.as_list().items;
    // As Python: the first items that are not equal decide, so equal ones need no order.
    for (size_t i = 0; i < std::min(x.size(), y.size()); ++i)
      if (TRY(equals(rt, x[i], y[i])))
        continue;
      else if (int order = TRY(compare(rt, x[i], y[i])))
        return order;
    return sign(x.size(), y.size());
  }
  return error(Code::invalid_argument, "{} and {} have no order", kind_name(a.kind()), kind_name(b.kind()));
}

Result<std::vector<Value>> items_of(Runtime& rt, const Value& v) {
  std::vector<Value> out;
  switch (v.kind()) {
    case Kind::undefined:
      return out;
    case Kind::list:
    case Kind::tuple:
      TRY(rt.step(v.as_list().items.size() * sizeof(Value)));
      return v.as_list().items;
    case Kind::generator:
      TRY(rt.step(v.as_list().items.size() * sizeof(Value)));
      return std::exchange(v.as_list().items, {});
    case Kind::dict:
      TRY(rt.step(v.as_dict().items.size() * sizeof(Value)));
      for (const auto& [key, value] : v.as_dict().items) out.push_back(key);
      return out;
    case Kind::string:
      TRY(rt.charge(v.as_string().size() * sizeof(Value)));
      for (std::string_view c : split_characters(v.as_string())) out.push_back(TRY(rt.string(v.as_text().part(c))));
      return out;
    default:
      return error(Code::invalid_argument, "{} cannot be iterated over", kind_name(v.kind()));
  }
}

Result<int64_t> length_of(const Value& v) {
  switch (v.kind()) {
    case Kind::undefined:
      return 0;
    case Kind::string:
      return count_characters(v.as_string());
    case Kind::list:
    case Kind::tuple:
      return static_cast<int64_t>(v.as_list().items.size());
    case Kind::dict:
      return static_cast<int64_t>(v.as_dict().items.size());
    case Kind::object:
      if (auto n = v.as_object().length()) return *n;
      [[fallthrough]];
    default:
      return error(Code::invalid_argument, "{} has no length", kind_name(v.kind()));
  }
}

Result<bool> contains(Runtime& rt, const Value& container, const Value& item) {
  switch (container.kind()) {
    case Kind::undefined:
      return false;
    case Kind::string:
      if (!item.is(Kind::string))
        return error(Code::invalid_argument, "only a string can be in a string, not {}", kind_name(item.kind()));
      TRY(rt.step(container.as_string().size()));
      return find_text(container.as_string(), item.as_string(), 0) != std::string_view::npos;
    case Kind::dict:
      if (!is_key(item) && (item.is_list() || item.is(Kind::dict)))
        return error(Code::invalid_argument, "{} cannot be a key", kind_name(item.kind()));
      return container.as_dict().find(item) != nullptr;
    case Kind::list:
    case Kind::tuple:
      for (const auto& each : container.as_list().items)
        if (TRY(equals(rt, each, item))) return true;
      return false;
    case Kind::generator: {
      // What was looked at is gone.
      std::vector<Value>& rest = container.as_list().items;
      size_t n = 0;
      bool found = false;
      while (n < rest.size() && !found) found = TRY(equals(rt, rest[n++], item));
      rest.erase(rest.begin(), rest.begin() + static_cast<ptrdiff_t>(n));
      return found;
    }
    default:
      return error(Code::invalid_argument, "nothing can be in {}", kind_name(container.kind()));
  }
}

}  // namespace hearth::jinja
