// See memory_budget.h.
#include "trainer/memory_budget.h"

#include "hwdetect/memory.h"

namespace hearth::train {

Result<void> check_memory(uint64_t needed_bytes, std::string_view what, Phrase& cause) {
  const uint64_t available = available_memory_bytes();
  if (available == 0 || needed_bytes <= available) return {};
  constexpr double kMiB = 1024.0 * 1024.0;
  cause = {"too_little_memory",
           {{"needed", std::to_string(needed_bytes >> 20)}, {"available", std::to_string(available >> 20)}}};
  return error(Code::resource_exhausted,
               "{} needs {:.0f} MiB of memory, {:.0f} MiB are available; lower batch.rows or data.max_seq_len, set "
               "batch.recompute = true, "
               "or use method.type = \"lora\"",
               what, static_cast<double>(needed_bytes) / kMiB, static_cast<double>(available) / kMiB);
}

}  // namespace hearth::train
