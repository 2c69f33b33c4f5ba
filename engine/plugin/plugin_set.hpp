// The plugins of one engine, by id.
//
// Control thread only. It looks first at static plugins, then in the plugin directories, in their
// order; an id is loaded once. A plugin is never unloaded, not even when this object is destroyed.
#pragma once

#include "plugin/call_counts.hpp"
#include "plugin/loader.hpp"
#include "plugin/unit.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace culvert {

class PluginSet {
public:
  /// The services must live longer than every unit. Without a directory only static plugins are
  /// found.
  PluginSet(const HostServices &services, std::vector<std::string> directories)
      : services_(services), directories_(std::move(directories)) {}

  /// A plugin that is part of this program; its entry must stay valid until the process ends.
  Status register_static(const culvert_plugin &entry);
  Result<const culvert_plugin *> load(std::string_view id);
  /// Settings that every unit of this plugin gets in addition to those it is made with. A text is
  /// converted to the type that the plugin declares. A wrong setting is refused at once; a missing
  /// required one is refused when a unit is made.
  Status configure(std::string_view id, ConfigValues values);
  /// The unit may live longer than this object. A plugin of another kind is refused; the failure
  /// lists the plugins that seem to have the kind. A setting that is given both here and in
  /// configure() is refused too.
  Result<std::unique_ptr<Unit>> make_unit(std::string_view id, PluginKind kind,
                                          ConfigValues values);

  /// Any thread may call it.
  [[nodiscard]] std::vector<PluginCallStats> calls() const { return calls_->all(); }

private:
  [[nodiscard]] std::string ids_of(PluginKind kind) const;
  HostServices services_;
  std::vector<std::string> directories_;
  std::map<std::string, const culvert_plugin *, std::less<>> entries_;
  std::map<std::string, ConfigValues, std::less<>> settings_; // of configure(), by plugin id
  std::uint64_t generation_ = 0;
  const std::shared_ptr<PluginCallCounts> calls_ = std::make_shared<PluginCallCounts>();
};

} // namespace culvert
