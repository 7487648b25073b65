// ChatTemplate on the interpreter of the Jinja language.
#include "model_store/templates/chat_template.h"

namespace hearth {

struct ChatTemplate::Impl {
  std::string source;
};

Result<ChatTemplate> ChatTemplate::parse(std::string_view source, const TemplateLimits&) {
  auto impl = std::make_shared<Impl>();
  impl->source = std::string(source);
  return ChatTemplate(std::move(impl));
}

Result<ChatTemplate::Rendered> ChatTemplate::render_marked(std::string_view) const {
  return error(Code::unimplemented, "chat templates are not interpreted yet");
}

Result<std::string> ChatTemplate::render(std::string_view context_json) const { return TRY(render_marked(context_json)).text; }
Result<std::string> ChatTemplate::render_json(const Json& context) const { return render(dump_json(context)); }
const std::string& ChatTemplate::source() const { return impl_->source; }

}  // namespace hearth
