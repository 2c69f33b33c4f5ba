#include "plugin/host.hpp"
#include "plugin/waits.hpp"

namespace culvert {

namespace {

uint64_t start(const culvert_host *host, uint64_t delay_ms, void (*due)(void *context),
               void *context) {
  PluginWaits *const waits = PluginHost::of(host).waits;
  return waits == nullptr || due == nullptr ? 0 : waits->start_timer(delay_ms, {due, context});
}

void cancel(const culvert_host *host, uint64_t timer) {
  if (PluginWaits *const waits = PluginHost::of(host).waits) {
    waits->cancel_timer(timer);
  }
}

} // namespace

constexpr culvert_timer kTimerService{sizeof(culvert_timer), 0, &start, &cancel};

} // namespace culvert
