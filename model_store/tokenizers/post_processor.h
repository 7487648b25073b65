// What is put around a text, or around and between two: [CLS] A [SEP] B [SEP].
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace hearth {

class PostProcessor {
 public:
  struct Part {
    enum class What { token, first_text, second_text } what = What::token;
    int32_t id = 0;       // of the token
    int32_t type_id = 0;  // which of the two texts a model should take it for
  };
  using Template = std::vector<Part>;
  using FindId = std::function<std::optional<int32_t>(const std::string& token)>;

  // The "post_processor" member of tokenizer.json; `n_tokens` bounds the ids.
  static Result<PostProcessor> from_json(const Json& json, const FindId& find_id, int64_t n_tokens);
  // Tokens before and after a text; both texts of a pair are surrounded.
  static PostProcessor around(const std::vector<int32_t>& before, const std::vector<int32_t>& after);

  const Template& single() const { return single_; }
  const Template& pair() const { return pair_; }
  // The tokens before and after a single text.
  std::vector<int32_t> prefix() const;
  std::vector<int32_t> suffix() const;

 private:
  friend class PostProcessorReader;
  Template single_ = {{Part::What::first_text}};
  Template pair_ = {{Part::What::first_text}, {Part::What::second_text, 0, 1}};
};

}  // namespace hearth
