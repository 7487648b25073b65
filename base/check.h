// CHECK: programmer errors abort with place and reason. Never for bad input; that is an Error.
#pragma once

#include <cstdio>
#include <cstdlib>

#define CHECK(condition)                                                                          \
  do {                                                                                            \
    if (!(condition)) [[unlikely]] {                                                              \
      std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", __FILE__, __LINE__, #condition);          \
      std::abort();                                                                               \
    }                                                                                             \
  } while (0)
