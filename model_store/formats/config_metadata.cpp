// Typed access to GGUF configuration, and its writing.
#include "model_store/formats/config_metadata.h"

#include <algorithm>
#include <cstring>

namespace hearth {
namespace {

std::string whole_key(const std::string& prefix, std::string_view key) {
  const bool is_whole = key.starts_with("general.") || key.starts_with("tokenizer.");
  return is_whole ? std::string(key) : prefix + std::string(key);
}

template <class To, class From>
std::vector<To> convert(const std::vector<From>& values) {
  std::vector<To> out;
  for (const auto& value : values) out.push_back(static_cast<To>(value));
  return out;
}

GgufValue gguf_value(const ConfigValue& value) {
  if (const auto* v = std::get_if<bool>(&value)) return *v;
  if (const auto* v = std::get_if<int64_t>(&value)) return static_cast<uint32_t>(*v);
  if (const auto* v = std::get_if<double>(&value)) return static_cast<float>(*v);
  if (const auto* v = std::get_if<std::string>(&value)) return *v;
  if (const auto* v = std::get_if<std::vector<bool>>(&value)) return *v;
  if (const auto* v = std::get_if<std::vector<int64_t>>(&value)) return convert<int32_t>(*v);
  if (const auto* v = std::get_if<std::vector<double>>(&value)) return convert<float>(*v);
  return std::get<std::vector<std::string>>(value);
}

}  // namespace

std::string GgufConfigSource::whole(std::string_view key) const {
  return whole_key(prefix_, key);
}

Result<void> GgufConfigSource::check_list(const std::string& key) const {
  const GgufEntry* entry = file_.find(key);
  if (!entry || entry->n_items <= kMaxList) return {};
  return error(Code::invalid_argument, "metadata key \"{}\" lists more than {} values", key, kMaxList);
}

Result<std::string> GgufConfigSource::string(std::string_view key) const {
  return std::string(TRY(file_.string(whole(key))));
}

Result<std::vector<int64_t>> GgufConfigSource::integers(std::string_view given) const {
  const std::string key = whole(given);
  TRY(check_list(key));
  const GgufEntry* entry = file_.find(key);
  if (entry && entry->type != GgufType::array) return std::vector<int64_t>(1, TRY(file_.integer(key)));
  if (!entry || entry->item_type != GgufType::boolean) return file_.integers(key);
  std::vector<int64_t> out;
  for (const std::byte value : entry->bytes) out.push_back(value != std::byte{0});
  return out;
}

Result<std::vector<double>> GgufConfigSource::numbers(std::string_view given) const {
  const std::string key = whole(given);
  TRY(check_list(key));
  const GgufEntry* entry = file_.find(key);
  if (entry && entry->type != GgufType::array) return std::vector<double>(1, TRY(file_.number(key)));
  return file_.numbers(key);
}

Result<std::vector<std::string>> GgufConfigSource::strings(std::string_view given) const {
  const std::string key = whole(given);
  TRY(check_list(key));
  std::vector<std::string> out;
  for (std::string_view text : TRY(file_.strings(key))) out.emplace_back(text);
  return out;
}

size_t GgufConfigSource::list_size(std::string_view key) const {
  const GgufEntry* entry = file_.find(whole(key));
  return entry && entry->type == GgufType::array ? entry->n_items : 0;
}

std::optional<std::vector<int64_t>> GgufConfigSource::tensor_shape(std::string_view name) const {
  const StoredTensor* tensor = file_.tensors().find(name);
  return tensor ? std::optional(tensor->shape) : std::nullopt;
}

Result<std::vector<float>> GgufConfigSource::tensor_values(std::string_view name) const {
  const StoredTensor* tensor = TRY(file_.tensors().require(name));
  if (tensor->dtype != Dtype::f32 || tensor->n_elements() > kMaxList)
    return error(Code::data_loss, "tensor \"{}\" must hold at most {} F32 numbers", std::string(name), kMaxList);
  std::vector<float> out(tensor->n_elements());
  std::memcpy(out.data(), tensor->bytes.data(), tensor->bytes.size());
  return out;
}

std::string GgufConfigSink::whole(std::string_view key) const {
  return whole_key(prefix_, key);
}

void GgufConfigSink::put(std::string_view key, ConfigValue value) {
  remove(key);
  metadata.emplace_back(whole(key), gguf_value(value));
}

void GgufConfigSink::remove(std::string_view key) {
  std::erase_if(metadata, [name = whole(key)](const auto& entry) { return entry.first == name; });
}

void GgufConfigSink::set_tensor(std::string name, std::vector<float> values) {
  tensors.emplace_back(std::move(name), std::move(values));
}

}  // namespace hearth
