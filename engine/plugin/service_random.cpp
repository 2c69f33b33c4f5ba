#include "plugin/host.hpp"

namespace culvert {

namespace {

void fill(const culvert_host *host, void *bytes, size_t count) {
  if (bytes != nullptr) {
    PluginHost::of(host).random->fill({static_cast<std::byte *>(bytes), count});
  }
}

} // namespace

constexpr culvert_random kRandomService{sizeof(culvert_random), 0, &fill};

} // namespace culvert
