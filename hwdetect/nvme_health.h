// The bytes of an NVMe health log, as a DiskHealth.
#pragma once

#include <cstdint>
#include <span>

#include "hwdetect/profile.h"

namespace hearth::detail {

constexpr size_t kNvmeHealthBytes = 512;
DiskHealth parse_nvme_health(std::span<const uint8_t, kNvmeHealthBytes> log);

}  // namespace hearth::detail
