// ChatTemplate on the interpreter of the Jinja language.
#include "model_store/templates/chat_template.h"

#include "model_store/templates/interpreter.h"
#include "model_store/templates/parser.h"
#include "model_store/templates/value.h"

namespace hearth {

struct ChatTemplate::Impl {
  std::string source;
  TemplateLimits limits;
  size_t constants_bytes = 0;  // counted by the strings in `parsed`, which go first
  jinja::ParsedTemplate parsed;
};

// What a conversation may take grows with it: 8 times its size as output, 32 times as memory, 1 step and 0.1 µs a byte.
static TemplateLimits scaled(TemplateLimits limits, size_t context_bytes) {
  limits.max_output_bytes += 8 * context_bytes;
  limits.max_memory_bytes += 32 * context_bytes;
  limits.max_steps += static_cast<int64_t>(context_bytes);
  limits.max_time += std::chrono::milliseconds(context_bytes / 10'000);
  return limits;
}

// What the tokenizer says; render_chat() lets no client set these.
static bool is_models_own(std::string_view variable) {
  return variable == "bos_token" || variable == "eos_token";
}

Result<ChatTemplate> ChatTemplate::parse(std::string_view source, const TemplateLimits& limits) {
  if (source.size() > limits.max_source_bytes)
    return error(Code::resource_exhausted, "a chat template of {} bytes is over the limit of {}", source.size(),
                 limits.max_source_bytes);
  auto impl = std::make_shared<Impl>();
  impl->source = std::string(source);
  impl->limits = limits;
  impl->parsed = TRY(jinja::parse_template(source, limits.max_depth, &impl->constants_bytes));
  return ChatTemplate(std::move(impl));
}

Result<ChatTemplate::Rendered> ChatTemplate::render_marked(std::string_view context_json) const {
  const TemplateLimits limits = scaled(impl_->limits, context_json.size());
  if (context_json.size() > limits.max_context_bytes)
    return error(Code::resource_exhausted, "a conversation of {} bytes is over the limit of {}", context_json.size(),
                 limits.max_context_bytes);
  // The context belongs to the same budget; "now" is the interpreter's, the rest are variables.
  jinja::Runtime context_runtime(limits);
  jinja::Value context =
      TRY_WITH(jinja::value_from_json(context_runtime, context_json, is_models_own), "in the conversation");
  if (!context.is(jinja::Kind::dict)) return error(Code::invalid_argument, "the conversation must be a JSON object");
  std::string now;
  if (const jinja::Value* value = context.as_dict().find("now"); value && value->is(jinja::Kind::string))
    now = value->as_string();
  jinja::Interpreter interpreter(limits, std::move(now), &impl_->parsed.blocks);
  TRY(interpreter.start(context));
  TRY(interpreter.run(impl_->parsed.body));
  return interpreter.take_result();
}

Result<std::string> ChatTemplate::render(std::string_view context_json) const {
  return TRY(render_marked(context_json)).text;
}
Result<std::string> ChatTemplate::render_json(const Json& context) const {
  return render(dump_json(context));
}
const std::string& ChatTemplate::source() const {
  return impl_->source;
}

}  // namespace hearth
