// Whether this box has a GPU that Hearth's kernels are for, as its PCI bus says; which may have no driver.
#pragma once

#include "hwdetect/profile.h"

namespace hearth {

bool has_nvidia_gpu(const DetectOptions& options = {});

}  // namespace hearth
