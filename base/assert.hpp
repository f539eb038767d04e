#pragma once
#include <cstdio>
#include <cstdlib>

/// States what only a bug of ours can break; stays on in release builds. Input is validated instead.
#define WH_ASSERT(condition)                                                                 \
  do {                                                                                       \
    if (!(condition)) [[unlikely]] {                                                         \
      std::fprintf(stderr, "%s:%d: assertion failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
