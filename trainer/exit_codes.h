// How hearth-trainer ends, for who starts it: 0 when there is a result, 1 when it failed for good, and these when the
// same command goes on from the last checkpoint.
#pragma once

namespace hearth::train {

inline constexpr int kExitStopped = 75;  // asked to stop (SIGTERM)
inline constexpr int kExitBusy = 76;     // another trainer still works in the job folder

}  // namespace hearth::train
