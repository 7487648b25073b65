// The real box of the user flows: hearthd in a temporary state directory, with the bundled pack.
#pragma once

#include <memory>

#include "gui/tests/rig.h"

namespace hearth::gui {

bool hasHearthd();
std::unique_ptr<Rig> makeHearthdRig();

}  // namespace hearth::gui
