// PreTokenizer from tokenizer.json.
#include "model_store/tokenizers/pre_tokenizer.h"

#include <unicode/uchar.h>

#include "model_store/tokenizers/pre_tokenizer_names.h"
#include "model_store/tokenizers/pre_tokenizer_steps.h"
#include "model_store/tokenizers/unicode_facts.h"

namespace hearth {
namespace {

constexpr size_t kMaxPreTokenizerSteps = 64;
constexpr int kMaxPreTokenizerDepth = 8;
constexpr std::string_view kWords =
    R"([\w\x{200c}\x{200d}]+|[^\w\s\x{200c}\x{200d}]+)";  // as the library's own \w, which has the joiners

bool is_number(uint32_t c) {
  return (U_GET_GC_MASK(static_cast<UChar32>(c)) & U_GC_N_MASK) != 0;
}

Result<SplitBehavior> read_behavior(const Json& json, std::string otherwise = "") {
  auto name = TRY(json_get_or<std::string>(json, "behavior", std::move(otherwise)));
  if (name == "Isolated") return SplitBehavior::isolated;
  if (name == "Removed") return SplitBehavior::removed;
  if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
  if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
  if (name == "Contiguous") return SplitBehavior::contiguous;
  return error(Code::invalid_argument, "field \"behavior\" is \"{}\", which is not known", name.substr(0, 60));
}

}  // namespace

class PreTokenizerReader {
 public:
  explicit PreTokenizerReader(PreTokenizer& out) : out_(out) {}

  Result<void> add(const Json& json, int depth) {
    const std::string type = TRY(json_get<std::string>(json, "type"));
    if (out_.steps_.size() >= kMaxPreTokenizerSteps)
      return error(Code::resource_exhausted, "more than {} pre-tokenizer steps", kMaxPreTokenizerSteps);
    if (type == "Sequence") return add_sequence(json, depth);
    if (type == "ByteLevel") return add_byte_level(json);
    if (type == "Split") return add_split(json);
    if (type == "Digits") return add_digits(json);
    if (type == "Metaspace") return add_metaspace(json);
    out_.is_plain_ = false;
    if (type == "Punctuation") {
      out_.steps_.push_back(character_step(is_bert_punctuation, TRY(read_behavior(json, "Isolated"))));
    } else if (type == "BertPreTokenizer") {
      out_.steps_.push_back(character_step(is_white_space, SplitBehavior::removed));
      out_.steps_.push_back(character_step(is_bert_punctuation, SplitBehavior::isolated));
    } else if (type == "WhitespaceSplit") {
      out_.steps_.push_back(character_step(is_white_space, SplitBehavior::removed));
    } else if (type == "Whitespace") {
      out_.steps_.push_back(split_step(TRY(Regex::compile(kWords)), SplitBehavior::removed, /*invert=*/true));
    } else if (type == "CharDelimiterSplit") {
      Regex delimiter = TRY(Regex::literal(TRY(json_get<std::string>(json, "delimiter"))));
      out_.steps_.push_back(split_step(delimiter, SplitBehavior::removed, false));
    } else if (type == "FixedLength") {
      auto length = TRY(json_get<int32_t>(json, "length"));
      if (length < 1) return error(Code::invalid_argument, "field \"length\" must be at least 1, got {}", length);
      out_.steps_.push_back(fixed_length_step(static_cast<size_t>(length)));
    } else {
      return error(Code::unimplemented, "pre-tokenizers of the type \"{}\" are not supported yet", type.substr(0, 60));
    }
    return {};
  }

 private:
  Result<void> add_sequence(const Json& json, int depth) {
    if (depth > kMaxPreTokenizerDepth)
      return error(Code::invalid_argument, "pre-tokenizers are nested deeper than {} levels", kMaxPreTokenizerDepth);
    auto list = json.find("pretokenizers");
    if (list == json.end() || !list->is_array())
      return error(Code::invalid_argument, "field \"pretokenizers\" must be a list");
    for (const auto& item : *list) TRY(add(item, depth + 1));
    return {};
  }

  Result<void> add_pattern(std::string_view pattern, SplitBehavior behavior = SplitBehavior::isolated,
                           bool invert = false) {
    out_.steps_.push_back(split_step(TRY(Regex::compile(pattern)), behavior, invert));
    out_.patterns_.emplace_back(pattern);
    out_.is_plain_ &= behavior == SplitBehavior::isolated && !invert && !out_.symbols_from_;
    return {};
  }

  Result<void> add_byte_level(const Json& json) {
    if (out_.symbols_from_) return error(Code::invalid_argument, "ByteLevel occurs twice");
    if (TRY(json_get_or<bool>(json, "add_prefix_space", true))) {
      out_.steps_.push_back(prefix_space_step());
      out_.is_plain_ = false;
    }
    if (TRY(json_get_or<bool>(json, "use_regex", true))) TRY(add_pattern(kGpt2Pattern));
    out_.symbols_from_ = out_.steps_.size();
    return {};
  }

  Result<void> add_split(const Json& json) {
    SplitBehavior behavior = TRY(read_behavior(json));
    bool invert = TRY(json_get_or<bool>(json, "invert", false));
    auto pattern = json.find("pattern");
    if (pattern != json.end() && pattern->is_object() && pattern->contains("Regex"))
      return add_pattern(TRY(json_get<std::string>(*pattern, "Regex")), behavior, invert);
    if (pattern == json.end() || !pattern->is_object() || !pattern->contains("String"))
      return error(Code::invalid_argument, "field \"pattern\" must be {{\"Regex\": ...}} or {{\"String\": ...}}");
    Regex literal = TRY(Regex::literal(TRY(json_get<std::string>(*pattern, "String"))));
    out_.steps_.push_back(split_step(literal, behavior, invert));
    out_.is_plain_ = false;
    return {};
  }

  Result<void> add_digits(const Json& json) {
    bool individual = TRY(json_get_or<bool>(json, "individual_digits", false));
    out_.steps_.push_back(character_step(is_number, individual ? SplitBehavior::isolated : SplitBehavior::contiguous));
    out_.patterns_.emplace_back(individual ? R"(\p{N})" : R"(\p{N}+)");
    return {};
  }

  Result<void> add_metaspace(const Json& json) {
    using Prepend = MetaspaceOptions::Prepend;
    MetaspaceOptions options;
    options.replacement = TRY(json_get_or<std::string>(json, "replacement", options.replacement));
    options.split = TRY(json_get_or<bool>(json, "split", true));
    bool prefix = TRY(json_get_or<bool>(json, "add_prefix_space", true));
    auto scheme = TRY(json_get_or<std::string>(json, "prepend_scheme", prefix ? "always" : "never"));
    if (scheme != "always" && scheme != "first" && scheme != "never")
      return error(Code::invalid_argument, "field \"prepend_scheme\" is \"{}\", which is not known",
                   scheme.substr(0, 60));
    options.prepend = scheme == "always" ? Prepend::always : scheme == "first" ? Prepend::first : Prepend::never;
    out_.steps_.push_back(TRY(metaspace_step(options)));
    out_.is_plain_ = false;
    return {};
  }

  PreTokenizer& out_;
};

Result<PreTokenizer> PreTokenizer::from_json(const Json& json) {
  PreTokenizer out;
  if (!json.is_null()) TRY_WITH(PreTokenizerReader(out).add(json, 0), "in \"pre_tokenizer\"");
  out.json_ = json;
  return out;
}

Result<void> PreTokenizer::split(CutText& cut) const {
  bool as_symbols = false;
  for (size_t i = 0; i <= steps_.size(); ++i) {
    // Nothing looks at the symbols after the last step: then the pieces stay text, which are the bytes themselves.
    if (symbols_from_ == i && (i < steps_.size() || keeps_symbols_)) {
      pieces_to_symbols(cut);
      as_symbols = true;
    }
    if (i < steps_.size() && !cut.pieces.empty()) TRY(steps_[i](cut));
  }
  if (as_symbols && !keeps_symbols_) pieces_to_bytes(cut);
  return {};
}

}  // namespace hearth
