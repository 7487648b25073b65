// Values of the template language: what Python would hold while rendering, without any way out to the host.
// Containers belong to a Runtime and live until the rendering ends (so hostile nesting needs no recursive destructor);
// strings are counted and freed as soon as nothing refers to them.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model_store/templates/chat_template.h"
#include "model_store/templates/typed_text.h"

namespace hearth::jinja {

class Runtime;
struct Function;
struct Namespace;
class Object;
struct List;
struct Dict;

enum class Kind : uint8_t {
  undefined,
  none,
  boolean,
  integer,
  real,
  string,
  list,
  tuple,
  generator,
  dict,
  function,
  name_space,
  object  // loop, cycler(), joiner(), self
};
std::string_view kind_name(Kind kind);  // as an error message would call it

// A string that tells the runtime's budget when it goes.
struct CountedString {
  Text text;
  size_t* live_bytes;
  CountedString(Text t, size_t* live) : text(std::move(t)), live_bytes(live) {
    *live_bytes += text.memory_bytes() + sizeof(*this);
  }
  ~CountedString() { *live_bytes -= text.memory_bytes() + sizeof(*this); }
  CountedString(const CountedString&) = delete;
  CountedString& operator=(const CountedString&) = delete;
};

class Value {
 public:
  Value() : integer_(0) {}  // undefined
  static Value none() { return Value(Kind::none, 0); }
  static Value boolean(bool b) { return Value(Kind::boolean, b); }
  static Value integer(int64_t i) { return Value(Kind::integer, i); }
  static Value real(double d) {
    Value v(Kind::real, 0);
    v.real_ = d;
    return v;
  }
  static Value list(List* l, bool is_tuple) {
    Value v(is_tuple ? Kind::tuple : Kind::list, 0);
    v.list_ = l;
    return v;
  }
  // What map() and its like give: it can be looped over and made a list, but has no length, items or JSON.
  static Value generator(List* l) {
    Value v(Kind::generator, 0);
    v.list_ = l;
    return v;
  }
  static Value dict(Dict* d) {
    Value v(Kind::dict, 0);
    v.dict_ = d;
    return v;
  }
  static Value function(const Function* f) {
    Value v(Kind::function, 0);
    v.function_ = f;
    return v;
  }
  static Value name_space(Namespace* n) {
    Value v(Kind::name_space, 0);
    v.namespace_ = n;
    return v;
  }
  static Value object(Object* o) {
    Value v(Kind::object, 0);
    v.object_ = o;
    return v;
  }
  // Made by Runtime::string(); also the name of something undefined.
  static Value text(Kind kind, std::shared_ptr<const CountedString> s) {
    Value v(kind, 0);
    v.string_ = std::move(s);
    return v;
  }
  // The same string as MarkupSafe's Markup, which |safe and |escape make: what is added to it is escaped.
  Value marked(bool is_markup = true) const {
    Value v = *this;
    v.is_markup_ = is_markup && v.kind_ == Kind::string;
    return v;
  }

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_markup() const { return is_markup_; }
  bool is_list() const { return kind_ == Kind::list || kind_ == Kind::tuple; }
  bool is_range() const;
  bool is_view() const;
  bool is_plain_list() const { return is_list() && !is_range() && !is_view(); }  // of Python's list or tuple
  bool is_number() const { return kind_ == Kind::boolean || kind_ == Kind::integer || kind_ == Kind::real; }
  bool is_integral() const { return kind_ == Kind::boolean || kind_ == Kind::integer; }

  bool as_bool() const { return integer_ != 0; }
  int64_t as_integer() const { return integer_; }  // boolean or integer
  double as_real() const { return kind_ == Kind::real ? real_ : static_cast<double>(integer_); }
  const std::string& as_string() const { return string_->text.bytes(); }
  const Text& as_text() const { return string_->text; }
  std::string undefined_name() const { return string_ ? string_->text.bytes() : std::string(); }
  bool is_typed() const;  // it is, or holds, something that people typed
  List& as_list() const { return *list_; }
  Dict& as_dict() const { return *dict_; }
  const Function& as_function() const { return *function_; }
  Namespace& as_namespace() const { return *namespace_; }
  Object& as_object() const { return *object_; }

 private:
  Value(Kind kind, int64_t i) : kind_(kind), integer_(i) {}
  Kind kind_ = Kind::undefined;
  bool is_markup_ = false;
  union {
    int64_t integer_;
    double real_;
    List* list_;
    Dict* dict_;
    const Function* function_;
    Namespace* namespace_;
    Object* object_;
  };
  std::shared_ptr<const CountedString> string_;
};

struct Range {
  int64_t begin = 0, end = 0, step = 1;
};

struct List {
  std::vector<Value> items;
  std::optional<Range> range;  // it was made by range(): printed so, and neither added, repeated nor written as JSON
  bool is_typed = false;       // any of the items
  const char* view = nullptr;  // it was made by items(), keys() or values(): "dict_items", ...; nothing has a number in it
  bool is_group = false;       // a tuple of groupby: its parts are called grouper and list, too
};

inline bool Value::is_range() const {
  return kind_ == Kind::list && list_->range.has_value();
}
inline bool Value::is_view() const {
  return kind_ == Kind::list && list_->view != nullptr;
}

// Insertion-ordered, keys compared as Python does.
struct Dict {
  std::vector<std::pair<Value, Value>> items;
  std::unordered_map<std::string, size_t> index;  // by key_text, once there are many items
  bool is_typed = false;                          // any of the items

  const Value* find(const Value& key) const;
  const Value* find(std::string_view key) const;
  void set(const Value& key, Value value);  // key must be hashable (is_key)
};
bool is_key(const Value& value);

struct Namespace {
  std::unordered_map<std::string, Value> members;
};

// Arguments of a call. take() hands them out in the order of a signature; finish() refuses what was not expected.
class Arguments {
 public:
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;

  std::optional<Value> take(std::string_view name);
  Result<Value> require(std::string_view name);
  Result<std::string> string_or(std::string_view name, std::string_view otherwise);
  Result<Text> text_or(std::string_view name, std::string_view otherwise);
  Result<int64_t> integer_or(std::string_view name, int64_t otherwise);
  Result<bool> flag_or(std::string_view name, bool otherwise);
  bool all_taken() const { return n_taken_ >= positional.size(); }  // of the positional ones
  Result<void> finish() const;

 private:
  size_t n_taken_ = 0;
};

class Interpreter;
// Filters, tests, methods and global functions share one shape; `input` is what they are applied to.
using Builtin = Result<Value> (*)(Interpreter& in, const Value& input, Arguments& arguments);

const Builtin* find_filter(std::string_view name);
const Builtin* find_test(std::string_view name);
const Builtin* find_global(std::string_view name);
// A method of a value's kind ("abc".upper); a null pointer: there is none.
const Builtin* find_method(const Value& self, std::string_view name);

class MacroDefinition;
class BlockTag;
struct Scope;
struct Function {
  const Builtin* builtin = nullptr;
  Value self;                              // of a bound method
  const MacroDefinition* macro = nullptr;  // else a macro, with the scope that it was defined in
  Scope* scope = nullptr;
  const BlockTag* block = nullptr;  // else a block, as self.name() calls it
};

// What has a state of its own while rendering. Attributes that it lacks are undefined.
class Object {
 public:
  virtual ~Object() = default;
  virtual Result<std::optional<Value>> attribute(Interpreter& in, std::string_view name) = 0;
  virtual Result<Value> call(Interpreter& in, Arguments& arguments);  // refuses
  virtual bool is_callable() const { return false; }
  virtual std::optional<int64_t> length() const { return std::nullopt; }
  virtual std::string repr() const = 0;
};

// Budget and owner of everything made while rendering.
class Runtime {
 public:
  explicit Runtime(const TemplateLimits& limits);
  Runtime(const Runtime&) = delete;

  // Counts work; resource_exhausted or deadline_exceeded at a limit.
  Result<void> step(size_t n_bytes = 0);

  class Depth {
   public:
    explicit Depth(Runtime* runtime) : runtime_(runtime) {}
    Depth(Depth&& other) noexcept : runtime_(std::exchange(other.runtime_, nullptr)) {}
    ~Depth() {
      if (runtime_) --runtime_->depth_;
    }

   private:
    Runtime* runtime_;
  };
  // Hold the result while going one level deeper.
  Result<Depth> enter();

  Result<Value> string(Text text);
  // Text whose bytes nobody followed: it counts as typed wherever anything is that the built-in function was given.
  Result<Value> string(std::string text);
  // Around every call of a built-in function: is any of what it was given typed?
  class Inputs {
   public:
    Inputs(Runtime& runtime, bool are_typed)
        : runtime_(runtime), before_(std::exchange(runtime.inputs_are_typed_, are_typed)) {}
    ~Inputs() { runtime_.inputs_are_typed_ = before_; }
    Inputs(const Inputs&) = delete;

   private:
    Runtime& runtime_;
    bool before_;
  };
  Result<Value> undefined(std::string_view name);
  Result<Value> list(std::vector<Value> items, bool is_tuple = false);
  Result<Value> range(std::vector<Value> items, const Range& bounds);
  Result<Value> generator(std::vector<Value> items);
  Result<Value> dict(Dict dict);
  Result<Value> function(Function function);
  Result<Value> name_space();
  Result<Value> object(std::unique_ptr<Object> object);
  Result<Scope*> scope(Scope* parent);
  Result<void> charge(size_t n_bytes);              // memory of containers
  Result<void> check_length(size_t n_bytes) const;  // a string about to be made

  const TemplateLimits& limits() const { return limits_; }

 private:
  TemplateLimits limits_;
  std::chrono::nanoseconds deadline_;  // of this thread's processor time
  int64_t n_steps_ = 0, next_clock_check_ = 0;
  int depth_ = 0;
  bool inputs_are_typed_ = false;
  size_t live_bytes_ = 0, container_bytes_ = 0;
  // Containers after the counter that their strings tell, so that they go first.
  std::deque<List> lists_;
  std::deque<Dict> dicts_;
  std::deque<Function> functions_;
  std::deque<Namespace> namespaces_;
  std::deque<std::unique_ptr<Object>> objects_;
  std::deque<std::unique_ptr<Scope>> scopes_;

 public:
  ~Runtime();
};

// Variables of a block; lookups go outwards.
struct Scope {
  Scope* parent = nullptr;
  std::unordered_map<std::string, Value> variables;
  bool is_captured = false;  // a macro remembers it
};

bool truth(const Value& value);
bool is_none_or_undefined(const Value& value);
Result<bool> equals(Runtime& rt, const Value& a, const Value& b);
// -1, 0, 1; an error for kinds that have no order.
Result<int> compare(Runtime& rt, const Value& a, const Value& b);
// str(value) as it goes into markup: escaped, unless it is markup itself.
Result<Text> markup_text(Runtime& rt, const Value& value);
// str(value) and repr(value) of Python.
Result<Text> to_text(Runtime& rt, const Value& value);
Result<void> append_repr(Runtime& rt, const Value& value, Text& out);
Result<Text> to_json_text(Runtime& rt, const Value& value, int indent, bool ascii, bool sort_keys,
                                 std::string_view item_separator, std::string_view key_separator);
// The items that a loop would see: list items, dict keys, characters. A generator gives them once.
Result<std::vector<Value>> items_of(Runtime& rt, const Value& value);
Result<int64_t> length_of(const Value& value);
// Bytes of text that work on a value handles at once, for Runtime::step().
inline size_t text_bytes(const Value& value) {
  return value.is(Kind::string) ? value.as_string().size() : 0;
}
size_t text_bytes(const Arguments& arguments);
bool any_typed(const Arguments& arguments);
Result<bool> contains(Runtime& rt, const Value& container, const Value& item);

// A JSON document as a value, the order of keys kept. Its texts are typed, but for the members of the outermost object
// that `is_own` names.
Result<Value> value_from_json(Runtime& rt, std::string_view json, bool (*is_own)(std::string_view name));

}  // namespace hearth::jinja
