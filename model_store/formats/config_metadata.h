// Configuration keys in GGUF metadata, as families read and write them. Keys are relative to the architecture:
// "block_count" is "llama.block_count"; those that begin with "general." or "tokenizer." are whole already.
#pragma once

#include "model_store/formats/gguf.h"
#include "runtime/architectures/config_source.h"

namespace hearth {

class GgufConfigSource final : public ConfigSource {
 public:
  GgufConfigSource(const GgufFile& file, std::string_view architecture)  // the file must outlive this
      : file_(file), prefix_(std::string(architecture) + ".") {}

  bool has(std::string_view key) const override { return file_.has(whole(key)); }
  Result<int64_t> integer(std::string_view key) const override { return file_.integer(whole(key)); }
  Result<double> number(std::string_view key) const override { return file_.number(whole(key)); }
  Result<bool> boolean(std::string_view key) const override { return file_.boolean(whole(key)); }
  Result<std::string> string(std::string_view key) const override;
  Result<std::vector<int64_t>> integers(std::string_view key) const override;
  Result<std::vector<double>> numbers(std::string_view key) const override;
  Result<std::vector<std::string>> strings(std::string_view key) const override;
  size_t list_size(std::string_view key) const override;
  size_t object_size(std::string_view) const override { return 0; }  // metadata is flat
  std::optional<std::vector<int64_t>> tensor_shape(std::string_view name) const override;
  Result<std::vector<float>> tensor_values(std::string_view name) const override;

 private:
  std::string whole(std::string_view key) const;
  Result<void> check_list(const std::string& key) const;
  const GgufFile& file_;
  std::string prefix_;
};

using GgufMetadata = std::vector<std::pair<std::string, GgufValue>>;

// Integers become u32, numbers f32, as other programs write them.
class GgufConfigSink final : public ConfigSink {
 public:
  explicit GgufConfigSink(std::string_view architecture) : prefix_(std::string(architecture) + ".") {}
  void put(std::string_view key, ConfigValue value) override;
  void put_null(std::string_view) override {}  // such files leave a key out
  void remove(std::string_view key) override;
  void set_tensor(std::string name, std::vector<float> values) override;

  GgufMetadata metadata;                                            // in the order of writing, each key once
  std::vector<std::pair<std::string, std::vector<float>>> tensors;  // f32 vectors

 private:
  std::string whole(std::string_view key) const;
  std::string prefix_;
};

}  // namespace hearth
