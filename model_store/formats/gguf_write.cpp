// GGUF writer, version 3, alignment 32.
#include "model_store/formats/file_writer.h"
#include "model_store/formats/gguf.h"

namespace hearth {
namespace {

constexpr uint64_t kAlignment = 32;

// The header grows here before it is written; it holds no weights.
class Buffer {
 public:
  template <class T>
  void number(T value) {
    text_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void string(std::string_view s) {
    number<uint64_t>(s.size());
    text_ += s;
  }
  void type(GgufType type) { number(static_cast<uint32_t>(type)); }
  const std::string& text() const { return text_; }

  // A value with its type in front.
  void value(bool v) {
    type(GgufType::boolean);
    number<uint8_t>(v);
  }
  void value(uint32_t v) {
    type(GgufType::u32);
    number(v);
  }
  void value(int32_t v) {
    type(GgufType::i32);
    number(v);
  }
  void value(uint64_t v) {
    type(GgufType::u64);
    number(v);
  }
  void value(float v) {
    type(GgufType::f32);
    number(v);
  }
  void value(const std::string& v) {
    type(GgufType::string);
    string(v);
  }
  void value(const std::vector<std::string>& v) {
    array(GgufType::string, v.size());
    for (const auto& s : v) string(s);
  }
  void value(const std::vector<int32_t>& v) {
    array(GgufType::i32, v.size());
    for (int32_t i : v) number(i);
  }
  void value(const std::vector<float>& v) {
    array(GgufType::f32, v.size());
    for (float f : v) number(f);
  }
  void value(const std::vector<bool>& v) {
    array(GgufType::boolean, v.size());
    for (bool b : v) number<uint8_t>(b);
  }

 private:
  void array(GgufType item_type, uint64_t n) {
    type(GgufType::array);
    type(item_type);
    number(n);
  }
  std::string text_;
};

uint64_t aligned(uint64_t n) {
  return (n + kAlignment - 1) / kAlignment * kAlignment;
}

uint64_t bytes_of(const GgufTensorToWrite& tensor) {
  int64_t n = 1;
  for (int64_t dimension : tensor.shape) n *= dimension;
  return static_cast<uint64_t>(dtype_bytes(tensor.dtype, n));
}

}  // namespace

Result<void> write_gguf(const std::filesystem::path& path,
                        const std::vector<std::pair<std::string, GgufValue>>& metadata,
                        const std::vector<GgufTensorToWrite>& tensors) {
  for (const auto& tensor : tensors)
    if (dtype_info(tensor.dtype).gguf < 0)
      return error(Code::invalid_argument, "GGUF cannot hold {} (tensor \"{}\"); export as f16, q8_0 or another type",
                   dtype_info(tensor.dtype).name, tensor.name);
  Buffer header;
  header.number<uint32_t>(0x46554747);  // "GGUF"
  header.number<uint32_t>(3);
  header.number<uint64_t>(tensors.size());
  header.number<uint64_t>(metadata.size());
  for (const auto& [key, value] : metadata) {
    header.string(key);
    std::visit([&](const auto& v) { header.value(v); }, value);
  }
  uint64_t offset = 0;
  for (const auto& tensor : tensors) {
    header.string(tensor.name);
    header.number<uint32_t>(static_cast<uint32_t>(tensor.shape.size()));
    for (auto it = tensor.shape.rbegin(); it != tensor.shape.rend(); ++it)
      header.number<uint64_t>(static_cast<uint64_t>(*it));
    header.number<uint32_t>(static_cast<uint32_t>(dtype_info(tensor.dtype).gguf));
    header.number<uint64_t>(offset);
    offset += aligned(bytes_of(tensor));
  }
  FileWriter file = TRY(FileWriter::create(path));
  TRY(file.write(header.text()));
  TRY(file.pad_to(kAlignment));
  for (const auto& tensor : tensors) {
    TRY(write_tensor(file, tensor, bytes_of(tensor)));
    TRY(file.pad_to(kAlignment));
  }
  return file.finish();
}

}  // namespace hearth
