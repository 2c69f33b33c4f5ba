// The host as a plugin sees it: the services of culvert_host.
//
// A unit's host is used on the control thread, an instance's on its shard. A host owns its digests
// and shares the settings; it must not move from create() to destroy(), or from attach() to
// detach(). Each service has a file of its own.
//
// A plugin that has not completed all calls is not detached, so it may use its host for ever. Such
// a host is cut off from the engine when the instance or the unit ends, and it is never freed.
#pragma once

#include "core/clock.hpp"
#include "core/random.hpp"
#include "crypto/digest.hpp"
#include "culvert/log.hpp"
#include "io/shard.hpp"
#include "plugin/config.hpp"

#include "culvert/service.h"

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace culvert {

class PluginWaits;
class SecretStore;

/// What the engine gives to plugins on the control thread. All of it must live longer than every
/// unit.
struct HostServices {
  Log &log;
  Random &random;
  const Clock &clock;
  const SecretStore &secrets;
};

/// Made by Unit and by its instances only.
struct PluginHost final : culvert_host {
  using Config = std::shared_ptr<const ConfigValues>;
  PluginHost(const HostServices &services, std::string_view plugin_id, Config values);
  PluginHost(const HostServices &services, std::string_view plugin_id, Config values, Shard &shard);
  PluginHost(const PluginHost &) = delete;
  PluginHost &operator=(const PluginHost &) = delete;

  static const PluginHost &of(const culvert_host *host) {
    return *static_cast<const PluginHost *>(host);
  }

  /// From here on the services reach nothing of the engine: the log discards, there are no secrets,
  /// time and random bytes are the system's. The settings stay.
  void cut_off();

  std::string_view id;
  Config config;
  Log *log; // nullptr: cut off; the same for the secrets
  Random *random;
  const SecretStore *secrets;
  const Clock *clock;           // of a unit, or when it is cut off
  const Io *io;                 // of an instance
  PluginWaits *waits = nullptr; // of an instance that is not cut off
  mutable Digests digests;

private:
  std::unique_ptr<Random> own_random_; // when it is cut off
};

/// True when hosts offer the service of this id.
bool offers_service(std::string_view id);

extern const culvert_log kLogService;
extern const culvert_clock kClockService;
extern const culvert_random kRandomService;
extern const culvert_config kConfigService;
extern const culvert_secret kSecretService;
extern const culvert_watch kWatchService;
extern const culvert_timer kTimerService;

} // namespace culvert
