// Every codec, and the check that the dtype table and the blocks agree.
#pragma once

#include "runtime/tensor/codecs/codebook.h"
#include "runtime/tensor/codecs/grids.h"
#include "runtime/tensor/codecs/k_quants.h"
#include "runtime/tensor/codecs/simple.h"
#include "runtime/tensor/codecs/ternary.h"
#include "runtime/tensor/codecs/wide_scale.h"
