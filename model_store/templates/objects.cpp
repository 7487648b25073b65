// Global functions that make things with a state: cycler(...) and joiner(...); and `self`, the template's blocks.
#include "model_store/templates/ast.h"
#include "model_store/templates/globals.h"
#include "model_store/templates/interpreter.h"

namespace hearth::jinja {
namespace {

class Cycler : public Object {
 public:
  explicit Cycler(Value items) : items_(std::move(items)) {}

  Result<std::optional<Value>> attribute(Interpreter& in, std::string_view name) override {
    static constexpr Builtin kNext = next, kReset = reset;
    using Out = std::optional<Value>;
    if (name == "current") return Out(current());
    if (name == "items") return Out(items_);
    if (name == "pos") return Out(Value::integer(static_cast<int64_t>(at_)));
    if (name == "next") return Out(TRY(in.runtime().function({.builtin = &kNext, .self = Value::object(this)})));
    if (name == "reset") return Out(TRY(in.runtime().function({.builtin = &kReset, .self = Value::object(this)})));
    return Out();
  }
  std::string repr() const override { return "<Cycler>"; }

 private:
  const Value& current() const { return items_.as_list().items[at_]; }
  static Result<Value> next(Interpreter&, const Value& self, Arguments& arguments) {
    TRY(arguments.finish());
    auto& cycler = static_cast<Cycler&>(self.as_object());
    const Value out = cycler.current();
    cycler.at_ = (cycler.at_ + 1) % cycler.items_.as_list().items.size();
    return out;
  }
  static Result<Value> reset(Interpreter&, const Value& self, Arguments& arguments) {
    TRY(arguments.finish());
    static_cast<Cycler&>(self.as_object()).at_ = 0;
    return Value::none();
  }

  Value items_;
  size_t at_ = 0;
};

class Joiner : public Object {
 public:
  explicit Joiner(Value separator) : separator_(std::move(separator)) {}

  Result<std::optional<Value>> attribute(Interpreter&, std::string_view name) override {
    using Out = std::optional<Value>;
    if (name == "sep") return Out(separator_);
    if (name == "used") return Out(Value::boolean(is_used_));
    return Out();
  }
  // Nothing the first time.
  Result<Value> call(Interpreter& in, Arguments& arguments) override {
    TRY(arguments.finish());
    if (std::exchange(is_used_, true)) return separator_;
    return in.runtime().string(Text());
  }
  bool is_callable() const override { return true; }
  std::string repr() const override { return "<Joiner>"; }

 private:
  Value separator_;
  bool is_used_ = false;
};

class TemplateReference : public Object {
 public:
  Result<std::optional<Value>> attribute(Interpreter& in, std::string_view name) override {
    const BlockTag* block = in.find_block(name);
    if (!block) return std::optional<Value>();
    return std::optional<Value>(TRY(in.runtime().function({.block = block})));
  }
  std::string repr() const override { return "<TemplateReference None>"; }
};

}  // namespace

Result<Value> make_cycler(Interpreter& in, const Value&, Arguments& arguments) {
  std::vector<Value> items = std::exchange(arguments.positional, {});
  TRY(arguments.finish());
  if (items.empty()) return error(Code::invalid_argument, "cycler() needs at least one value");
  return in.runtime().object(std::make_unique<Cycler>(TRY(in.runtime().list(std::move(items), true))));
}

Result<Value> make_joiner(Interpreter& in, const Value&, Arguments& arguments) {
  const Value separator = arguments.take("sep").value_or(TRY(in.runtime().string(Text(", "))));
  TRY(arguments.finish());
  return in.runtime().object(std::make_unique<Joiner>(separator));
}

Result<Value> make_self(Interpreter& in) {
  return in.runtime().object(std::make_unique<TemplateReference>());
}

}  // namespace hearth::jinja
