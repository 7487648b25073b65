// The calls that the reference chat templates write, read back by the format that their own text tells.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "inference/answers/answer_parser.h"
#include "model_store/templates/chat_template.h"

namespace hearth::answers::reference_test {
namespace {
namespace fs = std::filesystem;
using Ordered = nlohmann::ordered_json;

fs::path reference_folder() {
  const char* chosen = std::getenv("HEARTH_REFERENCE_DIR");
  return chosen ? fs::path(chosen) : fs::path(HEARTH_SOURCE_DIR) / "../shared/reference";
}

// Templates that have no way to write a call.
bool has_calls(const std::string& name) {
  for (const char* without : {"Phi-3.5", "rwkv-world", "R1-Distill", "functionary"})
    if (name.find(without) != std::string::npos) return false;
  return true;
}

std::optional<std::string> render(const ChatTemplate& chat, Ordered conversation, size_t n_messages,
                                  bool arguments_as_text) {
  auto& messages = conversation["messages"];
  if (arguments_as_text)
    for (auto& message : messages)
      for (auto& call : message.value("tool_calls", Ordered::array())) {
        auto& function = message["tool_calls"][0]["function"];
        function["arguments"] = call["function"]["arguments"].dump();
      }
  messages.erase(messages.begin() + static_cast<ptrdiff_t>(n_messages), messages.end());
  conversation["add_generation_prompt"] = n_messages == 1;
  auto text = chat.render(conversation.dump());
  if (!text) return std::nullopt;
  return *text;
}

TEST(Reference, CallsThatTemplatesWriteAreReadBack) {
  const fs::path folder = reference_folder() / "chat_templates";
  if (!fs::exists(folder)) GTEST_SKIP() << folder << " is absent; HEARTH_REFERENCE_DIR names the reference data";
  const Ordered cases = Ordered::parse(*read_file(folder / "cases.json"));
  Ordered conversation = cases["cases"]["tool_round_trip"];
  for (const char* key : {"bos_token", "eos_token", "now"}) conversation[key] = cases[key];
  int n_read = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".jinja" || !has_calls(entry.path().stem().string())) continue;
    SCOPED_TRACE(entry.path().filename());
    auto chat = ChatTemplate::parse(*read_file(entry.path()));
    ASSERT_TRUE(chat);
    // The answer is what stands behind the prompt that it was given.
    std::optional<std::string> whole;
    std::optional<std::string> prompt;
    for (bool as_text : {false, true})
      if (!whole) {
        whole = render(*chat, conversation, 2, as_text);
        prompt = render(*chat, conversation, 1, as_text);
      }
    if (!whole || !prompt) continue;  // refuses such a conversation
    size_t n_same = 0;
    while (n_same < std::min(prompt->size(), whole->size()) && (*prompt)[n_same] == (*whole)[n_same]) ++n_same;
    // Up to the end of a mark that both have.
    while (n_same > 0 && std::string_view("\n>]|").find((*whole)[n_same - 1]) == std::string_view::npos) --n_same;
    auto parser = make_answer_parser(
        find_format(chat->source()),
        {.tools = Tools(Json::parse(conversation["tools"].dump())), .prompt = whole->substr(0, n_same)});
    AnswerDelta delta = parser->push(whole->substr(n_same));
    ASSERT_EQ(delta.calls.size(), 1u) << "answer: " << whole->substr(n_same);
    EXPECT_EQ(delta.calls[0].name, "get_weather");
    EXPECT_EQ(Json::parse(delta.calls[0].arguments, nullptr, false), Json({{"city", "Oslo"}, {"unit", "c"}}))
        << delta.calls[0].arguments;
    ++n_read;
  }
  EXPECT_GE(n_read, 27);
}

}  // namespace
}  // namespace hearth::answers::reference_test
