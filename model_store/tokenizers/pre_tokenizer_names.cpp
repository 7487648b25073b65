// The table of pre-tokenizers by GGUF name. Patterns are those that the models' own tokenizer.json files have.
#include "model_store/tokenizers/pre_tokenizer_names.h"

#include <algorithm>

namespace hearth {
namespace {

using Patterns = std::vector<std::string_view>;

// Pieces that patterns have in common, as they are written in every one of them.
#define CONTRACTION "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define UPPER R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])"
#define LOWER R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])"
#define BEFORE_WORD R"([^\r\n\p{L}\p{N}]?)"
#define CASED_WORDS(suffix) BEFORE_WORD UPPER "*" LOWER "+" suffix "|" BEFORE_WORD UPPER "+" LOWER "*" suffix
#define LINES_AND_BLANKS R"(\s*[\r\n]+|\s+(?!\S)|\s+)"
#define CL100K(digits) CONTRACTION "|" BEFORE_WORD R"(\p{L}+|)" digits R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|)" LINES_AND_BLANKS
// The same two classes without the Han script.
#define UPPER_NOT_HAN R"([^\p{Ll}\p{N}\p{P}\p{S}\p{Z}\p{C}\p{Han}])"
#define LOWER_NOT_HAN R"([^\p{Lu}\p{Lt}\p{N}\p{P}\p{S}\p{Z}\p{C}\p{Han}])"
#define KIMI_WORDS                                                                                             \
  BEFORE_WORD UPPER_NOT_HAN "*" LOWER_NOT_HAN "+" CONTRACTION "?|" BEFORE_WORD UPPER_NOT_HAN "+" LOWER_NOT_HAN \
                            "*" CONTRACTION "?"
#define DEEPSEEK_WORDS \
  R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|)" LINES_AND_BLANKS

constexpr std::string_view kLlama3 = CL100K(R"(\p{N}{1,3})");
constexpr std::string_view kQwen2 = CL100K(R"(\p{N})");
constexpr std::string_view kCjk = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+";
constexpr std::string_view kHanKana = "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+";
constexpr std::string_view kBloom = " ?[^(\\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+";
constexpr std::string_view kThreeDigits = "[0-9][0-9][0-9]";
constexpr std::string_view kOneDigit = R"(\p{N})";
constexpr std::string_view kUpToThreeDigits = R"(\p{N}{1,3})";
constexpr std::string_view kGpt4o =
    CASED_WORDS(CONTRACTION "?") R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" LINES_AND_BLANKS;

// Families whose own tokenizers bring text into form C, which the metadata does not say.
constexpr std::string_view kNfc[] = {"qwen2",     "qwen35",     "deepseek-r1-qwen", "f2llmv2",
                                     "stablelm2", "hunyuan",    "command-r",        "mpt",
                                     "olmo",      "modern-bert"};
bool has_nfc(std::string_view name) {
  return std::find(std::begin(kNfc), std::end(kNfc), name) != std::end(kNfc);
}

struct Entry {
  NamedPreTokenizer what;
  std::vector<std::string_view> names;  // the first is the one we write
};

// clang-format off
const std::vector<Entry>& table() {
  static const std::vector<Entry> kTable = {
    {{.patterns = {kGpt2Pattern}},
     {"gpt-2", "gpt2", "mpt", "olmo", "phi-2", "jais", "trillion", "granite-docling", "gigachat", "a.x-4.0", "mellum",
      "modern-bert", "exaone4", "jina-es", "jina-de", "jina-v1-en", "jina-v2-es", "jina-v2-de", "jina-v2-code",
      "roberta-bpe"}},
    {{.patterns = {kLlama3}, .ignore_merges = true, .adds_bos = true},
     {"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano"}},
    {{.patterns = {kLlama3}, .ignore_merges = true}, {"glm4", "glm5"}},
    {{.patterns = {kLlama3}}, {"dbrx", "smaug-bpe", "chatglm-bpe"}},
    {{.patterns = {kQwen2}},
     {"qwen2", "stablelm2", "megrez", "deepseek-r1-qwen", "hunyuan", "solar-open", "grok-2", "kormo", "f2llmv2"}},
    {{.patterns = {CONTRACTION "|" BEFORE_WORD R"([\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|)" LINES_AND_BLANKS}},
     {"qwen35"}},
    {{.patterns = {CASED_WORDS("") R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" LINES_AND_BLANKS},
      .ignore_merges = true, .adds_bos = true}, {"tekken"}},
    {{.patterns = {kGpt4o}}, {"gpt-4o", "llama4", "minimax-m2", "kanana2", "talkie"}},
    {{.patterns = {kOneDigit, kGpt2Pattern}},
     {"starcoder", "starcoder2", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2"}},
    {{.patterns = {R"([\p{P}\$\+<=>\^~\|]+)", kGpt2Pattern, R"(\p{N}+)", kThreeDigits}}, {"default"}},
    {{.patterns = {R"([\p{P}\$\+<=>\^~\|`]+)", kGpt2Pattern, kThreeDigits}}, {"falcon"}},
    {{.patterns = {R"([\r\n])", R"(\s?\p{L}+)", R"(\s?\p{P}+)", kCjk, kOneDigit}}, {"deepseek-coder"}},
    {{.patterns = {R"([\r\n])", R"(\s?[\p{Lu}\p{Ll}\p{Lt}]+)",
                   "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+", R"(\s+$)", kCjk, R"(\p{N}+)"}},
     {"deepseek-llm"}},
    {{.patterns = {kUpToThreeDigits, kHanKana, DEEPSEEK_WORDS}},
     {"deepseek-v3", "deepseek3", "hunyuan-dense", "joyai-llm", "hy_v4"}},
    {{.patterns = {R"([\p{Han}]+|)" KIMI_WORDS R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)" LINES_AND_BLANKS}},
     {"kimi-k2"}},
    {{.patterns = {kBloom}}, {"bloom", "poro-chat", "gpt3-finnish"}},
    {{.patterns = {kBloom, kOneDigit}}, {"viking"}},
    {{.patterns = {R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)"}},
     {"bailingmoe", "bailingmoe2", "llada-moe"}},
    {{.patterns = {CONTRACTION "|" BEFORE_WORD R"(\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|)" LINES_AND_BLANKS}},
     {"seed-coder"}},
    {{.patterns = {CONTRACTION "|" BEFORE_WORD
                   R"((?:\p{L}\p{M}*+(?: \p{L}\p{M}*+)*+)++|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)"}},
     {"exaone-moe"}},
    {{.patterns = {kUpToThreeDigits, CL100K(R"(\p{N}+)")}, .ignore_merges = true}, {"minicpm5"}},
    {{.patterns = {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1})"}},
     {"jais-2"}},
  };
  return kTable;
}
// clang-format on

#undef CONTRACTION
#undef UPPER
#undef LOWER
#undef BEFORE_WORD
#undef CASED_WORDS
#undef LINES_AND_BLANKS
#undef CL100K
#undef UPPER_NOT_HAN
#undef LOWER_NOT_HAN
#undef KIMI_WORDS
#undef DEEPSEEK_WORDS

}  // namespace

Result<NamedPreTokenizer> find_pre_tokenizer(std::string_view gguf_name) {
  for (const Entry& entry : table())
    if (std::find(entry.names.begin(), entry.names.end(), gguf_name) != entry.names.end()) {
      NamedPreTokenizer out = entry.what;
      out.nfc = has_nfc(gguf_name);
      return out;
    }
  return error(Code::unimplemented, "the pre-tokenizer \"{}\" (tokenizer.ggml.pre) is not known to this version",
               gguf_name.substr(0, 60));
}

Json pre_tokenizer_json(const NamedPreTokenizer& named) {
  Json steps = Json::array();
  for (std::string_view pattern : named.patterns)
    steps.push_back({{"type", "Split"},
                     {"pattern", {{"Regex", std::string(pattern)}}},
                     {"behavior", "Isolated"},
                     {"invert", false}});
  steps.push_back({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", false}});
  return {{"type", "Sequence"}, {"pretokenizers", std::move(steps)}};
}

std::optional<std::string_view> gguf_pre_tokenizer_name(const std::vector<std::string>& patterns, bool ignore_merges,
                                                        bool nfc) {
  std::optional<std::string_view> out;
  for (const Entry& entry : table()) {
    const Patterns& those = entry.what.patterns;
    if (!std::equal(patterns.begin(), patterns.end(), those.begin(), those.end())) continue;
    auto name = std::find_if(entry.names.begin(), entry.names.end(), [&](auto each) { return has_nfc(each) == nfc; });
    if (name == entry.names.end()) continue;
    if (entry.what.ignore_merges == ignore_merges) return *name;
    if (!out) out = *name;
  }
  return out;
}

}  // namespace hearth
