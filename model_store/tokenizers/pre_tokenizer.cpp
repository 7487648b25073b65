// PreTokenizer: steps from tokenizer.json, or by the name that GGUF files carry.
#include "model_store/tokenizers/pre_tokenizer.h"

#include <algorithm>

#include "model_store/tokenizers/byte_level.h"

namespace hearth {
namespace {

constexpr size_t kMaxSteps = 64;

constexpr std::string_view kGpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kGpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kCjk = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+";
constexpr std::string_view kPunctuationRun = R"([\p{P}\$\+<=>\^~\|`]+)";
constexpr std::string_view kThreeDigits = "[0-9][0-9][0-9]";

struct NamedPatterns {
  std::string_view name;
  std::vector<std::string_view> patterns;
};

// What each name of tokenizer.ggml.pre stands for. The first name for a list of patterns is the one we write.
const std::vector<NamedPatterns>& named_patterns() {
  static const std::vector<NamedPatterns> kNamed = {
      {"gpt-2", {kGpt2}},
      {"llama-bpe", {kLlama3}},
      {"qwen2", {kQwen2}},
      {"tekken", {kTekken}},
      {"gpt-4o", {kGpt4o}},
      {"starcoder", {R"(\p{N})", kGpt2}},
      {"default", {R"([\p{P}\$\+<=>\^~\|]+)", kGpt2, R"(\p{N}+)", kThreeDigits}},
      {"falcon", {kPunctuationRun, kGpt2, kThreeDigits}},
      {"deepseek-coder", {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", kCjk, R"(\p{N})"}},
      {"deepseek-llm",
       {R"([\r\n])", R"(\s?\p{L&}+)", "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+", R"(\s+$)",
        kCjk, R"(\p{N}+)"}},
      {"deepseek-v3",
       {R"(\p{N}{1,3})", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
        R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"}},
      {"bloom", {"\u0020?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+"}},
  };
  return kNamed;
}

// Further names for the same lists.
struct Alias {
  std::string_view name, same_as;
};
constexpr Alias kAliases[] = {
    {"gpt2", "gpt-2"},
    {"mpt", "gpt-2"},
    {"olmo", "gpt-2"},
    {"phi-2", "gpt-2"},
    {"jina-es", "gpt-2"},
    {"jina-de", "gpt-2"},
    {"jina-v1-en", "gpt-2"},
    {"jina-v2-es", "gpt-2"},
    {"jina-v2-de", "gpt-2"},
    {"jina-v2-code", "gpt-2"},
    {"jais", "gpt-2"},
    {"trillion", "gpt-2"},
    {"llama3", "llama-bpe"},
    {"llama-v3", "llama-bpe"},
    {"smaug-bpe", "llama-bpe"},
    {"dbrx", "llama-bpe"},
    {"chatglm-bpe", "llama-bpe"},
    {"glm4", "llama-bpe"},
    {"falcon3", "llama-bpe"},
    {"pixtral", "llama-bpe"},
    {"stablelm2", "qwen2"},
    {"megrez", "qwen2"},
    {"deepseek-r1-qwen", "qwen2"},
    {"hunyuan", "qwen2"},
    {"starcoder2", "starcoder"},
    {"refact", "starcoder"},
    {"command-r", "starcoder"},
    {"smollm", "starcoder"},
    {"codeshell", "starcoder"},
    {"exaone", "starcoder"},
    {"minerva-7b", "starcoder"},
    {"deepseek3", "deepseek-v3"},
    {"poro-chat", "bloom"},
    {"gpt3-finnish", "bloom"},
    {"llama4", "gpt-4o"},
};

const NamedPatterns* find_named(std::string_view name) {
  for (const auto& alias : kAliases)
    if (alias.name == name) name = alias.same_as;
  for (const auto& named : named_patterns())
    if (named.name == name) return &named;
  return nullptr;
}

Result<SplitBehavior> read_behavior(const Json& json) {
  std::string name = TRY(json_get<std::string>(json, "behavior"));
  if (name == "Isolated") return SplitBehavior::isolated;
  if (name == "Removed") return SplitBehavior::removed;
  if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
  if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
  if (name == "Contiguous") return SplitBehavior::contiguous;
  return error(Code::invalid_argument, "field \"behavior\" is \"{}\", which is not known", name.substr(0, 60));
}

// Cuts one piece at the matches and appends what remains.
void cut(std::string_view piece, const std::vector<Regex::Match>& matches, const SplitStep& step,
         std::vector<std::string_view>& out) {
  size_t at = 0;
  bool previous_is_delimiter = false, glue_next = false, is_first = true;
  auto put = [&](size_t begin, size_t end, bool is_delimiter) {
    if (begin == end) return;
    bool glue = false;
    switch (step.behavior) {
      case SplitBehavior::isolated:
        break;
      case SplitBehavior::removed:
        if (is_delimiter) return;
        break;
      case SplitBehavior::contiguous:
        glue = is_delimiter == previous_is_delimiter;
        break;
      case SplitBehavior::merged_with_previous:
        glue = is_delimiter && !previous_is_delimiter;
        break;
      case SplitBehavior::merged_with_next:
        glue = glue_next && !is_delimiter;
        break;
    }
    if (glue && !is_first)
      out.back() = std::string_view(out.back().data(), out.back().size() + (end - begin));
    else
      out.emplace_back(piece.data() + begin, end - begin);
    previous_is_delimiter = is_delimiter;
    glue_next = is_delimiter;
    is_first = false;
  };
  for (auto m : matches) {
    put(at, m.begin, step.invert);
    put(m.begin, m.end, !step.invert);
    at = m.end;
  }
  put(at, piece.size(), step.invert);
}

Result<void> run(const SplitStep& step, std::vector<std::string_view>& pieces, std::vector<Regex::Match>& matches) {
  std::vector<std::string_view> out;
  out.reserve(pieces.size());
  for (std::string_view piece : pieces) {
    matches.clear();
    TRY(step.pattern.find_all(piece, matches));
    cut(piece, matches, step, out);
  }
  pieces = std::move(out);
  return {};
}

// Rewrites every piece, keeping all of them in one new buffer.
template <class Rewrite>
void rewrite(std::vector<std::string_view>& pieces, std::string& storage, Rewrite rewrite_one) {
  std::string buffer;
  std::vector<std::pair<size_t, size_t>> places;
  places.reserve(pieces.size());
  for (std::string_view piece : pieces) {
    size_t begin = buffer.size();
    rewrite_one(piece, buffer);
    places.emplace_back(begin, buffer.size() - begin);
  }
  storage = std::move(buffer);
  for (size_t i = 0; i < pieces.size(); ++i)
    pieces[i] = std::string_view(storage).substr(places[i].first, places[i].second);
}

}  // namespace

Result<void> PreTokenizer::add_pattern(std::string_view pattern, SplitBehavior behavior, bool invert) {
  if (steps_.size() >= kMaxSteps) return error(Code::resource_exhausted, "more than {} pre-tokenizer steps", kMaxSteps);
  steps_.push_back({TRY(Regex::compile(pattern)), behavior, invert});
  patterns_.emplace_back(pattern);
  is_plain_ &= behavior == SplitBehavior::isolated && !invert;
  return {};
}

Result<void> PreTokenizer::add(const Json& json, int depth) {
  std::string type = TRY(json_get<std::string>(json, "type"));
  if (type == "Sequence") {
    if (depth > 8) return error(Code::invalid_argument, "pre-tokenizers are nested deeper than 8 levels");
    auto list = json.find("pretokenizers");
    if (list == json.end() || !list->is_array())
      return error(Code::invalid_argument, "field \"pretokenizers\" must be a list");
    for (const auto& item : *list) TRY(add(item, depth + 1));
    return {};
  }
  if (type == "ByteLevel") {
    if (symbols_from_) return error(Code::invalid_argument, "ByteLevel occurs twice");
    add_prefix_space_ = TRY(json_get_or<bool>(json, "add_prefix_space", true));
    if (add_prefix_space_ && !steps_.empty())
      return error(Code::unimplemented, "add_prefix_space after other pre-tokenizers is not supported yet");
    if (TRY(json_get_or<bool>(json, "use_regex", true))) TRY(add_pattern(kGpt2));
    symbols_from_ = steps_.size();
    return {};
  }
  if (type == "Split") {
    auto pattern = json.find("pattern");
    SplitBehavior behavior = TRY(read_behavior(json));
    bool invert = TRY(json_get_or<bool>(json, "invert", false));
    if (pattern != json.end() && pattern->is_object() && pattern->contains("Regex"))
      return add_pattern(TRY(json_get<std::string>(*pattern, "Regex")), behavior, invert);
    if (pattern != json.end() && pattern->is_object() && pattern->contains("String")) {
      steps_.push_back({TRY(Regex::literal(TRY(json_get<std::string>(*pattern, "String")))), behavior, invert});
      is_plain_ = false;
      return {};
    }
    return error(Code::invalid_argument, "field \"pattern\" must be {{\"Regex\": ...}} or {{\"String\": ...}}");
  }
  if (type == "Digits")
    return add_pattern(TRY(json_get_or<bool>(json, "individual_digits", false)) ? R"(\p{N})" : R"(\p{N}+)");
  if (type == "Punctuation") return add_pattern(R"([!-/:-@\[-`{-~\p{P}])", TRY(read_behavior(json)));
  if (type == "WhitespaceSplit") return add_pattern(R"(\s)", SplitBehavior::removed);
  if (type == "Whitespace") return add_pattern(R"(\w+|[^\w\s]+)", SplitBehavior::removed, true);
  return error(Code::unimplemented, "pre-tokenizers of the type \"{}\" are not supported yet", type.substr(0, 60));
}

Result<PreTokenizer> PreTokenizer::from_json(const Json& json) {
  PreTokenizer out;
  if (!json.is_null()) TRY_WITH(out.add(json, 0), "in \"pre_tokenizer\"");
  if (!out.symbols_from_)
    return error(Code::unimplemented,
                 "this tokenizer does not work on bytes (no ByteLevel pre-tokenizer); SentencePiece-like ones are not "
                 "supported yet");
  if (*out.symbols_from_ == out.steps_.size())
    out.symbols_from_.reset();  // nothing looks at the symbols: stay with the text
  return out;
}

Result<PreTokenizer> PreTokenizer::from_gguf_name(std::string_view name) {
  const NamedPatterns* named = find_named(name);
  if (!named)
    return error(Code::unimplemented, "the pre-tokenizer \"{}\" (tokenizer.ggml.pre) is not known to this version",
                 std::string(name.substr(0, 60)));
  PreTokenizer out;
  for (auto pattern : named->patterns) TRY(out.add_pattern(pattern));
  return out;
}

std::optional<std::string_view> PreTokenizer::gguf_name() const {
  if (!is_plain_ || add_prefix_space_) return std::nullopt;
  for (const auto& named : named_patterns())
    if (std::equal(patterns_.begin(), patterns_.end(), named.patterns.begin(), named.patterns.end())) return named.name;
  return std::nullopt;
}

Result<void> PreTokenizer::split(std::string_view text, std::string& storage,
                                 std::vector<std::string_view>& pieces) const {
  pieces.clear();
  if (text.empty()) return {};
  if (add_prefix_space_ && text[0] != ' ') {
    storage = " ";
    storage += text;
    text = storage;
  }
  pieces.push_back(text);
  std::vector<Regex::Match> matches;
  std::string symbols;
  for (size_t i = 0; i < steps_.size(); ++i) {
    if (symbols_from_ == i)
      rewrite(pieces, symbols, [](std::string_view piece, std::string& out) { out += bytes_to_symbols(piece); });
    TRY(run(steps_[i], pieces, matches));
  }
  if (symbols_from_)
    rewrite(pieces, storage,
            [](std::string_view piece, std::string& out) { out += symbols_to_bytes(piece).value_or(""); });
  return {};
}

}  // namespace hearth
