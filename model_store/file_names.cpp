// Name rules. Refused names are shown escaped and shortened, since they come from outside.
#include "model_store/file_names.h"

#include <algorithm>
#include <set>

namespace hearth::store {
namespace {
constexpr size_t kMaxFileName = 1024, kMaxPart = 255, kMaxParts = 8;

std::string shown(std::string_view name) {
  std::string out;
  for (char c : name.substr(0, 80)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return name.size() > 80 ? out + "..." : out;
}

// Length of the well-formed UTF-8 sequence at the start of text, 0 when there is none.
size_t utf8_sequence(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char first = byte(0);
  size_t n = first < 0x80                    ? 1
             : first >= 0xC2 && first < 0xE0 ? 2
             : first >= 0xE0 && first < 0xF0 ? 3
             : first >= 0xF0 && first < 0xF5 ? 4
                                             : 0;
  if (n == 0 || text.size() < n) return 0;
  for (size_t i = 1; i < n; ++i)
    if ((byte(i) & 0xC0) != 0x80) return 0;
  bool too_long = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xF0 && byte(1) < 0x90);
  bool no_scalar = (first == 0xED && byte(1) >= 0xA0) || (first == 0xF4 && byte(1) >= 0x90);
  return too_long || no_scalar ? 0 : n;
}

bool is_plain_text(std::string_view name) {
  for (size_t i = 0; i < name.size();) {
    unsigned char c = static_cast<unsigned char>(name[i]);
    if (c < 0x20 || c == 0x7f || c == '\\') return false;
    size_t n = utf8_sequence(name.substr(i));
    if (n == 0) return false;
    i += n;
  }
  return true;
}
}  // namespace

Result<void> check_file_name(std::string_view name) {
  auto refuse = [&](std::string_view why) {
    return error(Code::invalid_argument, "the file name \"{}\" is refused: {}", shown(name), why);
  };
  if (name.empty()) return refuse("it is empty");
  if (name.size() > kMaxFileName) return refuse("it is longer than 1024 bytes");
  if (!is_plain_text(name)) return refuse("it has a control character, a backslash or bytes that are not UTF-8");
  size_t n_parts = 0;
  for (size_t start = 0; start <= name.size();) {
    size_t end = std::min(name.find('/', start), name.size());
    std::string_view part = name.substr(start, end - start);
    if (part.empty()) return refuse("it is absolute or has an empty part");
    if (part == "." || part == "..") return refuse("\".\" and \"..\" would leave the model's folder");
    if (part.size() > kMaxPart) return refuse("a part of it is longer than 255 bytes");
    if (++n_parts > kMaxParts) return refuse("it lies more than 8 folders deep");
    start = end + 1;
  }
  return {};
}

Result<void> check_file_names(const std::vector<std::string>& names) {
  std::set<std::string> files, folders;
  for (const std::string& name : names) {
    TRY(check_file_name(name));
    if (!files.insert(name).second)
      return error(Code::invalid_argument, "the file name \"{}\" appears twice", shown(name));
    for (size_t slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1))
      folders.insert(name.substr(0, slash));
  }
  for (const std::string& name : names)
    if (folders.contains(name)) return error(Code::invalid_argument, "\"{}\" is both a file and a folder", shown(name));
  return {};
}

}  // namespace hearth::store
