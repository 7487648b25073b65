// The fuzz targets of model files: parse, and use what was parsed as the product would.
#include "tests/fuzz/targets.h"

#include <span>
#include <string>
#include <string_view>

#include "model_store/formats/gguf.h"
#include "model_store/formats/model_config.h"
#include "model_store/formats/safetensors.h"
#include "model_store/tokenizers/tokenizer.h"
#include "runtime/architectures/architecture.h"

namespace hearth::fuzz {
namespace {

std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}
std::span<const std::byte> bytes_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const std::byte*>(data), size};
}

void use(const Result<Tokenizer>& tokenizer) {
  if (!tokenizer) return;
  auto ids = tokenizer->encode("Hello  world\n\n 123 <|im_end|> \xE4\xBD\xA0\xF0\x9F\x99\x82\xFF it's");
  if (ids) (void)tokenizer->decode(*ids, false);
}

void use(const Result<ModelConfig>& config) {
  if (!config) return;
  if (auto architecture = find_architecture(config->family)) (void)(*architecture)->parameters(*config);
  (void)rope_table(config->rope, config->head_dim);
  (void)config_to_hf(*config, "float32", 1, {2});
}

// Two inputs in one, cut at the first zero byte.
std::pair<std::string_view, std::string_view> halves(std::string_view text) {
  size_t cut = text.find('\0');
  return cut == std::string_view::npos ? std::pair{text, std::string_view()}
                                       : std::pair{text.substr(0, cut), text.substr(cut + 1)};
}

}  // namespace

void gguf(const uint8_t* data, size_t size) {
  auto file = GgufFile::parse(bytes_of(data, size), nullptr);
  if (!file) return;
  use(config_from_gguf(*file));
  (void)generation_from_gguf(*file);
  use(Tokenizer::from_gguf(*file));
  for (const auto& entry : file->entries()) {
    (void)file->number(entry.key);
    (void)file->strings(entry.key);
    (void)file->integers(entry.key);
  }
}

void safetensors(const uint8_t* data, size_t size) {
  auto file = parse_safetensors(bytes_of(data, size), nullptr);
  if (!file) return;
  unsigned sum = 0;
  for (const auto& tensor : file->tensors())
    if (!tensor.bytes.empty())
      sum += static_cast<unsigned>(tensor.bytes.front()) + static_cast<unsigned>(tensor.bytes.back());
  volatile unsigned sink = sum;
  (void)sink;
}

void tokenizer_json(const uint8_t* data, size_t size) {
  auto [tokenizer, config] = halves(text_of(data, size));
  use(Tokenizer::from_json(tokenizer, config));
}

void tokenizer_model(const uint8_t* data, size_t size) {
  // The configuration stands first: a model's bytes have zeros in them.
  auto [config, model] = halves(text_of(data, size));
  use(Tokenizer::from_sentencepiece(model, config));
}

void config_json(const uint8_t* data, size_t size) {
  auto [config, generation] = halves(text_of(data, size));
  use(config_from_hf(config));
  (void)generation_from_hf(config, generation);
}

}  // namespace hearth::fuzz
