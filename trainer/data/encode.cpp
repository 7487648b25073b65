// See encode.h.
#include "trainer/data/encode.h"

#include <algorithm>

#include "base/json.h"

namespace hearth::train {
namespace {

using Ordered = nlohmann::ordered_json;

// Two answers that nobody gives, of different first letters.
constexpr const char *kStandIn = "Quokka stand-in.", *kOtherStandIn = "Zebra instead.";

std::string_view trimmed(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  return text.substr(begin, text.find_last_not_of(" \t\r\n") + 1 - begin);
}

size_t common(std::span<const int32_t> a, std::span<const int32_t> b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

}  // namespace

struct Encoder::Part {
  std::vector<ChatTurn> turns;
  std::string_view tools, variables;
  Part first(size_t n) const { return {{turns.begin(), turns.begin() + static_cast<ptrdiff_t>(n)}, tools, variables}; }
};

// A part of a rendered conversation. What the data say is typed: no control token is made of it, in any role.
struct Encoder::Piece {
  std::string_view text;
  TextRanges typed;
  bool is_learned = false;

  static Piece of(const ChatTemplate::Rendered& whole, size_t begin, size_t end, bool is_learned) {
    return {std::string_view(whole.text).substr(begin, end - begin), part_of(whole.typed, {begin, end}), is_learned};
  }
  static Piece of(const ChatTemplate::Rendered& whole) { return of(whole, 0, whole.text.size(), false); }
  Piece first(size_t n) const { return {text.substr(0, n), part_of(typed, {0, n}), is_learned}; }
};

struct Encoder::Answer {
  size_t turn = 0;
  bool is_learned = true;
  std::optional<ChatTemplate::Rendered> prompt;  // nothing: the template gives none at this place
  ChatTemplate::Rendered through;
  bool is_after_prompt() const { return prompt && through.text.starts_with(prompt->text); }
};

int64_t Document::n_learned() const {
  return learned.empty() ? 0 : std::count(learned.begin() + 1, learned.end(), 1);
}

Encoder::Encoder(const LoadedModel& model) : model_(model) {}

bool Encoder::is_stop(int32_t id) const {
  const auto& stops = model_.generation.eos_ids;
  if (std::find(stops.begin(), stops.end(), id) != stops.end()) return true;
  return stops.empty() && model_.tokenizer->eos_id() == id;
}

std::optional<int32_t> Encoder::end_of_text() const {
  return !model_.generation.eos_ids.empty() ? model_.generation.eos_ids.front() : model_.tokenizer->eos_id();
}

// The messages as serving gives them to a template.
std::string Encoder::messages_json(std::span<const ChatTurn> turns) const {
  Ordered list = Ordered::array();
  for (const ChatTurn& turn : turns) {
    Ordered message = {{"role", turn.role}, {"content", turn.content}};
    if (!turn.reasoning.empty()) message["reasoning_content"] = message["thinking"] = turn.reasoning;
    if (!turn.tool_calls.empty()) message["tool_calls"] = Ordered::parse(turn.tool_calls, nullptr, false);
    if (turn.role == "tool") message["tool_call_id"] = turn.tool_call_id;
    if (!turn.name.empty()) message["name"] = turn.name;
    list.push_back(std::move(message));
  }
  return list.dump(-1, ' ', false, Ordered::error_handler_t::replace);
}

Result<ChatTemplate::Rendered> Encoder::render(const Part& part, bool generation_prompt) const {
  const std::string json = messages_json(part.turns);
  return render_chat(model_, {.messages_json = json,
                              .tools_json = part.tools,
                              .add_generation_prompt = generation_prompt,
                              .extra_json = part.variables});
}

Result<std::vector<int32_t>> Encoder::tokens(const Piece& piece) const {
  return model_.tokenizer->encode(piece.text, {.add_special = false, .typed = piece.typed});
}

// The tokens of an answer up to its last stop token are learned. A template that writes none ends with the model's own.
Result<bool> Encoder::add_answer(const Piece& piece, Document& out) const {
  std::vector<int32_t> ids = TRY(tokens(piece));
  const auto last = std::find_if(ids.rbegin(), ids.rend(), [&](int32_t id) { return is_stop(id); });
  auto n_learned = static_cast<size_t>(ids.rend() - last);
  const bool is_unended = n_learned == 0;
  if (is_unended) {
    const std::optional<int32_t> end = end_of_text();
    if (!end)
      return error(Code::failed_precondition,
                   "neither the model's chat template nor its configuration has a stop token, so answers could not "
                   "learn to end; "
                   "set eos_token_id in generation_config.json");
    ids = TRY(tokens(piece.first(piece.text.find_last_not_of(" \t\r\n") + 1)));
    ids.push_back(*end);
    n_learned = ids.size();
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    out.ids.push_back(ids[i]);
    out.learned.push_back(i < n_learned);
  }
  return is_unended;
}

Result<bool> Encoder::encode_pieces(std::span<const Piece> pieces, Document& out) const {
  bool is_ended = false;
  for (const Piece& piece : pieces) {
    if (piece.is_learned) {
      is_ended = TRY(add_answer(piece, out)) || is_ended;
      continue;
    }
    const std::vector<int32_t> ids = TRY(tokens(piece));
    out.ids.insert(out.ids.end(), ids.begin(), ids.end());
    out.learned.resize(out.ids.size(), 0);
  }
  return is_ended;
}

// Where the template itself marks answers. Empty when it does not, or not one mark an answer.
Result<std::vector<Document>> Encoder::encode_marked(const Part& all) const {
  std::vector<Document> out;
  const auto rendered = TRY(render(all, false));
  std::vector<bool> is_learned;
  for (const ChatTurn& turn : all.turns)
    if (turn.role == "assistant") is_learned.push_back(turn.is_learned);
  const bool all_learned = std::all_of(is_learned.begin(), is_learned.end(), [](bool b) { return b; });
  if (rendered.generated.empty() || (!all_learned && rendered.generated.size() != is_learned.size())) return out;
  std::vector<Piece> pieces;
  size_t at = 0;
  for (size_t i = 0; i < rendered.generated.size(); ++i) {
    const auto& [begin, end] = rendered.generated[i];
    pieces.push_back(Piece::of(rendered, at, begin, false));
    pieces.push_back(Piece::of(rendered, begin, end, all_learned || is_learned[i]));
    at = end;
  }
  pieces.push_back(Piece::of(rendered, at, rendered.text.size(), false));
  if (TRY(encode_pieces(pieces, out.emplace_back())) && is_learned.size() > 1) out.clear();
  return out;
}

// Every prompt is the beginning of what follows it.
Result<std::vector<Document>> Encoder::encode_by_prefix(std::span<const Answer> answers,
                                                        const ChatTemplate::Rendered& full) const {
  std::vector<Document> out;
  std::vector<Piece> pieces;
  size_t at = 0;
  bool grows = true;  // every rendering is the beginning of the next
  for (const Answer& a : answers) {
    const size_t n_prompt = a.prompt->text.size(), n_through = a.through.text.size();
    grows = grows && full.text.starts_with(a.through.text) && n_prompt >= at;
    if (!grows) break;
    pieces.push_back(Piece::of(full, at, n_prompt, false));
    pieces.push_back(Piece::of(full, n_prompt, n_through, a.is_learned));
    at = n_through;
  }
  // A stop token that had to be added ends its document: serving never sees it in a prompt.
  if (grows && (!TRY(encode_pieces(pieces, out.emplace_back())) || answers.size() == 1)) return out;
  out.clear();
  for (const Answer& a : answers)
    if (a.is_learned) TRY(encode_after_prompt(a, out.emplace_back()));
  return out;
}

Result<void> Encoder::encode_after_prompt(const Answer& answer, Document& out) const {
  const Piece both[] = {Piece::of(*answer.prompt),
                        Piece::of(answer.through, answer.prompt->text.size(), answer.through.text.size(), true)};
  TRY(encode_pieces(both, out));
  return {};
}

// What differs between this answer and two others that it is not: the answer with its end, beginning with its markup.
Result<Document> Encoder::encode_by_difference(const Part& all, const Answer& answer) const {
  Part other = all.first(answer.turn + 1);
  ChatTurn& turn = other.turns.back();
  turn = {"assistant", kStandIn};
  const auto ids_of = [&](const ChatTemplate::Rendered& rendered) { return tokens(Piece::of(rendered)); };
  const std::vector<int32_t> first = TRY(ids_of(TRY(render(other, false))));
  turn.content = kOtherStandIn;
  const std::vector<int32_t> second = TRY(ids_of(TRY(render(other, false))));
  const std::vector<int32_t> ids = TRY(ids_of(answer.through));
  const size_t begin = std::min(common(ids, first), common(ids, second));
  Document out;
  out.ids.assign(ids.begin(), ids.begin() + static_cast<ptrdiff_t>(begin));
  out.learned.assign(begin, 0);
  const std::span<const int32_t> rest = std::span(ids).subspan(begin);
  if (rest.empty())
    return error(Code::unimplemented,
                 "the model's chat template shows nothing of the answer: what to learn cannot be told");
  const auto last = std::find_if(rest.rbegin(), rest.rend(), [&](int32_t id) { return is_stop(id); });
  out.ids.insert(out.ids.end(), rest.begin(), rest.end());
  out.learned.resize(out.ids.size() - static_cast<size_t>(last - rest.rbegin()), 1);
  out.learned.resize(out.ids.size(), 0);
  if (last != rest.rend()) return out;
  const std::optional<int32_t> end = end_of_text();
  if (!end)
    return error(
        Code::failed_precondition,
        "the model has no stop token, so answers could not learn to end; set eos_token_id in generation_config.json");
  out.ids.push_back(*end);
  out.learned.assign(out.ids.size(), 1);
  std::fill_n(out.learned.begin(), begin, 0);
  return out;
}

// Refuses what the template would drop in silence.
Result<void> Encoder::check_all_is_shown(const Part& all, std::string_view full) const {
  // Is the rendering another one when this changes? A template that then refuses has looked at it.
  const auto is_seen = [&](const Part& changed, std::string_view before) {
    const auto now = render(changed, false);
    return !now || now->text != before;
  };
  if (!all.tools.empty()) {
    Part changed = all;
    changed.tools = {};
    if (!is_seen(changed, full))
      return error(Code::invalid_argument,
                   "the model's chat template does not show the example's tools; choose a model that was made for "
                   "tools, or remove them");
  }
  for (size_t i = 0; i < all.turns.size(); ++i) {
    const ChatTurn& turn = all.turns[i];
    const auto refuse = [&](const char* what) {
      return error(Code::invalid_argument,
                   "messages[{}] ({}): the model's chat template does not show its {}; remove it, or choose a model "
                   "that was made for it",
                   i, turn.role, what);
    };
    const std::string_view text = trimmed(turn.content);
    if (!text.empty() && full.find(text) == std::string_view::npos) {
      Part changed = all;
      changed.turns[i].content = kStandIn;
      if (!is_seen(changed, full)) return refuse("content");
    }
    if (!turn.name.empty() && turn.role != "tool" && full.find(turn.name) == std::string_view::npos) {
      Part changed = all;
      changed.turns[i].name.clear();
      if (!is_seen(changed, full)) return refuse("name");
    }
    if (turn.role != "assistant" || !turn.is_learned || (turn.reasoning.empty() && turn.tool_calls.empty())) continue;
    // As it is when it is the last answer: earlier ones may lose their reasoning, as they do in serving.
    const Part through = all.first(i + 1);
    const std::string before = TRY(render(through, false)).text;
    for (std::string ChatTurn::*what : {&ChatTurn::reasoning, &ChatTurn::tool_calls}) {
      if ((turn.*what).empty()) continue;
      Part changed = through;
      (changed.turns[i].*what).clear();
      if (!is_seen(changed, before)) return refuse(what == &ChatTurn::reasoning ? "reasoning_content" : "tool_calls");
    }
  }
  return {};
}

Result<std::vector<Document>> Encoder::encode_conversation(const Example& example) const {
  if (!model_.chat_template) {
    if (model_.chat_template_problem) return *model_.chat_template_problem;
    return error(Code::failed_precondition,
                 "the data are conversations, but the model has no chat template; use plain text (format = \"text\") "
                 "or a chat model");
  }
  const Part all{example.messages, example.tools, example.variables};
  const ChatTemplate::Rendered full = TRY(render(all, false));
  TRY(check_all_is_shown(all, full.text));
  std::vector<Answer> answers;
  for (size_t i = 0; i < all.turns.size(); ++i) {
    if (all.turns[i].role != "assistant") continue;
    Answer a{.turn = i, .is_learned = all.turns[i].is_learned};
    if (auto prompt = render(all.first(i), true)) a.prompt = std::move(*prompt);
    a.through = i + 1 == all.turns.size() ? full : TRY(render(all.first(i + 1), false));
    answers.push_back(std::move(a));
  }
  if (std::all_of(answers.begin(), answers.end(), [](const Answer& a) { return a.is_after_prompt(); }))
    return encode_by_prefix(answers, full);
  std::vector<Document> out = TRY(encode_marked(all));
  if (!out.empty()) return out;
  for (const Answer& a : answers) {
    if (!a.is_learned) continue;
    if (a.is_after_prompt())
      TRY(encode_after_prompt(a, out.emplace_back()));
    else
      out.push_back(TRY(encode_by_difference(all, a)));
  }
  return out;
}

Result<std::vector<Document>> Encoder::encode_text(std::string_view text) const {
  Document d;
  d.ids = TRY(model_.tokenizer->encode(text, {.add_special = true, .parse_special = false}));
  const std::optional<int32_t> end = end_of_text();
  if (end && (d.ids.empty() || d.ids.back() != *end)) d.ids.push_back(*end);
  d.learned.assign(d.ids.size(), 1);
  d.may_split = true;
  std::vector<Document> out;
  out.push_back(std::move(d));
  return out;
}

Result<std::vector<Document>> Encoder::encode(const Example& example) const {
  if (!model_.tokenizer) {
    if (model_.tokenizer_problem) return *model_.tokenizer_problem;
    return error(Code::failed_precondition, "the model has no tokenizer");
  }
  std::vector<Document> out = TRY(example.messages.empty() ? encode_text(example.text) : encode_conversation(example));
  const uint64_t group = content_hash(example, 0);
  for (Document& d : out) d.group = group, d.line = example.line;
  return out;
}

Result<std::vector<int32_t>> Encoder::prompt(const Example& example, std::span<const ChatTurn> turns) const {
  if (turns.empty()) return model_.tokenizer->encode(example.text, {.add_special = true, .parse_special = false});
  const Part part{{turns.begin(), turns.end()}, example.tools, example.variables};
  const ChatTemplate::Rendered rendered = TRY(render(part, true));
  return tokens(Piece::of(rendered));
}

Result<Corpus> encode_all(const LoadedModel& model, std::span<const Example> examples, int64_t stop_after_tokens) {
  const Encoder encoder(model);
  Corpus out;
  for (const Example& example : examples) {
    for (Document& d : TRY_WITH(encoder.encode(example), "in the example at line {}", example.line)) {
      if (d.ids.size() < 2) continue;  // nothing to predict
      out.n_tokens += static_cast<int64_t>(d.ids.size());
      out.n_learned += d.n_learned();
      out.documents.push_back(std::move(d));
    }
    if (stop_after_tokens > 0 && out.n_tokens >= stop_after_tokens) break;
  }
  return out;
}

Question question_of(const Example& example) {
  Question out;
  out.prompt.tools = example.tools;
  out.prompt.variables = example.variables;
  if (example.messages.empty()) {
    const size_t half = example.text.size() / 2;
    size_t cut = example.text.rfind(' ', std::min<size_t>(half, 400));
    if (cut == std::string::npos || cut == 0) cut = 0;
    out.prompt.text = out.shown = example.text.substr(0, cut);
    out.expected = example.text.substr(cut);
    return out;
  }
  size_t last = example.messages.size();
  while (last > 0 && (example.messages[last - 1].role != "assistant" || !example.messages[last - 1].is_learned)) --last;
  if (last == 0) return out;
  const ChatTurn& answer = example.messages[last - 1];
  out.expected = answer.content.empty() ? answer.tool_calls : answer.content;
  out.prompt.messages.assign(example.messages.begin(), example.messages.begin() + static_cast<ptrdiff_t>(last) - 1);
  for (size_t i = out.prompt.messages.size(); i > 0 && out.shown.empty(); --i)
    if (out.prompt.messages[i - 1].role != "assistant") out.shown = out.prompt.messages[i - 1].content;
  return out;
}

}  // namespace hearth::train
