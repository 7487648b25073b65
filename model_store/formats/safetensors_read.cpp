// safetensors reader. Layout: u64 header length, JSON header {name: {dtype, shape, data_offsets}}, data.
// The header is read as a stream of events, so a hostile one costs no more than the tensors that it describes.
#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/json_error.h"
#include "model_store/formats/byte_reader.h"
#include "model_store/formats/safetensors.h"

namespace hearth {
namespace fs = std::filesystem;
namespace {

constexpr uint64_t kMaxHeaderBytes = uint64_t{32} << 20;
constexpr uint64_t kMaxIndexBytes = uint64_t{64} << 20;
constexpr size_t kMaxNameBytes = 1024;
constexpr size_t kMaxShards = 4096;

struct FormatDtype {
  std::string_view name;
  uint32_t n_bytes;
  std::optional<Dtype> dtype;
};
constexpr FormatDtype kDtypes[] = {
    {"F32", 4, Dtype::f32}, {"F16", 2, Dtype::f16}, {"BF16", 2, Dtype::bf16}, {"I32", 4, Dtype::i32},
    {"F64", 8, {}},         {"I64", 8, {}},         {"I16", 2, {}},           {"I8", 1, {}},
    {"U8", 1, {}},          {"BOOL", 1, {}},        {"U16", 2, {}},           {"U32", 4, {}},
    {"U64", 8, {}},         {"F8_E4M3", 1, {}},     {"F8_E5M2", 1, {}},
};

struct Described {
  StoredTensor tensor;
  uint64_t begin = 0, end = 0;
  bool has_dtype = false, has_shape = false;
  int n_offsets = -1;
};

// Receives the header's JSON events. depth 1: names; depth 2: fields of one tensor; depth 3: a list of numbers.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::deque<Described> tensors;  // grows without a second copy of what is there
  std::string problem;

  bool null() override { return fail("null is not expected"); }
  bool boolean(bool) override { return fail("true or false is not expected"); }
  bool number_float(double, const std::string&) override {
    return fail("a fraction or a number beyond 64 bits is not expected");
  }
  bool binary(nlohmann::json::binary_t&) override { return fail("binary is not expected"); }
  bool number_integer(int64_t) override { return fail("a negative number is not expected"); }

  bool number_unsigned(uint64_t value) override {
    if (!in_list_ || tensors.empty()) return fail("a number is not expected here");
    Described& t = tensors.back();
    if (field_ == "shape") {
      if (t.tensor.shape.size() == kMaxTensorRank) return fail("a tensor has more than 8 dimensions");
      if (value > uint64_t{1} << 62) return fail("a dimension is larger than 2^62");
      t.tensor.shape.push_back(static_cast<int64_t>(value));
    } else {
      if (t.n_offsets >= 2) return fail("data_offsets must be two numbers");
      (t.n_offsets == 0 ? t.begin : t.end) = value;
      ++t.n_offsets;
    }
    return true;
  }

  bool string(std::string& value) override {
    if (depth_ == 2 && in_metadata_) return true;
    if (depth_ != 2 || field_ != "dtype" || in_list_) return fail("a string is not expected here");
    Described& t = tensors.back();
    for (const auto& known : kDtypes)
      if (known.name == value) {
        t.tensor.format_dtype = known.name;
        t.tensor.dtype = known.dtype;
        t.has_dtype = true;
        return true;
      }
    return fail("dtype \"" + value.substr(0, 40) + "\" is not known");
  }

  bool start_object(size_t) override {
    if (depth_ >= 2 || in_list_) return fail("an object is not expected here");
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    return true;
  }

  bool key(std::string& name) override {
    if (depth_ == 2) {
      if (in_metadata_) return true;
      if (name != "dtype" && name != "shape" && name != "data_offsets")
        return fail("field \"" + name.substr(0, 40) + "\" is not known");
      field_ = name;
      return true;
    }
    in_metadata_ = name == "__metadata__";
    if (in_metadata_) return true;
    if (name.empty() || name.size() > kMaxNameBytes) return fail("a tensor's name must have 1 to 1024 bytes");
    if (tensors.size() == kMaxTensors) return fail("more than 200000 tensors");
    tensors.emplace_back().tensor.name = name;
    field_.clear();
    return true;
  }

  bool start_array(size_t) override {
    if (depth_ != 2 || in_list_ || in_metadata_ || (field_ != "shape" && field_ != "data_offsets"))
      return fail("a list is not expected here");
    Described& t = tensors.back();
    if (field_ == "shape" ? t.has_shape : t.n_offsets >= 0) return fail("field \"" + field_ + "\" occurs twice");
    if (field_ == "shape")
      t.has_shape = true;
    else
      t.n_offsets = 0;
    in_list_ = true;
    return true;
  }
  bool end_array() override {
    in_list_ = false;
    return true;
  }

  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& e) override {
    return fail(readable_json_error(e.what(), {}));
  }

 private:
  bool fail(std::string what) {
    problem = std::move(what);
    if (!tensors.empty()) problem += " (near tensor \"" + tensors.back().tensor.name + "\")";
    return false;
  }

  int depth_ = 0;
  bool in_list_ = false, in_metadata_ = false;
  std::string field_;
};

Result<void> check_size(const Described& t) {
  if (!t.has_dtype || !t.has_shape || t.n_offsets != 2)
    return error(Code::data_loss, "dtype, shape and two data_offsets are required");
  uint64_t n_bytes = TRY(count_elements(t.tensor.shape));
  uint32_t width = 0;
  for (const auto& known : kDtypes)
    if (known.name == t.tensor.format_dtype) width = known.n_bytes;
  if (!checked_multiply(n_bytes, width, &n_bytes)) return error(Code::data_loss, "its size does not fit 64 bits");
  if (t.end < t.begin || t.end - t.begin != n_bytes)
    return error(Code::data_loss, "its shape and dtype need {} bytes, but data_offsets are {} to {}", n_bytes, t.begin,
                 t.end);
  return {};
}

// The format allows neither gaps nor overlaps: the tensors cover the data exactly.
Result<std::vector<StoredTensor>> place(std::deque<Described> found, std::span<const std::byte> data) {
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return std::tie(a.begin, a.end) < std::tie(b.begin, b.end); });
  std::vector<StoredTensor> out;
  out.reserve(found.size());
  uint64_t end = 0;
  for (auto& t : found) {
    TRY_WITH(check_size(t), "in tensor \"{}\"", t.tensor.name);
    if (t.begin != end)
      return error(Code::data_loss,
                   "tensor \"{}\" begins at {} of the data, expected {}: gaps and overlaps are not allowed",
                   t.tensor.name, t.begin, end);
    if (t.end > data.size())
      return error(Code::data_loss,
                   "tensor \"{}\" ends at {}, but only {} bytes of data are there: the file is cut short",
                   t.tensor.name, t.end, data.size());
    t.tensor.bytes = data.subspan(t.begin, t.end - t.begin);
    end = t.end;
    out.push_back(std::move(t.tensor));
  }
  if (end != data.size()) return error(Code::data_loss, "{} bytes follow the last tensor", data.size() - end);
  return out;
}

Result<std::vector<StoredTensor>> parse_tensors(std::span<const std::byte> bytes) {
  ByteReader in(bytes);
  uint64_t n_header_bytes = TRY(in.number<uint64_t>("the header's length"));
  if (n_header_bytes > kMaxHeaderBytes)
    return error(Code::data_loss, "the header claims {} bytes, the limit is {}: not a safetensors file, or damaged",
                 n_header_bytes, kMaxHeaderBytes);
  auto header = TRY(in.take(n_header_bytes, "the header"));
  const char* text = reinterpret_cast<const char*>(header.data());
  if (header.empty() || *text != '{')
    return error(Code::data_loss, "the header must be a JSON object that begins with \"{{\"");
  HeaderReader reader;
  bool ok = false;
  try {
    ok = nlohmann::json::sax_parse(text, text + header.size(), &reader);
  } catch (const nlohmann::json::exception& e) {
    reader.problem = readable_json_error(e.what(), {});
  }
  if (!ok) return error(Code::data_loss, "the header is not valid: {}", reader.problem);
  return place(std::move(reader.tensors), bytes.subspan(in.position()));
}

// Several mappings, kept together.
using Mappings = std::vector<MappedFile>;

Result<Json> read_index(const fs::path& path) {
  std::string text = TRY(read_file(path, kMaxIndexBytes));
  Json index = TRY_WITH(parse_json(text), "while reading {}", path.string());
  auto map = index.is_object() ? index.find("weight_map") : index.end();
  if (map == index.end() || !map->is_object())
    return error(Code::data_loss, "{} has no \"weight_map\" object", path.string());
  return Json(std::move(*map));
}

// The shards that an index names: plain file names beside it.
Result<std::vector<std::string>> shard_names(const Json& weight_map) {
  std::vector<std::string> out;
  for (const auto& [tensor, file] : weight_map.items()) {
    if (!file.is_string()) return error(Code::data_loss, "weight_map entry \"{}\" must be a file name", tensor);
    const auto& name = file.get_ref<const std::string&>();
    if (name.empty() || name.size() > 255 || name.find('/') != std::string::npos ||
        name.find('\0') != std::string::npos || name[0] == '.')
      return error(Code::data_loss,
                   "weight_map entry \"{}\" must be a plain file name in the same folder, it is \"{}\"", tensor,
                   name.substr(0, 80));
    out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  if (out.size() > kMaxShards)
    return error(Code::data_loss, "{} shards are named, the limit is {}", out.size(), kMaxShards);
  return out;
}

bool is_index(const fs::path& path) {
  return path.extension() == ".json";
}

// The file or index that stands for `path`.
Result<fs::path> find_entry(const fs::path& path) {
  std::error_code ec;
  if (!fs::exists(path, ec)) return error(Code::not_found, "{} does not exist", path.string());
  if (!fs::is_directory(path, ec)) return path;
  for (const char* name : {"model.safetensors.index.json", "model.safetensors"})
    if (fs::exists(path / name, ec)) return path / name;
  std::vector<fs::path> candidates;
  bool has_pickle = false;
  for (fs::directory_iterator it(path, ec), end; !ec && it != end; it.increment(ec)) {
    if (it->path().extension() == ".safetensors") candidates.push_back(it->path());
    has_pickle |=
        it->path().extension() == ".bin" || it->path().extension() == ".pt" || it->path().extension() == ".pth";
  }
  if (ec) return errno_error("list", path, ec.value());
  if (candidates.size() == 1) return candidates[0];
  if (candidates.size() > 1)
    return error(
        Code::invalid_argument,
        "{} holds {} .safetensors files but no model.safetensors.index.json that says how they belong together",
        path.string(), candidates.size());
  if (has_pickle)
    return error(
        Code::unimplemented,
        "{} holds only pickled weights (.bin, .pt), which can run code when read; save the model as safetensors",
        path.string());
  return error(Code::not_found, "{} holds no .safetensors file", path.string());
}

// The shards decide what there is: an index may name a tied head that no shard holds, and lack what one holds. What the
// model needs and nobody holds is the loader's to refuse, by name.
Result<TensorFile> open_sharded(const fs::path& index_path) {
  Json weight_map = TRY(read_index(index_path));
  auto mappings = std::make_shared<Mappings>();
  std::vector<StoredTensor> tensors;
  uint64_t size_bytes = 0;
  for (const auto& name : TRY_WITH(shard_names(weight_map), "while reading {}", index_path.string())) {
    fs::path path = index_path.parent_path() / name;
    mappings->push_back(TRY(MappedFile::open(path)));
    size_bytes += mappings->back().bytes().size();
    for (auto& tensor : TRY_WITH(parse_tensors(mappings->back().bytes()), "while reading {}", path.string())) {
      auto entry = weight_map.find(tensor.name);
      if (entry != weight_map.end() && *entry != name)
        return error(Code::data_loss, "{} holds tensor \"{}\", which {} places in {}", path.string(), tensor.name,
                     index_path.filename().string(), entry->get<std::string>());
      tensors.push_back(std::move(tensor));
    }
    if (tensors.size() > kMaxTensors) return error(Code::data_loss, "more than {} tensors", kMaxTensors);
  }
  return TensorFile::assemble(std::move(tensors), mappings, size_bytes);
}

}  // namespace

Result<TensorFile> parse_safetensors(std::span<const std::byte> bytes, std::shared_ptr<const void> keeper) {
  return TensorFile::assemble(TRY(parse_tensors(bytes)), std::move(keeper), bytes.size());
}

Result<std::vector<fs::path>> list_safetensors(const fs::path& path) {
  fs::path entry = TRY(find_entry(path));
  std::vector<fs::path> out = {entry};
  if (is_index(entry))
    for (const auto& name : TRY(shard_names(TRY(read_index(entry))))) out.push_back(entry.parent_path() / name);
  return out;
}

Result<TensorFile> open_safetensors(const fs::path& path) {
  fs::path entry = TRY(find_entry(path));
  if (is_index(entry)) return open_sharded(entry);
  auto mapping = std::make_shared<MappedFile>(TRY(MappedFile::open(entry)));
  return TRY_WITH(parse_safetensors(mapping->bytes(), mapping), "while reading {}", entry.string());
}

}  // namespace hearth
