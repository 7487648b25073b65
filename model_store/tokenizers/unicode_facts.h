// Properties of characters as the reference implementation knows them. Its tables are of older Unicode versions, so a
// character that was assigned later has no properties there; a tokenizer has to agree with what the model was trained
// on.
#pragma once

#include <cstdint>
#include <string>

namespace hearth {

bool is_white_space(uint32_t c);
bool is_bert_control(uint32_t c);      // removed by the BERT normalizer
bool is_bert_blank(uint32_t c);        // becomes U+0020 there
bool is_bert_accent(uint32_t c);       // what its strip_accents removes after decomposition
bool is_bert_punctuation(uint32_t c);  // a word of its own
bool is_bert_cjk(uint32_t c);          // a word of its own when handle_chinese_chars
bool is_combining_mark(uint32_t c);    // what StripAccents removes
bool is_regex_word(uint32_t c);        // \w

// Lower case without regard to what stands beside the character (ICU's string mapping would see a final sigma).
void append_lower(uint32_t c, std::string& out);

}  // namespace hearth
