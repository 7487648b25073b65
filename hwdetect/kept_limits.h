// The limits of this box as they are kept in a file: the best that was ever measured on this machine, because other
// programs make a measurement too low and nothing makes it too high. Disposable; measured again when it is lost.
#pragma once

#include <filesystem>

#include "hwdetect/probe.h"

namespace hearth {

// Errors: not_found when nothing was kept, or what was kept is another machine's or an older format's.
Result<MeasuredLimits> read_kept_limits(const std::filesystem::path& file);

// Measures now, joins what is kept, and writes it back. A file that cannot be written is no error: the limits hold.
Result<MeasuredLimits> measure_and_keep(const std::filesystem::path& file, const ProbeOptions& options);

// Every figure the better of both; when and beside what it was measured is told of the quieter measurement, or of the
// newer one when both were quiet.
MeasuredLimits best_of(const MeasuredLimits& kept, const MeasuredLimits& now);

// True when other programs hardly ran meanwhile: under a twentieth of the cores. False when that is not known.
bool was_idle(const MeasuredLimits& limits);

// "measured 3 days ago" with, where it was not idle, how much others used and what to do.
std::string age_in_words(const MeasuredLimits& limits, double now_s);

}  // namespace hearth
