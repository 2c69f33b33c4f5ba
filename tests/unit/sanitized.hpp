// Whether a sanitizer is in the program: it brings operator new, and what counts is its own.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CULVERT_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CULVERT_TEST_SANITIZED 1
#endif
#endif
