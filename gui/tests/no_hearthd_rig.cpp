// What is absent where the service is not built.
#include "gui/tests/hearthd_rig.h"

namespace hearth::gui {

bool hasHearthd() { return false; }
std::unique_ptr<Rig> makeHearthdRig() { return nullptr; }

}  // namespace hearth::gui
