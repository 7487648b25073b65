// Is this code built with AddressSanitizer, which reports at once what guards around memory would find, and makes tests
// that try very many cases take a share of them? With ThreadSanitizer, which must be told of fibers?
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define HEARTH_HAS_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define HEARTH_HAS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HEARTH_HAS_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define HEARTH_HAS_TSAN 1
#endif
#endif
#ifndef HEARTH_HAS_ASAN
#define HEARTH_HAS_ASAN 0
#endif
#ifndef HEARTH_HAS_TSAN
#define HEARTH_HAS_TSAN 0
#endif
