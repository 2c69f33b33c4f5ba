#include "plugin/host.hpp"

#include <algorithm>
#include <utility>

namespace culvert {

namespace {

struct Offered {
  std::string_view id;
  const void *functions;
};

constexpr std::array<Offered, 7> kOffered{{{CULVERT_SERVICE_LOG, &kLogService},
                                           {CULVERT_SERVICE_CLOCK, &kClockService},
                                           {CULVERT_SERVICE_RANDOM, &kRandomService},
                                           {CULVERT_SERVICE_CONFIG, &kConfigService},
                                           {CULVERT_SERVICE_SECRET, &kSecretService},
                                           {CULVERT_SERVICE_WATCH, &kWatchService},
                                           {CULVERT_SERVICE_TIMER, &kTimerService}}};

const void *find_service(std::string_view id) {
  const auto *found = std::find_if(kOffered.begin(), kOffered.end(),
                                   [&](const Offered &one) { return one.id == id; });
  return found == kOffered.end() ? nullptr : found->functions;
}

const void *service(const culvert_host *, const char *id) {
  return id == nullptr ? nullptr : find_service(id);
}

culvert_host functions() {
  return {sizeof(culvert_host), CULVERT_ABI_MINOR, &service};
}

} // namespace

bool offers_service(std::string_view id) {
  return find_service(id) != nullptr;
}

PluginHost::PluginHost(const HostServices &services, std::string_view plugin_id, Config values)
    : culvert_host(functions()), id(plugin_id), config(std::move(values)), log(&services.log),
      random(&services.random), secrets(&services.secrets), clock(&services.clock), io(nullptr) {}

PluginHost::PluginHost(const HostServices &services, std::string_view plugin_id, Config values,
                       Shard &shard)
    : culvert_host(functions()), id(plugin_id), config(std::move(values)), log(&shard.log),
      random(&shard.random), secrets(&services.secrets), clock(&services.clock), io(&shard.io) {}

void PluginHost::cut_off() {
  static const SystemClock system_clock;
  own_random_ = std::make_unique<SystemRandom>();
  log = nullptr;
  random = own_random_.get();
  secrets = nullptr;
  clock = &system_clock;
  io = nullptr;
  waits = nullptr;
}

} // namespace culvert
