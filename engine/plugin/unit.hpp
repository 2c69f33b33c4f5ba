// One configured use of a plugin.
//
// Made and destroyed on the control thread; instances are made, used and destroyed on their shard.
// The unit owns what the plugin's create() made and must outlive its instances (asserted). The
// generation distinguishes a unit from an older one that it replaced.
#pragma once

#include "plugin/call_counts.hpp"
#include "plugin/call_watch.hpp"
#include "plugin/entry.hpp"
#include "plugin/host.hpp"
#include "plugin/kinds.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace culvert {

class Unit {
public:
  /// `entry` has been checked. The settings are checked before any function of the plugin runs.
  static Result<std::unique_ptr<Unit>> make(const culvert_plugin &entry, PluginKind kind,
                                            ConfigValues values, const HostServices &services,
                                            std::shared_ptr<PluginCallCounts> counts,
                                            std::uint64_t generation);
  Unit(const Unit &) = delete;
  Unit &operator=(const Unit &) = delete;
  ~Unit();

  [[nodiscard]] std::string_view id() const { return entry_.id; }
  [[nodiscard]] PluginKind kind() const { return static_cast<PluginKind>(functions_.index()); }
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  /// Instances that exist now; any thread may read it.
  [[nodiscard]] std::uint32_t instances() const {
    return instances_.load(std::memory_order_acquire);
  }

  /// Of completed calls of this function; valid as long as the unit.
  [[nodiscard]] CountsByCode &outcomes(std::string_view function) {
    return counts_->of(id(), function);
  }

  /// The unit's kind must be the one asked for (asserted).
  Result<std::unique_ptr<Transport>> transport(Shard &shard);
  Result<std::unique_ptr<RelayProtocol>> relay_protocol(Shard &shard);
  Result<std::unique_ptr<Auth>> auth(Shard &shard);
  Result<std::unique_ptr<Resolver>> resolver(Shard &shard);

  /// Call it when an instance could not be detached: destroy() is not called then, and the plugin
  /// keeps its host.
  void keep() { kept_.store(true, std::memory_order_release); }

private:
  friend class Instance;
  Unit(const culvert_plugin &entry, KindFunctions functions, ConfigValues values,
       const HostServices &services, std::shared_ptr<PluginCallCounts> counts,
       std::uint64_t generation);
  [[nodiscard]] const culvert_life &life() const;

  const culvert_plugin &entry_;
  const KindFunctions functions_;
  const std::shared_ptr<ConfigValues> values_; // constant until they are wiped
  const HostServices services_;
  const std::shared_ptr<PluginCallCounts> counts_; // of completed calls
  const std::uint64_t generation_;
  const std::shared_ptr<PluginHost> host_;
  CallWatch calls_;      // of create() and destroy()
  void *self_ = nullptr; // the result of create()
  std::atomic<std::uint32_t> instances_ = 0;
  std::atomic<bool> kept_ = false;
};

} // namespace culvert
