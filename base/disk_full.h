// Errors of a disk without room, known without reading their words.
#pragma once

#include "base/result.h"

namespace hearth {

Error as_disk_full(Error error);
bool is_disk_full(const Error& error);

}  // namespace hearth
