#include "core/limits.hpp"
#include "plugin/host.hpp"
#include "plugin/values.hpp"

namespace culvert {

namespace {

uint32_t enabled(const culvert_host *host, uint32_t level) {
  const Log *log = PluginHost::of(host).log;
  return log != nullptr && level <= CULVERT_LOG_TRACE && log->enabled(static_cast<LogLevel>(level));
}

void write(const culvert_host *host, uint32_t level, culvert_view message) {
  const PluginHost &self = PluginHost::of(host);
  if (enabled(host, level) == 0 || (message.data == nullptr && message.size > 0)) {
    return;
  }
  self.log->write(static_cast<LogLevel>(level),
                  one_line({message.data, message.size}, kLogLineBytes),
                  {{"plugin", std::string(self.id)}});
}

} // namespace

constexpr culvert_log kLogService{sizeof(culvert_log), 0, &enabled, &write};

} // namespace culvert
