#include "plugin/host.hpp"

namespace culvert {

namespace {

uint64_t monotonic_ns(const culvert_host *host) {
  const PluginHost &self = PluginHost::of(host);
  return self.io != nullptr ? self.io->now_ns() : self.clock->now_ns();
}

int64_t wall_s(const culvert_host *host) {
  const PluginHost &self = PluginHost::of(host);
  return self.io != nullptr ? self.io->wall_s() : self.clock->wall_s();
}

} // namespace

constexpr culvert_clock kClockService{sizeof(culvert_clock), 0, &monotonic_ns, &wall_s};

} // namespace culvert
