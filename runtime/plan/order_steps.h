// Says of each step of a plan what it waits for.
//
// The rule: two steps that touch the same bytes, one of them writing, happen in the order of the list. Buffers are
// placed by that order alone, and are re-used across lanes as within one: what a copy writes over and a kernel still
// reads, the copy waits for.
#pragma once

#include "runtime/plan/plan.h"

namespace hearth {

// Sets waits and waits_for of all steps, whose lanes are known and whose buffers are placed.
void order_steps(Plan& plan);

}  // namespace hearth
