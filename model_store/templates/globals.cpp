// Global functions of templates: range, dict, namespace, raise_exception, strftime_now.
#include <charconv>
#include <ctime>

#include "model_store/templates/builtin_table.h"
#include "model_store/templates/globals.h"
#include "model_store/templates/interpreter.h"

namespace hearth::jinja {
namespace {

constexpr int64_t kMaxRange = 100'000;  // as Jinja's own sandbox

Result<Value> range(Interpreter& in, const Value&, Arguments& arguments) {
  int64_t bounds[3] = {0, 0, 1};
  const size_t n = arguments.positional.size();
  if (n < 1 || n > 3 || !arguments.named.empty()) return error(Code::invalid_argument, "range needs 1 to 3 integers");
  for (const auto& value : arguments.positional)
    if (!value.is_integral())
      return error(Code::invalid_argument, "range needs integers, got {}", kind_name(value.kind()));
  if (n == 1) bounds[1] = arguments.positional[0].as_integer();
  for (size_t i = 0; n > 1 && i < n; ++i) bounds[i] = arguments.positional[i].as_integer();
  auto [begin, end, step] = bounds;
  if (step == 0) return error(Code::invalid_argument, "the step of range must not be zero");
  std::vector<Value> out;
  for (__int128 i = begin; step > 0 ? i < end : i > end; i += step) {
    if (static_cast<int64_t>(out.size()) >= kMaxRange)
      return error(Code::resource_exhausted, "a range of more than {} numbers", kMaxRange);
    out.push_back(Value::integer(static_cast<int64_t>(i)));
  }
  return in.runtime().range(std::move(out), {begin, end, step});
}

Result<Value> make_dict(Interpreter& in, const Value&, Arguments& arguments) {
  Dict out;
  if (!arguments.positional.empty()) {
    if (arguments.positional.size() > 1) return error(Code::invalid_argument, "dict() takes one dict and keywords");
    if (arguments.positional[0].is(Kind::dict)) {
      out = arguments.positional[0].as_dict();
    } else {
      for (const Value& pair : TRY(items_of(in.runtime(), arguments.positional[0]))) {
        const auto both = TRY(items_of(in.runtime(), pair));
        if (both.size() != 2 || !is_key(both[0]))
          return error(Code::invalid_argument, "dict() needs pairs of a key and a value");
        out.set(both[0], both[1]);
      }
    }
  }
  for (const auto& [name, value] : arguments.named) out.set(TRY(in.runtime().string(name)), value);
  return in.runtime().dict(std::move(out));
}

Result<Value> make_namespace(Interpreter& in, const Value&, Arguments& arguments) {
  Value out = TRY(in.runtime().name_space());
  if (!arguments.positional.empty()) {
    if (arguments.positional.size() > 1 || !arguments.positional[0].is(Kind::dict))
      return error(Code::invalid_argument, "namespace() takes a dict and keywords");
    for (const auto& [key, value] : arguments.positional[0].as_dict().items)
      if (key.is(Kind::string)) out.as_namespace().members[key.as_string()] = value;
  }
  for (const auto& [name, value] : arguments.named) out.as_namespace().members[name] = value;
  for (const auto& [name, value] : out.as_namespace().members)
    if (name.starts_with('_'))
      return error(Code::invalid_argument, "a namespace may not hold \"{}\", which begins with _", name.substr(0, 60));
  TRY(in.runtime().charge(out.as_namespace().members.size() * (sizeof(Value) + 64)));
  return out;
}

Result<Value> raise_exception(Interpreter& in, const Value&, Arguments& arguments) {
  Value message = TRY(arguments.require("message"));
  std::string text = TRY(to_text(in.runtime(), message));
  return error(Code::invalid_argument, "the model's chat template refuses this conversation: {}", text.substr(0, 2000));
}

// "2026-01-31T12:00:00" → broken-down time with its weekday.
Result<std::tm> parse_time(const std::string& text) {
  std::tm out{};
  char trailing = 0;
  int n = std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%c", &out.tm_year, &out.tm_mon, &out.tm_mday, &out.tm_hour,
                      &out.tm_min, &out.tm_sec, &trailing);
  if (n < 6) return error(Code::invalid_argument, "\"now\" must look like 2026-01-31T12:00:00");
  out.tm_year -= 1900;
  out.tm_mon -= 1;
  std::tm normalised = out;
  timegm(&normalised);  // fills weekday and day of the year
  return normalised;
}

Result<Value> strftime_now(Interpreter& in, const Value&, Arguments& arguments) {
  Value format = TRY(arguments.require("format"));
  if (!format.is(Kind::string) || format.as_string().size() > 256)
    return error(Code::invalid_argument, "strftime_now needs a format of at most 256 bytes");
  std::tm now{};
  if (in.now().empty()) {
    std::time_t clock = std::time(nullptr);
    localtime_r(&clock, &now);
  } else {
    now = TRY(parse_time(in.now()));
  }
  if (format.as_string().empty()) return in.runtime().string("");
  char buffer[4096];
  size_t n = std::strftime(buffer, sizeof buffer, format.as_string().c_str(), &now);
  return in.runtime().string(std::string(buffer, n));
}

// dict.fromkeys(["a", "b"], 0)
Result<Value> from_keys(Interpreter& in, const Value&, Arguments& arguments) {
  const Value keys = TRY(arguments.require("iterable"));
  const Value value = arguments.take("value").value_or(Value::none());
  TRY(arguments.finish());
  Dict out;
  for (const Value& key : TRY(items_of(in.runtime(), keys))) {
    if (!is_key(key)) return error(Code::invalid_argument, "{} cannot be a key", kind_name(key.kind()));
    out.set(key, value);
  }
  return in.runtime().dict(std::move(out));
}

Result<Value> lipsum(Interpreter&, const Value&, Arguments&) {
  return error(Code::unimplemented, "lipsum() is not supported: a prompt must be the same every time");
}

constexpr BuiltinEntry kGlobals[] = {
    {"cycler", make_cycler},
    {"dict", make_dict},
    {"dict.fromkeys", from_keys},
    {"joiner", make_joiner},
    {"lipsum", lipsum},
    {"namespace", make_namespace},
    {"raise_exception", raise_exception},
    {"range", range},
    {"strftime_now", strftime_now},
};

}  // namespace

const Builtin* find_global(std::string_view name) {
  return find_in(kGlobals, name);
}

}  // namespace hearth::jinja
