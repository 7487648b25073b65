// What the API tells of the hardware: a thin view of hwdetect. Any thread; probed once.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace hearth {

std::string cpu_model();
int n_usable_cores();
std::vector<std::string> gpu_names();
Result<Json> hardware_document();  // the HardwareProfile

}  // namespace hearth
