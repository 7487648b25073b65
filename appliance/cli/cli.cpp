// Printing and paths for all verbs.
#include "appliance/cli/cli.h"

#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <ctime>

#include "appliance/box/programs.h"

namespace hearth::cli {

void Cli::print(const Json& document, const std::function<std::string()>& human) const {
  std::string text = json ? dump_json(document, 2) : human();
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (!text.empty()) fmt::print("{}\n", text);
}

Result<store::Store> Cli::open_store(store::Mode mode) const {
  if (::access(state.root.c_str(), R_OK) != 0 && errno == EACCES)
    return error(
        Code::permission_denied,
        "the models in {} belong to the service and you may not read them: ask it (`hearth chat`, `hearth ps`, "
        "`hearth models`), or have yourself added to its group: sudo adduser $USER hearth, then log in again",
        state.root.string());
  store::StoreOptions options;
  if (std::filesystem::path shared = find_shared("trust"); !shared.empty()) options.trust_folders.push_back(shared);
  return store::Store::open(state.root, mode, options);
}

static bool looks_like_path(const std::string& n) {
  return n.find('/') != std::string::npos || n.ends_with(".gguf") || n.ends_with(".safetensors");
}

// Goes before a model of the store that is called so.
static bool is_path(const std::string& n) {
  std::error_code failed;
  return looks_like_path(n) && std::filesystem::exists(n, failed);
}

Result<std::filesystem::path> Cli::model_path(const std::string& n) const {
  if (is_path(n)) return std::filesystem::absolute(n);
  store::Store store = TRY(open_store(store::Mode::read_only));
  const Result<std::string> name = store.resolve(n);
  if (name) return store.loader_path(*name);
  if (name.error().code != Code::not_found) return name.error();
  if (looks_like_path(n)) return error(Code::not_found, "there is nothing at {}", n);
  std::error_code failed;
  if (std::filesystem::exists(n, failed)) return std::filesystem::absolute(n);
  return error(Code::not_found,
               "there is no model named \"{}\" in {}, and no such path; `hearth models` lists the models", n,
               state.root.string());
}

Result<store::ModelRecord> Cli::record(const store::Store& store, const std::string& n) {
  if (is_path(n)) return error(Code::not_found, "{} is a path, not a model of the store", n);
  return store.find(TRY(store.resolve(n)));
}

std::string human_bytes(uint64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string human_count(uint64_t n) {
  if (n >= 1'000'000'000) return fmt::format("{:.1f} B", static_cast<double>(n) / 1e9);
  if (n >= 1'000'000) return fmt::format("{:.1f} M", static_cast<double>(n) / 1e6);
  if (n >= 1'000) return fmt::format("{:.1f} k", static_cast<double>(n) / 1e3);
  return std::to_string(n);
}

std::string human_seconds(double seconds) {
  int64_t s = std::llround(seconds);
  if (s < 60) return fmt::format("{} s", s);
  if (s < 3600) return fmt::format("{} min {} s", s / 60, s % 60);
  return fmt::format("{} h {} min", s / 3600, s % 3600 / 60);
}

std::string human_time(double since_1970) {
  if (since_1970 <= 0) return "-";
  auto seconds = static_cast<time_t>(since_1970);
  tm local{};
  ::localtime_r(&seconds, &local);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &local);
  return text;
}

std::string held_out_text(std::optional<double> before, std::optional<double> kept, std::optional<double> last,
                          int kept_step) {
  std::string out;
  if (before) out += fmt::format("held out  {:.4f} before\n", *before);
  if (!kept) return out;
  out += fmt::format("held out  {:.4f} after step {}, which is kept\n", *kept, kept_step);
  if (last && *last > *kept)
    out += fmt::format("held out  {:.4f} after the last step: training longer made it worse\n", *last);
  return out;
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) {
      if (widths.size() <= i) widths.push_back(0);
      widths[i] = std::max(widths[i], row[i].size());
    }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace hearth::cli
