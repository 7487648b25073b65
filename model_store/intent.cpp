// One digest a line in <state>/blobs/intent.
#include "model_store/intent.h"

#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "base/files.h"
#include "model_store/kill_point.h"

namespace hearth::store {
namespace fs = std::filesystem;
namespace {
constexpr uint64_t kMaxIntentBytes = uint64_t{64} << 20;

fs::path intent_file(const fs::path& state_dir) {
  return state_dir / "blobs" / "intent";
}
}  // namespace

Result<void> write_intent(const fs::path& state_dir, const DigestSet& digests) {
  std::string text;
  for (const std::string& digest : digests) text += digest + '\n';
  TRY(write_file(intent_file(state_dir), text));
  kill_point("intent.written");
  return {};
}

Result<DigestSet> read_intent(const fs::path& state_dir) {
  DigestSet out;
  auto text = read_file(intent_file(state_dir), kMaxIntentBytes);
  if (!text && text.error().code == Code::not_found) return out;
  if (!text) return text.error();
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) out.insert(line);
  return out;
}

Result<void> clear_intent(const fs::path& state_dir) {
  fs::path file = intent_file(state_dir);
  if (::unlink(file.c_str()) != 0 && errno != ENOENT) return errno_error("remove", file, errno);
  kill_point("intent.cleared");
  return {};
}

}  // namespace hearth::store
