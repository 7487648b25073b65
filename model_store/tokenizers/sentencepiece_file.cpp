// tokenizer.model: the few fields of SentencePiece's ModelProto that say how text becomes ids.
#include <cstring>

#include "model_store/tokenizers/sentencepiece.h"

namespace hearth {
namespace {

// Protobuf's wire format: a field's number and type, then its value. Everything is checked against the end.
class Message {
 public:
  explicit Message(std::string_view bytes) : bytes_(bytes) {}
  bool at_end() const { return bytes_.empty(); }

  struct Field {
    uint64_t number = 0;
    uint64_t value = 0;      // of integers, booleans, enums; the bits of a float
    std::string_view bytes;  // of strings and messages
  };
  Result<Field> next() {
    Field out;
    uint64_t tag = TRY(varint());
    out.number = tag >> 3;
    switch (tag & 7) {
      case 0:
        out.value = TRY(varint());
        return out;
      case 1:
        out.value = TRY(fixed(8));
        return out;
      case 2: {
        uint64_t n = TRY(varint());
        out.bytes = TRY(take(n));
        return out;
      }
      case 5:
        out.value = TRY(fixed(4));
        return out;
      default:
        return error(Code::invalid_argument, "a field has the wire type {}, which is not known", tag & 7);
    }
  }

 private:
  Result<std::string_view> take(uint64_t n) {
    if (n > bytes_.size())
      return error(Code::invalid_argument, "the file ends within a field: {} bytes wanted, {} left", n, bytes_.size());
    std::string_view out = bytes_.substr(0, n);
    bytes_.remove_prefix(n);
    return out;
  }
  Result<uint64_t> fixed(size_t n) {
    std::string_view bytes = TRY(take(n));
    uint64_t out = 0;
    std::memcpy(&out, bytes.data(), n);
    return out;
  }
  Result<uint64_t> varint() {
    uint64_t out = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      auto byte = static_cast<uint8_t>(TRY(take(1))[0]);
      out |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return out;
    }
    return error(Code::invalid_argument, "a number is longer than 64 bits");
  }

  std::string_view bytes_;
};

float as_float(uint64_t bits) {
  auto low = static_cast<uint32_t>(bits);
  float out;
  std::memcpy(&out, &low, 4);
  return out;
}

// Field numbers of sentencepiece_model.proto.
Result<void> read_piece(std::string_view bytes, SentencePieceVocabulary& v) {
  std::string piece;
  float score = 0;
  auto kind = PieceKind::normal;
  for (Message m(bytes); !m.at_end();) {
    auto f = TRY(m.next());
    if (f.number == 1) piece = std::string(f.bytes);
    if (f.number == 2) score = as_float(f.value);
    if (f.number == 3) {
      if (f.value < 1 || f.value > 6)
        return error(Code::invalid_argument, "piece {} has the type {}, which is not known", v.pieces.size(), f.value);
      kind = static_cast<PieceKind>(f.value);
    }
  }
  if (v.pieces.size() >= kMaxVocabulary)
    return error(Code::resource_exhausted, "there are more than {} pieces", kMaxVocabulary);
  v.pieces.push_back(std::move(piece));
  v.scores.push_back(score);
  v.kinds.push_back(kind);
  return {};
}

Result<void> read_trainer_spec(std::string_view bytes, SentencePieceFile& out) {
  for (Message m(bytes); !m.at_end();) {
    auto f = TRY(m.next());
    auto id = static_cast<int64_t>(static_cast<int32_t>(f.value));
    if (f.number == 3) {
      if (f.value != 1 && f.value != 2)
        return error(Code::unimplemented,
                     "SentencePiece models of the kind {} (word or character) are not supported yet", f.value);
      out.vocabulary.is_unigram = f.value == 1;
    }
    if (f.number == 24 && f.value != 0)
      return error(Code::unimplemented, "SentencePiece models with blanks at the ends of words are not supported yet");
    if (f.number == 35) out.vocabulary.byte_fallback = f.value != 0;
    if (f.number == 40) out.unk_id = id;
    if (f.number == 41) out.bos_id = id;
    if (f.number == 42) out.eos_id = id;
    if (f.number == 43) out.pad_id = id;
  }
  return {};
}

Result<void> read_normalizer_spec(std::string_view bytes, SentencePieceVocabulary& v) {
  for (Message m(bytes); !m.at_end();) {
    auto f = TRY(m.next());
    if (f.number == 2) v.charsmap = std::string(f.bytes);
    if (f.number == 3) v.add_space_prefix = f.value != 0;
    if (f.number == 4) v.remove_extra_whitespaces = f.value != 0;
    if (f.number == 5 && f.value == 0)
      return error(Code::unimplemented, "SentencePiece models that do not escape blanks are not supported yet");
  }
  return {};
}

}  // namespace

Result<SentencePieceFile> read_sentencepiece_file(std::string_view bytes) {
  SentencePieceFile out;
  out.vocabulary.is_unigram = true;  // what is not written has the value that SentencePiece gives it
  out.vocabulary.remove_extra_whitespaces = true;
  for (Message m(bytes); !m.at_end();) {
    auto f = TRY(m.next());
    if (f.number == 1) TRY(read_piece(f.bytes, out.vocabulary));
    if (f.number == 2) TRY_WITH(read_trainer_spec(f.bytes, out), "in the trainer_spec");
    if (f.number == 3) TRY_WITH(read_normalizer_spec(f.bytes, out.vocabulary), "in the normalizer_spec");
  }
  if (out.vocabulary.pieces.empty()) return error(Code::invalid_argument, "there are no pieces in it");
  return out;
}

}  // namespace hearth
