// Text that comes from outside: stdin, files, the command line. UTF-8 afterwards, or an error that names what it looks
// like.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace hearth::cli {

// All of it.
Result<std::string> text_of_stdin();
Result<std::string> text_of_file(const std::filesystem::path& path);

}  // namespace hearth::cli
