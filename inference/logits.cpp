// Logits for `hearth logits`, the golden tests and the trainer's parity check.
#include "inference/logits.h"

#include <algorithm>
#include <numeric>

#include "runtime/architectures/model_graphs.h"
#include "runtime/exec/devices.h"
#include "runtime/exec/executor.h"

namespace hearth {
namespace {

Result<void> check_ids(const ModelConfig& config, std::span<const int32_t> ids) {
  if (ids.empty()) return error(Code::invalid_argument, "no token ids were given");
  const int most = std::min(kMaxLogitTokens, config.max_seq_len);
  if (static_cast<int64_t>(ids.size()) > most)
    return error(Code::invalid_argument, "at most {} token ids, got {}", most, ids.size());
  for (int32_t id : ids)
    if (id < 0 || id >= config.vocab_size)
      return error(Code::invalid_argument, "token id {} is outside the model's vocabulary of {}", id,
                   config.vocab_size);
  return {};
}

}  // namespace

Result<Tensor> whole_logits(const LoadedModel& model, std::span<const int32_t> ids, int n_threads,
                            const std::string& device_name) {
  TRY(check_ids(model.config, ids));
  auto dtype_of = [&](const ParameterSpec& spec) { return model.weights.at(spec.role).type.dtype; };
  const std::unique_ptr<Backend> device = TRY(open_device(device_name, n_threads));
  Graph graph =
      TRY(build_logits_graph(model.config, dtype_of, static_cast<int>(ids.size()), {}, device->activations()));
  Arena arena(*device);
  std::vector<Buffer> weights;
  const Bindings bindings = TRY(place_on(*device, Bindings(model.weights.begin(), model.weights.end()), weights));
  Executor executor = TRY(Executor::create(TRY(make_plan(std::move(graph), *device)), arena, bindings));
  std::copy(ids.begin(), ids.end(), executor.input("tokens").i32());
  int32_t* positions = executor.input("positions").i32();
  std::iota(positions, positions + ids.size(), 0);
  int32_t* segments = executor.input("segment_begin").i32();
  std::fill(segments, segments + ids.size(), 0);
  TRY(executor.run());
  return to_f32(executor.output(0));
}

}  // namespace hearth
