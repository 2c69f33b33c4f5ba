#include "plugin/host.hpp"

#include <algorithm>

namespace culvert {

namespace {

struct Offered {
  std::string_view id;
  const void *functions;
};

constexpr std::array<Offered, 5> kOffered{{{CULVERT_SERVICE_LOG, &kLogService},
                                           {CULVERT_SERVICE_CLOCK, &kClockService},
                                           {CULVERT_SERVICE_RANDOM, &kRandomService},
                                           {CULVERT_SERVICE_CONFIG, &kConfigService},
                                           {CULVERT_SERVICE_SECRET, &kSecretService}}};

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

PluginHost::PluginHost(const HostServices &services, std::string_view plugin_id,
                       const ConfigValues &values)
    : culvert_host(functions()), id(plugin_id), config(values), log(services.log),
      random(services.random), secrets(services.secrets), clock(services.clock), io(nullptr) {}

PluginHost::PluginHost(const HostServices &services, std::string_view plugin_id,
                       const ConfigValues &values, Shard &shard)
    : culvert_host(functions()), id(plugin_id), config(values), log(shard.log),
      random(shard.random), secrets(services.secrets), clock(services.clock), io(&shard.io) {}

} // namespace culvert
