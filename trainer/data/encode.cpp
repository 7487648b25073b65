// See encode.h.
#include "trainer/data/encode.h"

#include <algorithm>

#include "trainer/random.h"

namespace hearth::train {
namespace {

struct Piece {
  std::string_view text;
  bool is_answer = false;
};

bool is_stop(const LoadedModel& model, int32_t id) {
  const auto& stops = model.generation.eos_ids;
  if (std::find(stops.begin(), stops.end(), id) != stops.end()) return true;
  return stops.empty() && model.tokenizer->eos_id() == id;
}

Result<std::string> render(const LoadedModel& model, std::span<const ChatTurn> turns, bool generation_prompt) {
  const std::string json = messages_json(turns);
  return TRY(render_chat(model, {.messages_json = json, .add_generation_prompt = generation_prompt})).text;
}

// Tokenizes piece by piece. Of an answer, tokens up to its last stop token are learned.
Result<Document> encode_pieces(const LoadedModel& model, std::span<const Piece> pieces) {
  Document out;
  for (const Piece& piece : pieces) {
    const std::vector<int32_t> ids = TRY(model.tokenizer->encode(piece.text, {.add_special = false, .parse_special = true}));
    size_t n_learned = 0;
    if (piece.is_answer) {
      const auto last = std::find_if(ids.rbegin(), ids.rend(), [&](int32_t id) { return is_stop(model, id); });
      n_learned = static_cast<size_t>(ids.rend() - last);
      if (n_learned == 0)
        return error(Code::failed_precondition,
                     "the model's chat template does not end an answer with one of its stop tokens, so answers could not learn to end; "
                     "check eos_token_id in generation_config.json against the template");
    }
    for (size_t i = 0; i < ids.size(); ++i) {
      out.ids.push_back(ids[i]);
      out.learned.push_back(i < n_learned);
    }
  }
  return out;
}

// Where the template itself marks answers. Empty when it does not.
Result<std::vector<Document>> encode_marked(const LoadedModel& model, std::span<const ChatTurn> turns) {
  const std::string json = messages_json(turns);
  const auto rendered = TRY(render_chat(model, {.messages_json = json, .add_generation_prompt = false}));
  if (rendered.generated.empty()) return std::vector<Document>();
  const std::string_view text = rendered.text;
  std::vector<Piece> pieces;
  size_t at = 0;
  for (const auto& [begin, end] : rendered.generated) {
    pieces.push_back({text.substr(at, begin - at), false});
    pieces.push_back({text.substr(begin, end - begin), true});
    at = end;
  }
  pieces.push_back({text.substr(at), false});
  std::vector<Document> out;
  out.push_back(TRY(encode_pieces(model, pieces)));
  return out;
}

Result<std::vector<Document>> encode_conversation(const LoadedModel& model, std::span<const ChatTurn> turns) {
  if (!model.chat_template) {
    if (model.chat_template_problem) return *model.chat_template_problem;
    return error(Code::failed_precondition,
                 "the data are conversations, but the model has no chat template; use plain text (format = \"text\") or a chat model");
  }
  const std::string full = TRY(render(model, turns, false));
  struct Answer {
    std::string prompt, through;
  };
  std::vector<Answer> answers;
  bool grows = true;  // every rendering is a prefix of the next
  for (size_t i = 0; i < turns.size(); ++i) {
    if (turns[i].role != "assistant") continue;
    Answer a;
    a.prompt = TRY(render(model, turns.first(i), true));
    a.through = TRY(render(model, turns.first(i + 1), false));
    if (!a.through.starts_with(a.prompt)) {
      std::vector<Document> marked = TRY(encode_marked(model, turns));
      if (!marked.empty()) return marked;
      return error(Code::unimplemented,
                   "the model's chat template renders an answer differently from its own generation prompt, and marks no answers with "
                   "{{% generation %}}: what to learn cannot be told");
    }
    grows = grows && full.starts_with(a.through);
    answers.push_back(std::move(a));
  }
  std::vector<Document> out;
  if (grows) {
    std::vector<Piece> pieces;
    size_t at = 0;
    for (const Answer& a : answers) {
      pieces.push_back({std::string_view(full).substr(at, a.prompt.size() - at), false});
      pieces.push_back({std::string_view(full).substr(a.prompt.size(), a.through.size() - a.prompt.size()), true});
      at = a.through.size();
    }
    out.push_back(TRY(encode_pieces(model, pieces)));
    return out;
  }
  for (const Answer& a : answers) {
    const Piece pieces[] = {{a.prompt, false}, {std::string_view(a.through).substr(a.prompt.size()), true}};
    out.push_back(TRY(encode_pieces(model, pieces)));
  }
  return out;
}

Result<std::vector<Document>> encode_text(const LoadedModel& model, std::string_view text) {
  Document d;
  d.ids = TRY(model.tokenizer->encode(text, {.add_special = true, .parse_special = false}));
  const std::optional<int32_t> end = !model.generation.eos_ids.empty() ? model.generation.eos_ids.front() : model.tokenizer->eos_id();
  if (end && (d.ids.empty() || d.ids.back() != *end)) d.ids.push_back(*end);
  d.learned.assign(d.ids.size(), 1);
  d.may_split = true;
  std::vector<Document> out;
  out.push_back(std::move(d));
  return out;
}

uint64_t content_hash(const Example& e, uint64_t seed) {
  uint64_t h = hash64(e.text, seed);
  for (const ChatTurn& turn : e.messages) h = hash64(turn.content, hash64(turn.role, h));
  return h;
}

}  // namespace

std::string messages_json(std::span<const ChatTurn> turns) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const ChatTurn& turn : turns) list.push_back({{"role", turn.role}, {"content", turn.content}});
  return list.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Result<std::vector<Document>> encode_example(const LoadedModel& model, const Example& example) {
  if (!model.tokenizer) {
    if (model.tokenizer_problem) return *model.tokenizer_problem;
    return error(Code::failed_precondition, "the model has no tokenizer");
  }
  return example.messages.empty() ? encode_text(model, example.text) : encode_conversation(model, example.messages);
}

Result<Corpus> encode_all(const LoadedModel& model, std::span<const Example> examples, int64_t stop_after_tokens) {
  Corpus out;
  for (const Example& example : examples) {
    for (Document& d : TRY_WITH(encode_example(model, example), "in the example at line {}", example.line)) {
      if (d.ids.size() < 2) continue;  // nothing to predict
      out.n_tokens += static_cast<int64_t>(d.ids.size());
      out.n_learned += std::count(d.learned.begin() + 1, d.learned.end(), 1);
      const auto bytes = [](const auto& v) { return std::string_view(reinterpret_cast<const char*>(v.data()), v.size() * sizeof v[0]); };
      out.fingerprint = hash64(bytes(d.learned), hash64(bytes(d.ids), out.fingerprint));
      out.documents.push_back(std::move(d));
    }
    if (stop_after_tokens > 0 && out.n_tokens >= stop_after_tokens) break;
  }
  return out;
}

Split split_examples(std::vector<Example> examples, double fraction, uint64_t seed) {
  Split out;
  const auto n = examples.size();
  size_t n_held = static_cast<size_t>(std::llround(fraction * static_cast<double>(n)));
  if (fraction > 0 && n >= 2) n_held = std::clamp<size_t>(n_held, 1, n - 1);
  std::vector<uint64_t> hashes(n);
  for (size_t i = 0; i < n; ++i) hashes[i] = content_hash(examples[i], seed);
  std::vector<uint64_t> order = hashes;
  std::sort(order.begin(), order.end());
  order.erase(std::unique(order.begin(), order.end()), order.end());
  n_held = std::min(n_held, order.size() > 1 ? order.size() - 1 : 0);
  for (size_t i = 0; i < n; ++i) {
    const bool held = n_held > 0 && hashes[i] < order[n_held];
    (held ? out.held_out : out.train).push_back(std::move(examples[i]));
  }
  return out;
}

Question question_of(const Example& example) {
  Question out;
  if (example.messages.empty()) {
    const size_t half = example.text.size() / 2;
    size_t cut = example.text.rfind(' ', std::min<size_t>(half, 400));
    if (cut == std::string::npos || cut == 0) cut = 0;
    out.shown = example.text.substr(0, cut);
    out.expected = example.text.substr(cut);
    return out;
  }
  size_t last = example.messages.size();
  while (last > 0 && example.messages[last - 1].role != "assistant") --last;
  if (last == 0) return out;
  out.expected = example.messages[last - 1].content;
  out.prompt.assign(example.messages.begin(), example.messages.begin() + static_cast<ptrdiff_t>(last) - 1);
  out.shown = out.prompt.empty() ? "" : out.prompt.back().content;
  return out;
}

}  // namespace hearth::train
