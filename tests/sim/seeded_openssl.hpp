// OpenSSL's random bytes from a seed, for this whole process: the simulation of TLS.
//
// One thread. Never in anything but a test program.
#pragma once

#include <cstdint>

namespace culvert::simtest {

/// From now on every random byte of OpenSSL comes from this seed. May be called again.
void seed_openssl(std::uint64_t seed);

} // namespace culvert::simtest
