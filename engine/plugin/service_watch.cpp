#include "plugin/host.hpp"
#include "plugin/waits.hpp"

namespace culvert {

namespace {

uint64_t start(const culvert_host *host, int32_t descriptor, uint32_t interest,
               void (*ready)(void *context), void *context) {
  PluginWaits *const waits = PluginHost::of(host).waits;
  if (waits == nullptr || ready == nullptr || interest > CULVERT_WRITABLE) {
    return 0;
  }
  return waits->watch(descriptor,
                      interest == CULVERT_READABLE ? Interest::kReadable : Interest::kWritable,
                      {ready, context});
}

void cancel(const culvert_host *host, uint64_t watch) {
  if (PluginWaits *const waits = PluginHost::of(host).waits) {
    waits->cancel_watch(watch);
  }
}

} // namespace

constexpr culvert_watch kWatchService{sizeof(culvert_watch), 0, &start, &cancel};

} // namespace culvert
