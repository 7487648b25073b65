// Typed access to GGUF metadata. Bounds were checked when the file was parsed.
#include <algorithm>

#include "model_store/formats/byte_reader.h"
#include "model_store/formats/gguf.h"

namespace hearth {
namespace {

Error wrong_type(const GgufEntry& entry, std::string_view wanted) {
  return error(Code::invalid_argument, "metadata key \"{}\" must be {}, it is {}{}", std::string(entry.key), wanted,
               entry.type == GgufType::array ? "an array of " : "", gguf_type_name(entry.item_type));
}

template <class T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

// Calls use(item) for each number of `type`, as its own C++ type. False when the type is not a number.
template <class Use>
bool each_number(const GgufEntry& entry, Use use) {
  auto walk = [&]<class T>(T) {
    for (uint64_t i = 0; i < entry.n_items; ++i) use(load<T>(entry.bytes.data() + i * sizeof(T)));
    return true;
  };
  switch (entry.item_type) {
    case GgufType::u8:
      return walk(uint8_t{});
    case GgufType::i8:
      return walk(int8_t{});
    case GgufType::u16:
      return walk(uint16_t{});
    case GgufType::i16:
      return walk(int16_t{});
    case GgufType::u32:
      return walk(uint32_t{});
    case GgufType::i32:
      return walk(int32_t{});
    case GgufType::u64:
      return walk(uint64_t{});
    case GgufType::i64:
      return walk(int64_t{});
    case GgufType::f32:
      return walk(float{});
    case GgufType::f64:
      return walk(double{});
    default:
      return false;
  }
}

Result<std::vector<int64_t>> as_integers(const GgufEntry& entry) {
  std::vector<int64_t> out;
  bool fits = true;
  if (entry.item_type == GgufType::f32 || entry.item_type == GgufType::f64) return wrong_type(entry, "an integer");
  out.reserve(entry.n_items);
  bool ok = each_number(entry, [&](auto value) {
    if constexpr (std::is_same_v<decltype(value), uint64_t>) fits &= value <= static_cast<uint64_t>(INT64_MAX);
    out.push_back(static_cast<int64_t>(value));
  });
  if (!ok) return wrong_type(entry, "an integer");
  if (!fits) return error(Code::invalid_argument, "metadata key \"{}\" is larger than 2^63", std::string(entry.key));
  return out;
}

Result<std::vector<double>> as_numbers(const GgufEntry& entry) {
  std::vector<double> out;
  if (!each_number(entry, [&](auto value) { out.push_back(static_cast<double>(value)); }))
    return wrong_type(entry, "a number");
  return out;
}

Error missing(std::string_view key) {
  return error(Code::not_found, "metadata key \"{}\" is missing", std::string(key));
}

}  // namespace

const GgufEntry* GgufFile::find(std::string_view key) const {
  auto it = std::lower_bound(entries_.begin(), entries_.end(), key,
                             [](const auto& e, std::string_view k) { return e.key < k; });
  return it != entries_.end() && it->key == key ? &*it : nullptr;
}

Result<int64_t> GgufFile::integer(std::string_view key) const {
  const GgufEntry* entry = find(key);
  if (!entry) return missing(key);
  if (entry->type == GgufType::array) return wrong_type(*entry, "an integer");
  return TRY(as_integers(*entry))[0];
}

Result<double> GgufFile::number(std::string_view key) const {
  const GgufEntry* entry = find(key);
  if (!entry) return missing(key);
  if (entry->type == GgufType::array) return wrong_type(*entry, "a number");
  return TRY(as_numbers(*entry))[0];
}

Result<bool> GgufFile::boolean(std::string_view key) const {
  const GgufEntry* entry = find(key);
  if (!entry) return missing(key);
  if (entry->type != GgufType::boolean) return wrong_type(*entry, "true or false");
  return entry->bytes[0] != std::byte{0};
}

Result<std::string_view> GgufFile::string(std::string_view key) const {
  const GgufEntry* entry = find(key);
  if (!entry) return missing(key);
  if (entry->type != GgufType::string) return wrong_type(*entry, "a string");
  return ByteReader(entry->bytes).string(UINT64_MAX, key);
}

Result<std::vector<std::string_view>> GgufFile::strings(std::string_view key) const {
  const GgufEntry* entry = find(key);
  if (!entry) return missing(key);
  if (entry->type != GgufType::array || entry->item_type != GgufType::string)
    return wrong_type(*entry, "an array of strings");
  std::vector<std::string_view> out;
  out.reserve(entry->n_items);
  ByteReader in(entry->bytes);
  for (uint64_t i = 0; i < entry->n_items; ++i) out.push_back(TRY(in.string(UINT64_MAX, key)));
  return out;
}

Result<std::vector<int64_t>> GgufFile::integers(std::string_view key) const {
  const GgufEntry* entry = find(key);
  if (!entry) return missing(key);
  if (entry->type != GgufType::array) return wrong_type(*entry, "an array of integers");
  return as_integers(*entry);
}

Result<std::vector<double>> GgufFile::numbers(std::string_view key) const {
  const GgufEntry* entry = find(key);
  if (!entry) return missing(key);
  if (entry->type != GgufType::array) return wrong_type(*entry, "an array of numbers");
  return as_numbers(*entry);
}

Result<int64_t> GgufFile::integer_or(std::string_view key, int64_t otherwise) const {
  if (!has(key)) return otherwise;
  return integer(key);
}

Result<double> GgufFile::number_or(std::string_view key, double otherwise) const {
  if (!has(key)) return otherwise;
  return number(key);
}

Result<bool> GgufFile::boolean_or(std::string_view key, bool otherwise) const {
  if (!has(key)) return otherwise;
  return boolean(key);
}

Result<std::string> GgufFile::string_or(std::string_view key, std::string_view otherwise) const {
  if (!has(key)) return std::string(otherwise);
  return std::string(TRY(string(key)));
}

}  // namespace hearth
