// The vocabulary inside a GGUF file → Tokenizer.
#include <algorithm>

#include "model_store/formats/gguf.h"
#include "model_store/tokenizers/byte_level.h"
#include "model_store/tokenizers/tokenizer_impl.h"

namespace hearth {
namespace {

enum class TokenKind : int64_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

// Pre-tokenizers of families that take a whole word as its token, and put bos first, without saying so in the metadata.
bool is_llama3_like(std::string_view pre) {
  for (std::string_view name : {"llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "tekken"})
    if (pre == name) return true;
  return false;
}

}  // namespace

class GgufVocabularyReader {
 public:
  GgufVocabularyReader(const GgufFile& file, Tokenizer::Impl& tokenizer) : file_(file), t_(tokenizer) {}

  Result<void> read() {
    auto model = TRY(file_.string("tokenizer.ggml.model"));
    if (model != "gpt2")
      return error(Code::unimplemented,
                   "vocabularies of the kind \"{}\" are not supported yet (byte-level BPE, \"gpt2\", is)",
                   std::string(model.substr(0, 60)));
    std::string pre = TRY(file_.string_or("tokenizer.ggml.pre", "default"));
    t_.pre_tokenizer = TRY(PreTokenizer::from_gguf_name(pre));
    t_.ignore_merges = is_llama3_like(pre);
    TRY(read_tokens());
    TRY(read_merges());
    TRY(read_special_ids());
    if (TRY(file_.boolean_or("tokenizer.ggml.add_bos_token", is_llama3_like(pre))) && t_.bos)
      t_.prefix.push_back(*t_.bos);
    if (TRY(file_.boolean_or("tokenizer.ggml.add_eos_token", false)) && t_.eos) t_.suffix.push_back(*t_.eos);
    return t_.finish(mergeable_, /*strict_merges=*/false);
  }

 private:
  Result<void> read_tokens() {
    auto tokens = TRY(file_.strings("tokenizer.ggml.tokens"));
    if (tokens.size() > kMaxVocabulary)
      return error(Code::resource_exhausted, "{} tokens are over the limit of {}", tokens.size(), kMaxVocabulary);
    std::vector<int64_t> kinds;
    if (file_.has("tokenizer.ggml.token_type")) {
      kinds = TRY(file_.integers("tokenizer.ggml.token_type"));
      if (kinds.size() != tokens.size())
        return error(Code::invalid_argument, "tokenizer.ggml.token_type has {} entries for {} tokens", kinds.size(),
                     tokens.size());
    }
    mergeable_.resize(tokens.size());
    for (size_t id = 0; id < tokens.size(); ++id) {
      auto kind = kinds.empty() ? TokenKind::normal : static_cast<TokenKind>(kinds[id]);
      TRY(add(static_cast<int64_t>(id), std::string(tokens[id]), kind));
    }
    return {};
  }

  Result<void> add(int64_t id, std::string text, TokenKind kind) {
    bool is_special = kind == TokenKind::control || kind == TokenKind::unknown;
    if (kind == TokenKind::user_defined) mergeable_[id] = text;  // merges may yield it: runs of blanks, for example
    if (is_special || kind == TokenKind::user_defined)
      return t_.add_token({.id = static_cast<int32_t>(id), .content = std::move(text), .special = is_special});
    auto bytes = symbols_to_bytes(text);
    if (bytes) mergeable_[id] = *bytes;
    std::string raw = bytes ? std::move(*bytes) : text;
    return t_.add_piece(id, std::move(text), std::move(raw));
  }

  Result<void> read_merges() {
    auto merges = TRY(file_.strings("tokenizer.ggml.merges"));
    if (merges.size() > kMaxVocabulary)
      return error(Code::resource_exhausted, "{} merges are over the limit of {}", merges.size(), kMaxVocabulary);
    t_.merges.reserve(merges.size());
    for (size_t i = 0; i < merges.size(); ++i) {
      size_t blank = merges[i].find(' ', 1);
      if (blank == std::string_view::npos)
        return error(Code::invalid_argument, "merge number {} must be two tokens with a blank between", i);
      auto left = symbols_to_bytes(merges[i].substr(0, blank)), right = symbols_to_bytes(merges[i].substr(blank + 1));
      if (!left || !right || left->empty() || right->empty())
        return error(Code::invalid_argument, "merge number {} is not written in byte-level symbols", i);
      t_.merges.push_back({std::move(*left), std::move(*right)});
    }
    return {};
  }

  Result<void> read_special_ids() {
    for (auto [key, out] : {std::pair{"tokenizer.ggml.bos_token_id", &t_.bos},
                            {"tokenizer.ggml.eos_token_id", &t_.eos},
                            {"tokenizer.ggml.padding_token_id", &t_.pad},
                            {"tokenizer.ggml.unknown_token_id", &t_.unk}}) {
      if (!file_.has(key)) continue;
      int64_t id = TRY(file_.integer(key));
      if (id < 0 || id == INT64_C(0xFFFFFFFF)) continue;  // how some converters say "none"
      if (id >= static_cast<int64_t>(t_.bytes_of.size()))
        return error(Code::invalid_argument, "{} is {}, but there are {} tokens", key, id, t_.bytes_of.size());
      *out = static_cast<int32_t>(id);
      // Ends and beginnings are control tokens even where the file forgets to say so.
      if (out == &t_.bos || out == &t_.eos) t_.special[id] = true;
    }
    return {};
  }

  const GgufFile& file_;
  Tokenizer::Impl& t_;
  std::vector<std::string> mergeable_;
};

Result<Tokenizer> Tokenizer::from_gguf(const GgufFile& file) {
  auto impl = std::make_shared<Impl>();
  TRY_WITH(GgufVocabularyReader(file, *impl).read(), "in the vocabulary");
  return Tokenizer(std::move(impl));
}

}  // namespace hearth
