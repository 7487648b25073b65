// The fuzz target for answers: whatever a model writes, however it is cut, the same is read, and no text is lost.
#include <cstdlib>
#include <string>
#include <string_view>

#include "inference/answers/answer_parser.h"
#include "tests/fuzz/targets.h"

namespace hearth::fuzz {
namespace {
using namespace answers;

// What of a chat template tells each format.
constexpr const char* kSources[] = {"<think><tool_call>",
                                    "<|start_header_id|> \"parameters\"",
                                    "<function=<parameter=",
                                    "<think><arg_key>",
                                    "<|channel|><|message|>",
                                    "[THINK][TOOL_CALLS]",
                                    ">>>all",
                                    "<|tool_call_start|>",
                                    "<think><｜tool▁call▁begin｜>",
                                    "<minimax:tool_call>",
                                    "<|tool_call_begin|><|tool_call_argument_begin|>",
                                    "<|START_THINKING|><|START_ACTION|>",
                                    "｜DSML｜"};

std::string read(const AnswerFormat& format, std::string_view text, size_t piece) {
  static const Tools tools(Json::parse(
      R"([{"function": {"name": "f", "parameters": {"properties": {"s": {"type": "string"}, "i": {"type": "integer"}}}}}])"));
  int n = 0;
  auto parser = make_answer_parser(
      format, {.tools = tools, .prompt = ">>>", .new_call_id = [&n] { return std::to_string(n++); }});
  AnswerDelta whole;
  std::string calls;
  auto add = [&](const AnswerDelta& delta) {
    whole.content += delta.content;
    whole.reasoning += delta.reasoning;
    for (const CallDelta& call : delta.calls) {
      if (!call.name.empty()) calls += "\n" + call.id + " " + call.name + " ";
      calls += call.arguments;
    }
  };
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) add(parser->push(text.substr(0, piece)));
  add(parser->finish());
  return whole.content + "\x01" + whole.reasoning + "\x01" + calls;
}

}  // namespace

void answers(const uint8_t* data, size_t size) {
  if (size < 2) return;
  static const std::vector<AnswerFormat> formats = [] {
    std::vector<AnswerFormat> out;
    for (const char* source : kSources) out.push_back(find_format(source));
    return out;
  }();
  const AnswerFormat& format = formats[data[0] % formats.size()];
  const std::string_view text(reinterpret_cast<const char*>(data) + 2, std::min<size_t>(size - 2, 4096));
  const std::string whole = read(format, text, SIZE_MAX);
  if (read(format, text, 1 + data[1] % 8) != whole) std::abort();
}

}  // namespace hearth::fuzz
