// vocab.txt of a BERT → the tokenizer.json that transformers would make of it.
#include <algorithm>

#include "model_store/tokenizers/token_sources.h"
#include "model_store/tokenizers/tokenizer_json.h"

namespace hearth {
namespace {

// Others keep a vocab.txt, too, but cut text in their own ways (ESM, CTRL, the Japanese ones).
constexpr std::string_view kBertTokenizers[] = {"BertTokenizer",
                                                "DistilBertTokenizer",
                                                "ElectraTokenizer",
                                                "MobileBertTokenizer",
                                                "ConvBertTokenizer",
                                                "LayoutLMTokenizer",
                                                "RetriBertTokenizer",
                                                "SqueezeBertTokenizer",
                                                "DPRReaderTokenizer",
                                                "DPRQuestionEncoderTokenizer",
                                                "DPRContextEncoderTokenizer",
                                                "RealmTokenizer",
                                                "LxmertTokenizer",
                                                "MPNetTokenizer"};
constexpr std::string_view kBertModels[] = {
    "",      "bert",          "distilbert",  "electra",     "mobilebert", "convbert", "layoutlm",  "nomic_bert",
    "ernie", "megatron-bert", "squeezebert", "visual_bert", "nezha",      "qdqbert",  "modernbert"};

template <size_t n>
bool is_in(const std::string_view (&list)[n], std::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

Result<std::string> tokenizer_kind(const TokenizerFiles& files, const Json& config) {
  auto kind = TRY(json_get_or<std::string>(config, "tokenizer_class", ""));
  if (kind.ends_with("Fast")) kind.resize(kind.size() - 4);
  if (kind.empty() ? is_in(kBertModels, files.model_type) : is_in(kBertTokenizers, kind)) return kind;
  return error(Code::unimplemented,
               "the tokenizer of {} is not supported without a tokenizer.json; convert it with transformers "
               "(AutoTokenizer.from_pretrained(folder).save_pretrained(folder))",
               kind.empty() ? files.model_type : std::string_view(kind).substr(0, 60));
}

// One piece a line; the last of equal ones counts.
Json read_lines(std::string_view text) {
  Json out = Json::object();
  for (size_t line = 0; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view piece = text.substr(0, end);
    if (piece.ends_with('\r')) piece.remove_suffix(1);
    out[std::string(piece)] = line;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// What the class calls its special tokens by itself.
std::map<std::string, std::string> default_names(std::string_view kind) {
  auto names = [](const char* unk, const char* cls, const char* sep, const char* pad, const char* mask) {
    return std::map<std::string, std::string>{
        {"unk_token", unk}, {"cls_token", cls}, {"sep_token", sep}, {"pad_token", pad}, {"mask_token", mask}};
  };
  if (!kind.starts_with("MPNet")) return names("[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]");
  auto out = names("[UNK]", "<s>", "</s>", "<pad>", "<mask>");
  out["bos_token"] = "<s>";
  out["eos_token"] = "</s>";
  return out;
}

Json post_processor(const std::string& cls, const std::string& sep, const Json& vocab, bool twice) {
  auto token = [](const std::string& text, int type) -> Json {
    return {{"SpecialToken", {{"id", text}, {"type_id", type}}}};
  };
  auto text = [](const char* id, int type) -> Json { return {{"Sequence", {{"id", id}, {"type_id", type}}}}; };
  auto special = [&](const std::string& piece) -> Json {
    return {{"id", piece}, {"ids", {vocab.value(piece, 0)}}, {"tokens", {piece}}};
  };
  Json pair = {token(cls, 0), text("A", 0), token(sep, 0)};
  if (twice) pair.push_back(token(sep, 0));
  pair.push_back(text("B", twice ? 0 : 1));
  pair.push_back(token(sep, twice ? 0 : 1));
  return {{"type", "TemplateProcessing"},
          {"single", {token(cls, 0), text("A", 0), token(sep, 0)}},
          {"pair", pair},
          {"special_tokens", {{cls, special(cls)}, {sep, special(sep)}}}};
}

Json normalizer(const Json& config, bool lowercase, bool strip_accents) {
  return {{"type", "BertNormalizer"},
          {"clean_text", true},
          {"handle_chinese_chars", json_member(config, "tokenize_chinese_chars") != false},
          {"strip_accents", strip_accents},
          {"lowercase", lowercase}};
}

}  // namespace

Result<JsonTokenizer> read_bert_vocabulary(const TokenizerFiles& files, const Json& config) {
  const std::string kind = TRY(tokenizer_kind(files, config));
  JsonTokenizer out{.names = default_names(kind)};
  const auto named = TRY(TokenSources::read(files, {}, out.names)).named;
  const std::string unk = named.at("unk_token"), cls = named.at("cls_token"), sep = named.at("sep_token");
  Json vocab = read_lines(files.vocab_txt);
  for (const std::string& text : {unk, cls, sep})
    if (!vocab.contains(text))
      return error(Code::invalid_argument, "there is no \"{}\", which tokenizer_config.json or BERT's own rules name",
                   text.substr(0, 60));
  const bool lowercase = TRY(json_get_or<bool>(config, "do_lower_case", true));
  TRY(json_get_or<bool>(config, "tokenize_chinese_chars", true));
  out.json = {{"normalizer", normalizer(config, lowercase, TRY(json_get_or<bool>(config, "strip_accents", lowercase)))},
              {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
              {"post_processor", post_processor(cls, sep, vocab, kind.starts_with("MPNet"))},
              {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}}};
  out.json["model"] = {{"type", "WordPiece"},
                       {"unk_token", unk},
                       {"continuing_subword_prefix", "##"},
                       {"max_input_chars_per_word", 100},
                       {"vocab", std::move(vocab)}};
  return out;
}

}  // namespace hearth
