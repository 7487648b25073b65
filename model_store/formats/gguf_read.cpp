// GGUF reader. Layout: magic, version, counts; metadata (key, type, value); tensor descriptions; padding; data.
// Nothing is allocated from a count before the file is known to be long enough to hold that many.
#include <algorithm>
#include <cmath>

#include "model_store/formats/byte_reader.h"
#include "model_store/formats/gguf.h"
#include "model_store/formats/gguf_types.h"

namespace hearth {
namespace {

constexpr uint64_t kMaxEntries = 65'536;
constexpr uint64_t kMaxKeyBytes = 65'535;
constexpr uint64_t kMaxNameBytes = 1'024;
constexpr uint64_t kMaxStringBytes = uint64_t{64} << 20;
constexpr uint32_t kMaxTensorDims = 4;
constexpr int kMaxArrayNesting = 4;
// Smallest descriptions: empty-ish key + type + u8; name + dims + one dim + type + offset.
constexpr uint64_t kMinEntryBytes = 8 + 1 + 4 + 1;
constexpr uint64_t kMinTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;

// 0 for strings and arrays, which have no fixed size.
size_t fixed_size(GgufType type) {
  switch (type) {
    case GgufType::u8:
    case GgufType::i8:
    case GgufType::boolean:
      return 1;
    case GgufType::u16:
    case GgufType::i16:
      return 2;
    case GgufType::u32:
    case GgufType::i32:
    case GgufType::f32:
      return 4;
    case GgufType::u64:
    case GgufType::i64:
    case GgufType::f64:
      return 8;
    case GgufType::string:
    case GgufType::array:
      return 0;
  }
  return 0;
}

Result<GgufType> read_type(ByteReader& in) {
  uint32_t type = TRY(in.number<uint32_t>("a value's type"));
  if (type > static_cast<uint32_t>(GgufType::f64))
    return error(Code::data_loss, "value type {} is not one that GGUF defines (0 to 12)", type);
  return static_cast<GgufType>(type);
}

Result<void> skip_items(ByteReader& in, GgufType type, uint64_t n_items, int nesting);

Result<void> skip_nested_array(ByteReader& in, int nesting) {
  if (nesting >= kMaxArrayNesting)
    return error(Code::data_loss, "arrays are nested deeper than {} levels", kMaxArrayNesting);
  GgufType item_type = TRY(read_type(in));
  uint64_t n_items = TRY(in.number<uint64_t>("an array's length"));
  return skip_items(in, item_type, n_items, nesting);
}

// Walks over n_items values, checking each.
Result<void> skip_items(ByteReader& in, GgufType type, uint64_t n_items, int nesting) {
  if (size_t size = fixed_size(type)) {
    uint64_t n_bytes = 0;
    if (!checked_multiply(n_items, size, &n_bytes)) return error(Code::data_loss, "an array claims {} items", n_items);
    auto bytes = TRY(in.take(n_bytes, "a value"));
    if (type == GgufType::boolean)
      for (std::byte b : bytes)
        if (b > std::byte{1})
          return error(Code::data_loss, "a true/false value is {}, must be 0 or 1", static_cast<int>(b));
    return {};
  }
  // A string or array takes at least 8 bytes.
  if (n_items > in.remaining() / 8)
    return error(Code::data_loss, "an array claims {} items, but only {} bytes are left", n_items, in.remaining());
  for (uint64_t i = 0; i < n_items; ++i) {
    if (type == GgufType::string)
      TRY(in.string(kMaxStringBytes, "a string"));
    else
      TRY(skip_nested_array(in, nesting + 1));
  }
  return {};
}

Result<GgufEntry> read_entry(ByteReader& in, std::span<const std::byte> file) {
  GgufEntry entry;
  entry.key = TRY(in.string(kMaxKeyBytes, "a metadata key"));
  if (entry.key.empty()) return error(Code::data_loss, "a metadata key is empty");
  auto read_value = [&]() -> Result<void> {
    entry.type = TRY(read_type(in));
    entry.item_type = entry.type;
    if (entry.type == GgufType::array) {
      entry.item_type = TRY(read_type(in));
      entry.n_items = TRY(in.number<uint64_t>("an array's length"));
    }
    size_t begin = in.position();
    TRY(skip_items(in, entry.item_type, entry.n_items, 0));
    entry.bytes = file.subspan(begin, in.position() - begin);
    return {};
  };
  TRY_WITH(read_value(), "in metadata key \"{}\"", std::string(entry.key.substr(0, 80)));
  return entry;
}

// A tensor's description before its place in the file is known.
struct Description {
  StoredTensor tensor;
  uint64_t offset = 0, n_bytes = 0;
};

Result<Description> read_description(ByteReader& in) {
  Description out;
  std::string_view name = TRY(in.string(kMaxNameBytes, "a tensor's name"));
  if (name.empty()) return error(Code::data_loss, "a tensor's name is empty");
  out.tensor.name = std::string(name);
  auto read_rest = [&]() -> Result<void> {
    uint32_t n_dims = TRY(in.number<uint32_t>("the number of dimensions"));
    if (n_dims < 1 || n_dims > kMaxTensorDims)
      return error(Code::data_loss, "it has {} dimensions, must be 1 to {}", n_dims, kMaxTensorDims);
    out.tensor.shape.resize(n_dims);
    for (uint32_t i = 0; i < n_dims; ++i) {
      uint64_t dimension = TRY(in.number<uint64_t>("a dimension"));
      if (dimension < 1 || dimension > uint64_t{1} << 62)
        return error(Code::data_loss, "dimension {} is {}, must be 1 to 2^62", i, dimension);
      out.tensor.shape[n_dims - 1 - i] = static_cast<int64_t>(dimension);
    }
    uint64_t n_elements = TRY(count_elements(out.tensor.shape));
    uint32_t type_id = TRY(in.number<uint32_t>("the tensor type"));
    const GgufTensorType* type = find_gguf_tensor_type(type_id);
    if (!type) return error(Code::unimplemented, "tensor type {} is not known to this version", type_id);
    out.tensor.format_dtype = type->name;
    out.tensor.dtype = type->dtype;
    if (out.tensor.shape.back() % type->block_elements != 0)
      return error(Code::data_loss, "rows of {} elements are not whole blocks of {} ({})", out.tensor.shape.back(),
                   type->block_elements, type->name);
    if (!checked_multiply(n_elements / type->block_elements, type->block_bytes, &out.n_bytes))
      return error(Code::data_loss, "its size does not fit 64 bits");
    out.offset = TRY(in.number<uint64_t>("the data offset"));
    return {};
  };
  TRY_WITH(read_rest(), "in tensor \"{}\"", out.tensor.name);
  return out;
}

Result<uint64_t> read_alignment(const GgufFile& file) {
  int64_t alignment = TRY(file.integer_or("general.alignment", 32));
  if (alignment < 8 || alignment > 65'536 || (alignment & (alignment - 1)) != 0)
    return error(Code::data_loss, "general.alignment is {}, must be a power of two from 8 to 65536", alignment);
  return static_cast<uint64_t>(alignment);
}

// Puts each tensor into the data section; overlapping or outside is an error.
Result<void> place(std::vector<Description>& tensors, std::span<const std::byte> data, uint64_t alignment) {
  std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.offset < b.offset; });
  uint64_t end = 0;
  for (auto& t : tensors) {
    if (t.offset % alignment != 0)
      return error(Code::data_loss, "tensor \"{}\" lies at {}, not a multiple of {}", t.tensor.name, t.offset,
                   alignment);
    if (t.offset < end)
      return error(Code::data_loss, "tensor \"{}\" at {} overlaps the one before it, which ends at {}", t.tensor.name,
                   t.offset, end);
    if (t.offset > data.size() || t.n_bytes > data.size() - t.offset)
      return error(Code::data_loss,
                   "tensor \"{}\" needs bytes {} to {} of the data, but the file holds {}: it is cut short or damaged",
                   t.tensor.name, t.offset, static_cast<double>(t.offset) + static_cast<double>(t.n_bytes),
                   data.size());
    end = t.offset + t.n_bytes;
    t.tensor.bytes = data.subspan(t.offset, t.n_bytes);
  }
  return {};
}

Result<uint32_t> read_version(ByteReader& in) {
  auto magic = TRY(in.take(4, "the GGUF magic"));
  if (std::memcmp(magic.data(), "GGUF", 4) != 0)
    return error(Code::data_loss, "not a GGUF file: it does not begin with \"GGUF\"");
  uint32_t version = TRY(in.number<uint32_t>("the GGUF version"));
  if (version == 0x02000000u || version == 0x03000000u)
    return error(Code::unimplemented, "this GGUF file is big-endian; convert it on the machine that made it");
  if (version == 1)
    return error(Code::unimplemented, "GGUF version 1 is too old; convert the model again (versions 2 and 3 are read)");
  if (version != 2 && version != 3)
    return error(Code::data_loss, "GGUF version {} is not known, versions 2 and 3 are read", version);
  return version;
}

}  // namespace

std::string_view gguf_type_name(GgufType type) {
  constexpr std::string_view kNames[] = {"u8",      "i8",     "u16",   "i16", "u32", "i32", "f32",
                                         "boolean", "string", "array", "u64", "i64", "f64"};
  return kNames[static_cast<uint32_t>(type)];
}

Result<GgufFile> GgufFile::parse(std::span<const std::byte> bytes, std::shared_ptr<const void> keeper) {
  ByteReader in(bytes);
  GgufFile file;
  file.version_ = TRY(read_version(in));
  uint64_t n_tensors = TRY(in.number<uint64_t>("the number of tensors"));
  uint64_t n_entries = TRY(in.number<uint64_t>("the number of metadata entries"));
  if (n_tensors > kMaxTensors || n_tensors > in.remaining() / kMinTensorBytes)
    return error(Code::data_loss, "{} tensors are claimed; the limit is {}, and the file has {} bytes", n_tensors,
                 kMaxTensors, bytes.size());
  if (n_entries > kMaxEntries || n_entries > in.remaining() / kMinEntryBytes)
    return error(Code::data_loss, "{} metadata entries are claimed; the limit is {}, and the file has {} bytes",
                 n_entries, kMaxEntries, bytes.size());

  file.entries_.reserve(n_entries);
  for (uint64_t i = 0; i < n_entries; ++i) file.entries_.push_back(TRY(read_entry(in, bytes)));
  auto& entries = file.entries_;
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  auto twice =
      std::adjacent_find(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.key == b.key; });
  if (twice != entries.end())
    return error(Code::data_loss, "metadata key \"{}\" occurs twice", std::string(twice->key.substr(0, 80)));

  std::vector<Description> descriptions;
  for (uint64_t i = 0; i < n_tensors; ++i) descriptions.push_back(TRY(read_description(in)));
  uint64_t alignment = TRY(read_alignment(file));
  uint64_t data_begin = (in.position() + alignment - 1) / alignment * alignment;
  auto data = data_begin <= bytes.size() ? bytes.subspan(data_begin) : std::span<const std::byte>{};
  TRY(place(descriptions, data, alignment));

  std::vector<StoredTensor> tensors;
  tensors.reserve(n_tensors);
  for (auto& d : descriptions) tensors.push_back(std::move(d.tensor));
  file.tensors_ = TRY(TensorFile::assemble(std::move(tensors), std::move(keeper), bytes.size()));
  return file;
}

}  // namespace hearth
