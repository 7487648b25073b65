// Hostile model files: every prefix of valid ones, every integer field at dangerous values, and known tricks.
// The expectation is an Error, never a crash, an endless loop or a large allocation (sanitizers watch the rest).
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstring>

#include "base/files.h"
#include "base/json.h"
#include "base/sanitizers.h"
#include "model_store/formats/gguf.h"
#include "model_store/formats/load.h"
#include "model_store/formats/model_config.h"
#include "model_store/formats/safetensors.h"

namespace hearth::hostile_test {
namespace {
namespace fs = std::filesystem;

using Bytes = std::vector<std::byte>;

Bytes bytes_of(const fs::path& path) {
  auto text = read_file(path);
  auto* data = reinterpret_cast<const std::byte*>(text->data());
  return {data, data + text->size()};
}
Bytes golden(const char* name) {
  return bytes_of(fs::path(HEARTH_SOURCE_DIR) / "tests/golden" / name);
}

template <class T>
void put(Bytes& bytes, size_t at, T value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

// A copy on the heap of just this size, so that a sanitizer sees every read past its end.
Bytes prefix(const Bytes& bytes, size_t n) {
  return {bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(n)};
}

constexpr uint64_t kDangerous[] = {0,
                                   1,
                                   uint64_t{1} << 31,
                                   uint64_t{1} << 32,
                                   uint64_t{1} << 61,
                                   uint64_t{1} << 62,
                                   uint64_t{1} << 63,
                                   UINT64_MAX - 7,
                                   UINT64_MAX};

size_t header_size(const Bytes& gguf) {  // where the data of the first tensor begins
  auto file = GgufFile::parse(gguf, nullptr);
  const std::byte* first = gguf.data() + gguf.size();
  for (const auto& tensor : file->tensors().tensors()) first = std::min(first, tensor.bytes.data());
  return static_cast<size_t>(first - gguf.data());
}

void use(const GgufFile& file) {
  (void)config_from_gguf(file);
  (void)generation_from_gguf(file);
  (void)Tokenizer::from_gguf(file);
}

TEST(Hostile, EveryPrefixOfGgufIsAnError) {
  Bytes whole = golden("sharded_tokenizer_bf16/model-Q4_0.gguf");
  const size_t n_header = header_size(whole);
  for (size_t n = 0; n < whole.size(); n += n < n_header ? 1 : 997) {
    Bytes cut = prefix(whole, n);
    auto file = GgufFile::parse(cut, nullptr);
    ASSERT_FALSE(file) << "a file cut at " << n << " of " << whole.size() << " bytes was taken";
    EXPECT_EQ(file.error().code, Code::data_loss) << file.error().to_string();
  }
}

TEST(Hostile, EveryGgufHeaderWordAtDangerousValues) {
  Bytes whole = golden("sharded_tokenizer_bf16/model-Q4_0.gguf");
  const size_t n_header = header_size(whole);
  constexpr size_t kStride = HEARTH_HAS_ASAN ? 5 : 1;
  size_t n_errors = 0;
  for (size_t at = 0; at + 8 <= n_header; at += kStride) {
    if (at > 4096 && at % 13 != 0 && at + 4096 < n_header) continue;  // the vocabulary in the middle is all alike
    for (uint64_t value : kDangerous) {
      Bytes damaged = whole;
      put(damaged, at, value);
      auto file = GgufFile::parse(damaged, nullptr);
      if (file && at % 7 == 0) use(*file);
      n_errors += !file;
    }
  }
  EXPECT_GT(n_errors, 1000 / kStride);
}

TEST(Hostile, GgufTricks) {
  Bytes valid = golden("sharded_tokenizer_bf16/model-F16.gguf");
  auto refused = [&](size_t at, auto value, const char* wanted) {
    Bytes damaged = valid;
    put(damaged, at, value);
    auto file = GgufFile::parse(damaged, nullptr);
    ASSERT_FALSE(file);
    EXPECT_NE(file.error().to_string().find(wanted), std::string::npos) << file.error().to_string();
  };
  refused(0, uint32_t{0x46554748}, "not a GGUF file");
  refused(4, uint32_t{1}, "version 1");
  refused(4, uint32_t{0x03000000}, "big-endian");
  refused(4, uint32_t{77}, "version 77");
  refused(8, UINT64_MAX, "tensors are claimed");
  refused(16, UINT64_MAX, "entries are claimed");
  refused(16, uint64_t{65'537}, "entries are claimed");
  refused(24, UINT64_MAX, "length");
}

// Writes one metadata value and reads it back through `key`.
TEST(Hostile, GgufValuesAreTyped) {
  auto folder = TempFolder::create("hostile_test");
  fs::path path = folder->path() / "m.gguf";
  ASSERT_TRUE(write_gguf(path,
                         {{"a", std::string("text")},
                          {"b", uint64_t{1} << 63},
                          {"c", std::vector<int32_t>{1}},
                          {"general.alignment", uint32_t{32}}},
                         {}));
  auto file = GgufFile::open(path);
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(file->integer("a").error().code, Code::invalid_argument);
  EXPECT_EQ(file->integer("b").error().code, Code::invalid_argument);
  EXPECT_EQ(file->integer("c").error().code, Code::invalid_argument);
  EXPECT_EQ(file->integer("d").error().code, Code::not_found);
  EXPECT_EQ(file->strings("c").error().code, Code::invalid_argument);
  EXPECT_EQ(*file->string("a"), "text");
  for (uint32_t alignment : {0u, 1u, 7u, 33u, 65'537u, 0x80000000u, 0xFFFFFFFFu}) {
    ASSERT_TRUE(write_gguf(path, {{"general.alignment", alignment}}, {}));
    EXPECT_FALSE(GgufFile::open(path)) << alignment;
  }
  ASSERT_TRUE(write_gguf(path, {{"a", true}, {"a", false}}, {}));
  EXPECT_NE(GgufFile::open(path).error().to_string().find("twice"), std::string::npos);
}

Bytes safetensors(std::string header, size_t n_data) {
  Bytes out(8 + header.size() + n_data);
  put(out, 0, static_cast<uint64_t>(header.size()));
  std::memcpy(out.data() + 8, header.data(), header.size());
  return out;
}

TEST(Hostile, EveryPrefixOfSafetensorsIsAnError) {
  Bytes whole = golden("head_dim_fp32/model.safetensors");
  uint64_t n_header = 0;
  std::memcpy(&n_header, whole.data(), 8);
  for (size_t n = 0; n < whole.size(); n += n < n_header + 64 ? 1 : 997) {
    Bytes cut = prefix(whole, n);
    auto file = parse_safetensors(cut, nullptr);
    ASSERT_FALSE(file) << "a file cut at " << n << " was taken";
    EXPECT_EQ(file.error().code, Code::data_loss);
  }
}

TEST(Hostile, SafetensorsTricks) {
  EXPECT_TRUE(parse_safetensors(safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8), nullptr));
  EXPECT_TRUE(parse_safetensors(safetensors(R"({"__metadata__":{"format":"pt"}})", 0), nullptr));
  for (
      const char* header :
      {"",
       "{",
       "[]",
       "null",
       "{}x",
       R"({"a":5})",
       R"({"a":"x"})",
       R"({"a":[]})",
       R"({"a":{}})",
       R"({"__metadata__":{"a":5}})",
       R"({"__metadata__":{"a":{}}})",
       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}})",                      // size and shape differ
       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})",                      // backwards
       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,16]}})",                   // three
       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}})",                        // one
       R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})",                     // negative
       R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})",                    // a fraction
       R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})",  // overflow
       R"({"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}})",    // times eight is zero
       R"({"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,8]}})",   // beyond 64 bits
       R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}})",      // rank 9
       R"({"a":{"dtype":"X9","shape":[2],"data_offsets":[0,8]}})",                       // unknown dtype
       R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",                      // data left over
       R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",                      // a gap before
       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",  // overlap
       R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",  // twice
       R"({"":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",               // no name
       R"({"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}})",  // a field twice
       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"extra":1}})",    // unknown field
       R"({"a":{"dtype":"F32","shape":[[2]],"data_offsets":[0,8]}})"}) {
    Bytes bytes = safetensors(header, 8);
    EXPECT_FALSE(parse_safetensors(bytes, nullptr)) << header;
  }
  for (uint64_t value : kDangerous) {
    Bytes bytes = safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 8);
    put(bytes, 0, value);
    EXPECT_FALSE(parse_safetensors(bytes, nullptr)) << value;
    std::string header = fmt::format(R"({{"a":{{"dtype":"F32","shape":[{0}],"data_offsets":[0,8]}}}})", value);
    EXPECT_FALSE(parse_safetensors(safetensors(header, 8), nullptr)) << header;
    header = fmt::format(R"({{"a":{{"dtype":"F32","shape":[2],"data_offsets":[{0},8]}}}})", value);
    EXPECT_EQ(parse_safetensors(safetensors(header, 8), nullptr).has_value(), value == 0) << header;
    header = fmt::format(R"({{"a":{{"dtype":"F32","shape":[2],"data_offsets":[0,{0}]}}}})", value);
    EXPECT_FALSE(parse_safetensors(safetensors(header, 8), nullptr)) << header;
  }
  EXPECT_FALSE(parse_safetensors(safetensors(std::string(1 << 20, '['), 0), nullptr));
  EXPECT_FALSE(parse_safetensors(safetensors(R"({"a":)" + std::string(1 << 20, '{'), 0), nullptr));
}

TEST(Hostile, ShardIndexStaysInItsFolder) {
  auto folder = TempFolder::create("hostile_test");
  for (const char* name : {"../x.safetensors", "/etc/passwd", "a/b.safetensors", ".hidden", "", ".."}) {
    Json index = {{"weight_map", {{"a", name}}}};
    ASSERT_TRUE(write_file(folder->path() / "model.safetensors.index.json", dump_json(index)));
    auto file = open_safetensors(folder->path());
    ASSERT_FALSE(file);
    EXPECT_NE(file.error().to_string().find("plain file name"), std::string::npos) << file.error().to_string();
  }
}

TEST(Hostile, ConfigNumbersAreChecked) {
  std::string valid = *read_file(fs::path(HEARTH_SOURCE_DIR) / "tests/golden/gqa_untied_fp32/config.json");
  ASSERT_TRUE(config_from_hf(valid));
  for (const char* field : {"num_hidden_layers", "hidden_size", "num_attention_heads", "num_key_value_heads",
                            "head_dim", "intermediate_size", "vocab_size", "max_position_embeddings"})
    for (int64_t value : {int64_t{0}, int64_t{-1}, int64_t{1} << 31, INT64_MAX, INT64_MIN}) {
      Json json = *parse_json(valid);
      json[field] = value;
      EXPECT_FALSE(config_from_hf(dump_json(json))) << field << " = " << value;
    }
  for (const char* text : {"", "[]", "{}", "null", R"({"architectures": 5, "model_type": "llama"})",
                           R"({"model_type": "llama", "rope_scaling": [1]})"})
    EXPECT_FALSE(config_from_hf(text)) << text;
  Json json = *parse_json(valid);
  json["rope_parameters"] = {{"rope_type", "llama3"},
                             {"factor", 0},
                             {"low_freq_factor", 0},
                             {"high_freq_factor", 0},
                             {"original_max_position_embeddings", 0}};
  EXPECT_FALSE(config_from_hf(dump_json(json)));
  json["rope_parameters"] = {{"rope_type", "yarn"}, {"factor", 0}, {"original_max_position_embeddings", 0}};
  EXPECT_FALSE(config_from_hf(dump_json(json)));
}

TEST(Hostile, EveryPrefixOfConfigAndTokenizerIsAnError) {
  std::string config = *read_file(fs::path(HEARTH_SOURCE_DIR) / "tests/golden/gqa_untied_fp32/config.json");
  for (size_t n = 0; n + 2 < config.size(); ++n) EXPECT_FALSE(config_from_hf(std::string_view(config).substr(0, n)));
  std::string tokenizer =
      *read_file(fs::path(HEARTH_SOURCE_DIR) / "tests/golden/sharded_tokenizer_bf16/tokenizer.json");
  for (size_t n = 0; n + 2 < tokenizer.size(); n += 7)
    EXPECT_FALSE(Tokenizer::from_json(std::string_view(tokenizer).substr(0, n)));
}

}  // namespace
}  // namespace hearth::hostile_test
