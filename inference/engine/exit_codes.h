// How hearth-engine ends, for who starts it: 0 when it was asked to stop, 1 when another try may help, and this when
// the same command can only fail again.
#pragma once

namespace hearth {

inline constexpr int kEngineCannotServe = 78;  // the model or what was asked for is wrong

}  // namespace hearth
