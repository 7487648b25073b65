// UTF-8 lies in base/.
#pragma once

#include "base/utf8.h"
