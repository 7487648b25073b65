// Where what belongs to this installation is: the worker programs, and the files that the packages install.
#pragma once

#include <filesystem>
#include <string_view>

namespace hearth {

// A worker program: the first that exists beside this one, in libexec, in its place in a build tree, or on PATH.
std::filesystem::path find_worker(std::string_view name);

// What the packages install beside the programs: <prefix>/share/hearth/<name>; empty when it is not there.
std::filesystem::path find_shared(std::string_view name);

}  // namespace hearth
