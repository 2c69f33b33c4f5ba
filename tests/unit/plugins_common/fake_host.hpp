// A small host for tests of plugins: every service of the ABI, with values that a test sets. It
// drives the C functions directly; the real host is tested beside the engine.
#pragma once

#include "crypto/digest.hpp"
#include "culvert/plugin.h"
#include "culvert/service.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace culvert_test {

inline std::string text(culvert_view view) {
  return {view.data, view.data + view.size};
}
inline culvert_view view(std::string_view text) {
  return {text.data(), text.size()};
}

struct FakeHost : culvert_host {
  FakeHost() : culvert_host{sizeof(culvert_host), CULVERT_ABI_MINOR, &find} {}
  FakeHost(const FakeHost &) = delete;
  FakeHost &operator=(const FakeHost &) = delete;

  std::map<std::string, std::string> texts;
  std::map<std::string, std::int64_t> integers;
  std::map<std::string, std::vector<std::string>> lists;
  std::map<std::string, std::uint64_t> secret_keys;
  std::map<std::uint64_t, std::string> secrets;
  std::int64_t wall_s = 1'800'000'000;
  std::uint8_t next_random = 0;
  int digests_made = 0;
  std::vector<std::string> log;
  culvert::Digests digests;

private:
  static FakeHost &of(const culvert_host *host) {
    return *const_cast<FakeHost *>(static_cast<const FakeHost *>(host));
  }
  static const void *find(const culvert_host *, const char *id) {
    static constexpr culvert_log kLog{sizeof(culvert_log), 0,
                                      [](const culvert_host *, uint32_t) { return 1U; },
                                      [](const culvert_host *host, uint32_t, culvert_view message) {
                                        of(host).log.push_back(text(message));
                                      }};
    static constexpr culvert_clock kClock{sizeof(culvert_clock), 0,
                                          [](const culvert_host *) { return std::uint64_t{1}; },
                                          [](const culvert_host *host) { return of(host).wall_s; }};
    static constexpr culvert_random kRandom{
        sizeof(culvert_random), 0, [](const culvert_host *host, void *bytes, size_t count) {
          for (size_t i = 0; i < count; ++i) {
            static_cast<std::uint8_t *>(bytes)[i] = of(host).next_random++;
          }
        }};
    const std::map<std::string_view, const void *> services{
        {CULVERT_SERVICE_LOG, &kLog},       {CULVERT_SERVICE_CLOCK, &kClock},
        {CULVERT_SERVICE_RANDOM, &kRandom}, {CULVERT_SERVICE_CONFIG, config()},
        {CULVERT_SERVICE_SECRET, secret()},
    };
    const auto at = services.find(id);
    return at == services.end() ? nullptr : at->second;
  }
  static const culvert_config *config() {
    static constexpr culvert_config kConfig{
        sizeof(culvert_config),
        0,
        [](const culvert_host *host, const char *key) { return view(of(host).texts[key]); },
        [](const culvert_host *host, const char *key) { return of(host).integers[key]; },
        [](const culvert_host *, const char *) { return 0U; },
        [](const culvert_host *host, const char *key) { return of(host).secret_keys[key]; },
        [](const culvert_host *host, const char *key) {
          return static_cast<uint32_t>(of(host).lists[key].size());
        },
        [](const culvert_host *host, const char *key, uint32_t index) {
          return view(of(host).lists[key][index]);
        }};
    return &kConfig;
  }
  static const culvert_secret *secret() {
    static constexpr culvert_secret kSecret{
        sizeof(culvert_secret), 0,
        [](const culvert_host *host, uint64_t reference, culvert_view data, uint8_t digest[32]) {
          FakeHost &self = of(host);
          ++self.digests_made;
          const auto at = self.secrets.find(reference);
          if (at == self.secrets.end()) {
            return 0U;
          }
          const auto bytes = self.digests.hmac_sha256(culvert::bytes_of(at->second),
                                                      culvert::bytes_of({data.data, data.size}));
          std::memcpy(digest, bytes.data(), bytes.size());
          return 1U;
        }};
    return &kSecret;
  }
};

/// Room for one call's results, as large as the engine's.
struct Room : culvert_arena {
  explicit Room(std::size_t size = 256U * 1024) : bytes((size + 15) / 16 * 2) {
    data = reinterpret_cast<char *>(bytes.data());
    capacity = size;
    used = 0;
  }
  std::vector<std::uint64_t> bytes;
};

template <typename Kind> const Kind &functions(const culvert_plugin &entry, std::string_view id) {
  for (uint32_t i = 0; i < entry.kind_count; ++i) {
    if (entry.kinds[i].id == id) {
      return *static_cast<const Kind *>(entry.kinds[i].functions);
    }
  }
  ADD_FAILURE() << entry.id << " has no " << id;
  std::abort();
}

/// One unit with one instance.
template <typename Kind> struct Plugged {
  Plugged(FakeHost &host, const culvert_plugin &entry, const char *id)
      : kind(functions<Kind>(entry, id)) {
    error.size = sizeof error;
    unit = kind.life.create == nullptr ? nullptr : kind.life.create(&host, &error);
    const bool made = unit != nullptr || kind.life.create == nullptr;
    if (made) {
      instance = kind.life.attach == nullptr ? unit : kind.life.attach(unit, &host, 0, &error);
    }
  }
  Plugged(const Plugged &) = delete;
  Plugged &operator=(const Plugged &) = delete;
  ~Plugged() {
    if (instance != nullptr && kind.life.detach != nullptr) {
      kind.life.detach(instance);
    }
    if (unit != nullptr && kind.life.destroy != nullptr) {
      kind.life.destroy(unit);
    }
  }
  const Kind &kind;
  culvert_status error{};
  void *unit = nullptr;
  void *instance = nullptr;
};

} // namespace culvert_test
