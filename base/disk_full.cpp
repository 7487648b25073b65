// The mark is where the error was made: a place of its own.
#include "base/disk_full.h"

namespace hearth {
namespace {
constexpr const char* kPlace = "a disk without room";
}  // namespace

Error as_disk_full(Error error) {
  error.where.file = kPlace;
  return error;
}

bool is_disk_full(const Error& error) {
  return error.where.file == kPlace;
}

}  // namespace hearth
