// See checkpoint.h.
#include "trainer/state/checkpoint.h"

#include <algorithm>
#include <memory>

#include "base/files.h"
#include "model_store/formats/safetensors.h"

namespace hearth::train {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kPrefix = "step-", kIncoming = ".incoming-";

std::string name_of(int64_t step) {
  return fmt::format("{}{:010}", kPrefix, step);
}

// Read from where it is when it is written; `held` is what was read last.
TensorToWrite to_write(std::string name, const PlacedTensor& tensor, const std::shared_ptr<HostView>& held) {
  const Shape& shape = tensor.type().shape;
  TensorToWrite out;
  out.name = std::move(name);
  out.dtype = Dtype::f32;
  for (int i = 0; i < shape.rank(); ++i) out.shape.push_back(shape[i]);
  out.bytes = [&tensor, held]() -> Result<std::span<const std::byte>> {
    *held = TRY(tensor.read());
    return std::span<const std::byte>(held->view.as<std::byte>(), static_cast<size_t>(tensor.type().bytes()));
  };
  return out;
}

// Finished checkpoints, newest first.
std::vector<fs::path> checkpoints_in(const fs::path& folder) {
  std::vector<fs::path> out;
  std::error_code ec;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec))
    if (it->path().filename().string().starts_with(kPrefix)) out.push_back(it->path());
  std::sort(out.rbegin(), out.rend());  // steps are padded: names sort as numbers
  return out;
}

void sweep(const fs::path& folder) {
  std::error_code ec;
  std::vector<fs::path> left;
  for (fs::directory_iterator it(folder, ec), end; !ec && it != end; it.increment(ec))
    if (it->path().filename().string().starts_with(kIncoming)) left.push_back(it->path());
  for (const fs::path& path : left) fs::remove_all(path, ec);
}

// A checkpoint leaves under a name that nobody reads, so that an interrupted removal leaves no half of one.
void remove_checkpoint(const fs::path& path) {
  std::error_code ec;
  const fs::path away = path.parent_path() / (std::string(kIncoming) + "old-" + path.filename().string());
  fs::rename(path, away, ec);
  fs::remove_all(ec ? path : away, ec);
}

Result<void> read_tensor(const TensorFile& file, const std::string& name, PlacedTensor& out) {
  const StoredTensor* stored = TRY(file.require(name));
  const Shape& shape = out.type().shape;
  bool same = stored->dtype == Dtype::f32 && stored->shape.size() == static_cast<size_t>(shape.rank());
  for (int i = 0; same && i < shape.rank(); ++i) same = stored->shape[static_cast<size_t>(i)] == shape[i];
  if (!same) return error(Code::data_loss, "{} is not {}", name, out.type().to_string());
  return out.write(stored->bytes.data());
}

Result<CheckpointState> read_state(const fs::path& checkpoint) {
  return from_json<CheckpointState>(TRY(parse_json(TRY(read_file(checkpoint / "state.json")))));
}

Result<void> read_tensors(const fs::path& checkpoint, std::span<Trainable> trainables) {
  const TensorFile file = TRY(open_safetensors(checkpoint / "tensors.safetensors"));
  for (Trainable& t : trainables) {
    TRY(read_tensor(file, t.name, t.weight));
    TRY(read_tensor(file, t.name + ".m", t.m));
    TRY(read_tensor(file, t.name + ".v", t.v));
  }
  return {};
}

}  // namespace

Result<void> save_checkpoint(const fs::path& folder, const CheckpointState& state,
                             std::span<const Trainable> trainables, int keep) {
  const std::string name = name_of(state.step), best = name_of(state.best_step);
  const fs::path incoming = folder / (std::string(kIncoming) + name);
  std::error_code ec;
  fs::remove_all(incoming, ec);
  TRY(make_folders(incoming));
  std::vector<TensorToWrite> tensors;
  const auto held = std::make_shared<HostView>();
  for (const Trainable& t : trainables) {
    tensors.push_back(to_write(t.name, t.weight, held));
    tensors.push_back(to_write(t.name + ".m", t.m, held));
    tensors.push_back(to_write(t.name + ".v", t.v, held));
  }
  TRY_WITH(write_safetensors(incoming / "tensors.safetensors", tensors), "while writing a checkpoint");
  TRY_WITH(write_file(incoming / "state.json", dump_json(to_json_value(state), 2)), "while writing a checkpoint");
  if (fs::exists(folder / name, ec)) remove_checkpoint(folder / name);  // the same step again, after a resume
  TRY_WITH(rename_durably(incoming, folder / name), "while writing a checkpoint");
  const std::vector<fs::path> all = checkpoints_in(folder);
  for (size_t i = static_cast<size_t>(std::max(1, keep)); i < all.size(); ++i)
    if (all[i].filename() != best) remove_checkpoint(all[i]);
  return {};
}

Result<void> load_weights(const fs::path& folder, int64_t step, std::span<Trainable> trainables) {
  const fs::path checkpoint = folder / name_of(step);
  const TensorFile file =
      TRY_WITH(open_safetensors(checkpoint / "tensors.safetensors"), "while reading the best checkpoint");
  for (Trainable& t : trainables)
    TRY_WITH(read_tensor(file, t.name, t.weight), "while reading {}", checkpoint.string());
  return {};
}

Result<std::optional<CheckpointState>> load_checkpoint(const fs::path& folder, const std::string& fingerprint,
                                                       std::span<Trainable> trainables) {
  sweep(folder);
  std::optional<Error> first_problem;
  for (const fs::path& checkpoint : checkpoints_in(folder)) {
    auto state = read_state(checkpoint);
    if (state && state->fingerprint != fingerprint)
      return error(
          Code::failed_precondition,
          "{} was made with another recipe, model or data; use another output folder, or remove {} to start over",
          checkpoint.string(), folder.string());
    auto read = state ? read_tensors(checkpoint, trainables) : Result<void>(state.error());
    if (read) return std::optional<CheckpointState>(std::move(*state));
    if (!first_problem)
      first_problem = detail::with_context(read.error(), "while resuming from " + checkpoint.string());
  }
  if (first_problem) return *first_problem;  // there were checkpoints, and none of them is whole
  return std::optional<CheckpointState>();
}

}  // namespace hearth::train
