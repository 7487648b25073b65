#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>

#include <cstdlib>

namespace hearth {

void init_logging(std::string_view program) {
  auto logger = spdlog::stderr_color_mt(std::string(program));
  spdlog::set_default_logger(logger);
  const char* level = std::getenv("HEARTH_LOG");
  spdlog::set_level(level ? spdlog::level::from_str(level) : spdlog::level::info);
  if (std::getenv("JOURNAL_STREAM")) {
    spdlog::set_pattern("%n: %v");
  } else {
    spdlog::set_pattern("%H:%M:%S.%e %n %^%l%$ %v");
  }
}

}  // namespace hearth
