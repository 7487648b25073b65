// The entry that libFuzzer calls; HEARTH_FUZZ_TARGET names the target.
#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  hearth::fuzz::HEARTH_FUZZ_TARGET(data, size);
  return 0;
}
