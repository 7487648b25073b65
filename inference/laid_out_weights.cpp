// See laid_out_weights.h.
#include "inference/laid_out_weights.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "hwdetect/memory.h"
#include "runtime/backend/cpu/team.h"
#include "runtime/tensor/panels.h"

namespace hearth {
namespace {

constexpr int64_t kAlignment = 64;
constexpr int64_t kPieceBytes = int64_t{1} << 20;  // after which a thread drops what it has read

struct Move {
  std::string role;
  TensorView from, to;
  bool is_mapped;
};

int64_t aligned(int64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// The whole pages within. They are a file's: whoever reads them again gets them again.
void drop_pages(const std::byte* begin, const std::byte* end) {
  static const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t first = (reinterpret_cast<uintptr_t>(begin) + page - 1) / page * page,
                  last = reinterpret_cast<uintptr_t>(end) / page * page;
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

void pack(const Move& move, const Worker& me) {
  const int64_t panel_bytes = move.from.type.row_bytes() * panel_rows(move.to.type.layout);
  const int64_t at_once = std::max<int64_t>(1, kPieceBytes / std::max<int64_t>(1, panel_bytes));
  const auto [begin, end] = me.share(n_panels(move.to.type));
  for (int64_t p = begin; p < end; p += at_once) {
    const int64_t until = std::min(end, p + at_once);
    pack_panels(move.from, move.to, p, until);
    const auto* rows = move.from.as<const std::byte>();
    if (move.is_mapped)
      drop_pages(rows + begin * panel_bytes, rows + std::min(until * panel_bytes, move.from.type.bytes()));
  }
}

std::vector<Move> moves_of(const LoadedModel& model, const Graph& graph) {
  std::vector<Move> out;
  for (const ValueInfo& info : graph.values()) {
    const auto weight = model.weights.find(info.name);
    if (info.kind == ValueKind::parameter && info.type.layout != Layout::row_major && weight != model.weights.end())
      out.push_back({info.name, weight->second, {info.type, nullptr}, model.mapped.contains(info.name)});
  }
  return out;
}

}  // namespace

Result<Bindings> lay_out_weights(const LoadedModel& model, const Graph& graph, Backend& host, int n_threads,
                                 const std::function<void(const std::string& role)>& done, Buffer& room) {
  Bindings out(model.weights.begin(), model.weights.end());
  std::vector<Move> moves = moves_of(model, graph);
  if (moves.empty()) return out;
  int64_t bytes = 0;
  for (const Move& move : moves) bytes += aligned(move.to.type.bytes());
  room = TRY_WITH(host.allocate(bytes), "while reserving {} MiB for weights as the kernels read them", bytes >> 20);
  std::byte* at = room.data();
  for (Move& move : moves) {
    move.to.data = at;
    at += aligned(move.to.type.bytes());
    out.insert_or_assign(move.role, move.to);
  }
  Team team(n_threads > 0 ? n_threads : Team::default_threads());
  for (const Move& move : moves) {
    team.run([&](const Worker& me) { pack(move, me); });
    if (done) done(move.role);
  }
  malloc_trim(0);  // copies that were let go
  return out;
}

bool has_room_to_lay_out(uint64_t bytes) {
  const uint64_t available = available_memory_bytes();
  return available == 0 || bytes <= available;
}

}  // namespace hearth
