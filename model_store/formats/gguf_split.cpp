// Names of parts, and opening a model from its parts.
#include "model_store/formats/gguf_split.h"

#include <algorithm>

#include "base/files.h"
#include "model_store/formats/gguf.h"

namespace hearth {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kEnding = "-00001-of-00001.gguf";

std::optional<int> five_digits(std::string_view text) {
  int number = 0;
  for (char c : text.substr(0, 5)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  return number;
}

using Keepers = std::vector<std::shared_ptr<const void>>;

Result<GgufFile> open_one(const fs::path& path) {
  auto mapping = std::make_shared<MappedFile>(TRY(MappedFile::open(path)));
  return TRY_WITH(GgufFile::parse(mapping->bytes(), mapping), "while reading {}", path.string());
}

// What a part says about itself must agree with its name.
Result<void> check_part(const GgufFile& file, const GgufPartName& name) {
  const int64_t index = TRY(file.integer_or("split.no", 0)), count = TRY(file.integer_or("split.count", 1));
  if (index == name.index && count == name.count) return {};
  return error(Code::data_loss, "the file says that it is part {} of {}, its name says part {} of {}", index + 1, count,
               name.index + 1, name.count);
}

}  // namespace

std::optional<GgufPartName> parse_gguf_part_name(std::string_view file_name) {
  if (file_name.size() <= kEnding.size()) return std::nullopt;
  const std::string_view ending = file_name.substr(file_name.size() - kEnding.size());
  const auto index = five_digits(ending.substr(1)), count = five_digits(ending.substr(10));
  if (ending[0] != '-' || ending.substr(6, 4) != "-of-" || ending.substr(15) != ".gguf" || !index || !count)
    return std::nullopt;
  if (*index < 1 || *index > *count || *count > kMaxGgufParts) return std::nullopt;
  return GgufPartName{std::string(file_name.substr(0, file_name.size() - kEnding.size())), *index - 1, *count};
}

std::string gguf_part_name(std::string_view model, int index, int count) {
  return fmt::format("{}-{:05}-of-{:05}.gguf", model, index + 1, count);
}

Result<std::vector<fs::path>> gguf_parts(const fs::path& path) {
  const auto name = parse_gguf_part_name(path.filename().string());
  if (!name) return std::vector{path};
  std::vector<fs::path> out;
  for (int i = 0; i < name->count; ++i) {
    out.push_back(path.parent_path() / gguf_part_name(name->model, i, name->count));
    std::error_code ec;
    if (!fs::exists(out.back(), ec))
      return error(Code::failed_precondition,
                   "{} is one of {} parts, but {} is not there: the download is not complete", path.string(),
                   name->count, out.back().filename().string());
  }
  return out;
}

std::vector<fs::path> gguf_models_in(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code ec;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec)) {
    if (it->path().extension() != ".gguf") continue;
    const auto name = parse_gguf_part_name(it->path().filename().string());
    if (!name || name->index == 0) out.push_back(it->path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<GgufFile> GgufFile::open(const fs::path& path) {
  const std::vector<fs::path> parts = TRY(gguf_parts(path));
  GgufFile first = TRY(open_one(parts[0]));
  const int64_t count = TRY_WITH(first.integer_or("split.count", 1), "while reading {}", path.string());
  if (parts.size() == 1 && count <= 1) return first;
  if (parts.size() == 1)
    return error(Code::failed_precondition,
                 "{} is one of {} parts of a model; keep the names they came with (NAME-00001-of-{:05}.gguf)",
                 path.string(), count, count);
  auto keepers = std::make_shared<Keepers>();
  std::vector<StoredTensor> tensors;
  uint64_t size_bytes = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    const GgufFile part = i == 0 ? first : TRY(open_one(parts[i]));
    TRY_WITH(check_part(part, *parse_gguf_part_name(parts[i].filename().string())), "while reading {}",
             parts[i].string());
    tensors.insert(tensors.end(), part.tensors_.tensors().begin(), part.tensors_.tensors().end());
    if (tensors.size() > kMaxTensors) return error(Code::data_loss, "more than {} tensors", kMaxTensors);
    keepers->push_back(part.tensors_.keeper());
    size_bytes += part.tensors_.size_bytes();
  }
  const auto n_tensors = static_cast<int64_t>(tensors.size());
  const int64_t claimed = TRY(first.integer_or("split.tensors.count", n_tensors));
  if (claimed != n_tensors)
    return error(Code::data_loss, "{} says that the parts hold {} tensors, they hold {}", parts[0].string(), claimed,
                 n_tensors);
  first.tensors_ = TRY_WITH(TensorFile::assemble(std::move(tensors), std::move(keepers), size_bytes),
                            "while reading the parts of {}", path.string());
  return first;
}

}  // namespace hearth
