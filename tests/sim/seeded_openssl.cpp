// The random method of OpenSSL 1.1 is the one door to its random bytes that needs no provider of
// our own; OpenSSL 3 still asks it first.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "seeded_openssl.hpp"

#include "core/assert.hpp"
#include "core/random.hpp"

#include <openssl/rand.h>

#include <cstddef>
#include <optional>

namespace culvert::simtest {

namespace {

std::optional<SeededRandom> &source() {
  static std::optional<SeededRandom> random;
  return random;
}

int fill(unsigned char *bytes, int size) {
  source()->fill({reinterpret_cast<std::byte *>(bytes), static_cast<std::size_t>(size)});
  return 1;
}

int ready() {
  return 1;
}

} // namespace

void seed_openssl(std::uint64_t seed) {
  source().emplace(seed);
  static const RAND_METHOD method{nullptr, &fill, nullptr, nullptr, &fill, &ready};
  CULVERT_ASSERT(RAND_set_rand_method(&method) == 1);
}

} // namespace culvert::simtest
