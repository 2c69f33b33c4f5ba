// Instances of transport_azure without an engine, with a host whose clock stands still.
#pragma once

#include "fuzz.hpp"

#include "culvert/relay.h"
#include "culvert/service.h"
#include "culvert/transport.h"

#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

extern "C" const culvert_plugin culvert_plugin_v1_transport_azure;

namespace culvert::fuzz {

inline culvert_view view(std::string_view text) {
  return {text.data(), text.size()};
}
inline culvert_status no_error() {
  culvert_status status{};
  status.size = sizeof status;
  return status;
}

/// Room for the results of one call, as large as the engine's. It is not filled: that would take
/// most of the time of a run.
struct Room : culvert_arena {
  Room() : culvert_arena{nullptr, 192 * 1024, 0} {
    bytes = std::make_unique_for_overwrite<std::uint64_t[]>(capacity / sizeof(std::uint64_t));
    data = reinterpret_cast<char *>(bytes.get());
  }
  std::unique_ptr<std::uint64_t[]> bytes;
};

struct FuzzHost : culvert_host {
  FuzzHost() : culvert_host{sizeof(culvert_host), CULVERT_ABI_MINOR, &find} {}

  static const void *find(const culvert_host *, const char *id) {
    static constexpr culvert_log kLog{sizeof(culvert_log), 0,
                                      [](const culvert_host *, uint32_t) { return 0U; },
                                      [](const culvert_host *, uint32_t, culvert_view) {}};
    static constexpr culvert_clock kClock{sizeof(culvert_clock), 0,
                                          [](const culvert_host *) { return std::uint64_t{1}; },
                                          [](const culvert_host *) { return std::int64_t{1}; }};
    static constexpr culvert_random kRandom{
        sizeof(culvert_random), 0,
        [](const culvert_host *, void *bytes, size_t count) { std::memset(bytes, 7, count); }};
    return std::strcmp(id, CULVERT_SERVICE_LOG) == 0      ? static_cast<const void *>(&kLog)
           : std::strcmp(id, CULVERT_SERVICE_CLOCK) == 0  ? static_cast<const void *>(&kClock)
           : std::strcmp(id, CULVERT_SERVICE_RANDOM) == 0 ? static_cast<const void *>(&kRandom)
                                                          : nullptr;
  }
};

/// One unit with one instance, for the whole run.
template <typename Kind> struct Plugged {
  explicit Plugged(std::string_view id) {
    const culvert_plugin &entry = culvert_plugin_v1_transport_azure;
    for (std::uint32_t i = 0; i < entry.kind_count; ++i) {
      if (entry.kinds[i].id == id) {
        kind = *static_cast<const Kind *>(entry.kinds[i].functions);
      }
    }
    culvert_status error = no_error();
    unit = kind.life.create(&host, &error);
    instance = kind.life.attach(unit, &host, 0, &error);
    must(instance != nullptr);
  }
  FuzzHost host;
  Kind kind{};
  void *unit = nullptr;
  void *instance = nullptr;
};

using AzureRelay = Plugged<culvert_relay>;
using AzureTransport = Plugged<culvert_transport>;

inline AzureRelay &azure_relay() {
  static AzureRelay &relay = *new AzureRelay(CULVERT_KIND_RELAY);
  return relay;
}
inline AzureTransport &azure_transport() {
  static AzureTransport &transport = *new AzureTransport(CULVERT_KIND_TRANSPORT);
  return transport;
}

} // namespace culvert::fuzz
