// One-value files of /sys and /proc, read with the path in every error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "hwdetect/reading.h"

namespace hearth {

// The file's text without surrounding white space. Empty files and errors are missing readings.
Reading<std::string> read_sysfs_text(const std::filesystem::path& file);

// Decimal, or hexadecimal after 0x.
Reading<uint64_t> read_sysfs_number(const std::filesystem::path& file);

// The value of "key<spaces>: value" in a file such as /proc/cpuinfo; the first line that has the key.
Reading<std::string> read_keyed_line(const std::filesystem::path& file, std::string_view key);

// Names in a folder, sorted; an absent folder has none.
std::vector<std::string> list_folder(const std::filesystem::path& folder);

// The last part of what a symbolic link points to, for example a device's driver.
Reading<std::string> read_link_name(const std::filesystem::path& link);

std::string_view trim(std::string_view text);
Result<uint64_t> parse_number(std::string_view text);

}  // namespace hearth
