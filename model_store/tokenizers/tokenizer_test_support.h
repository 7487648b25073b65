// What the tokenizer tests share: where data lies, and texts to try.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "model_store/tokenizers/tokenizer.h"

namespace hearth {

// The folder with reference data: $HEARTH_REFERENCE_DIR, else ../shared/reference beside the checkout.
std::filesystem::path reference_folder();
std::filesystem::path golden_folder();
std::filesystem::path fixture_folder();  // small tokenizers beside these tests

// Every tokenizer.json and tokenizer.model among the fixtures, and every reference vocabulary that is there.
struct NamedTokenizer {
  std::string name;
  Tokenizer tokenizer;
};
Tokenizer load_tokenizer(const std::filesystem::path& file);
const std::vector<NamedTokenizer>& all_test_tokenizers();

// Texts of all scripts, marks, emoji, blanks, controls; deterministic.
std::vector<std::string> random_texts(int n, unsigned seed);
std::string random_bytes(int n, unsigned seed);

std::vector<std::string> split_text(const std::string& text, const std::string& separator);
std::vector<int32_t> parse_ids(const std::string& line);

}  // namespace hearth
