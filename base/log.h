// Logging: programs log, libraries return errors. Lines go to stderr (journald adds the rest when there is one).
#pragma once

#include <spdlog/spdlog.h>

#include <string_view>

namespace hearth {

// Called once by each program's main(). Level from HEARTH_LOG (trace, debug, info, warn, error), default info.
// Under systemd (JOURNAL_STREAM set) lines carry the "<N>" syslog prefix and no time.
void init_logging(std::string_view program);

}  // namespace hearth
