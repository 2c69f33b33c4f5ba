// The plugins of one engine, by id.
//
// Control thread only. It looks in what was registered statically, then in the plugin directories,
// in their order; an id is loaded once. Nothing is ever unmapped, not even when the registry dies.
#pragma once

#include "plugin/loader.hpp"
#include "plugin/unit.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace culvert {

class PluginRegistry {
public:
  /// The services outlive every unit. Without a directory only static plugins are found.
  PluginRegistry(const HostServices &services, std::vector<std::string> directories)
      : services_(services), directories_(std::move(directories)) {}

  /// A plugin that is part of this program; the entry lasts for ever.
  Status register_static(const culvert_plugin &entry);
  Result<const culvert_plugin *> load(std::string_view id);
  /// Settings that every unit of this plugin gets beside those it is made with. A text stands for
  /// the type that the plugin declares. What is wrong with one is refused at once, a required one
  /// that is missing when a unit is made.
  Status configure(std::string_view id, ConfigValues values);
  /// The registry may be gone before the unit. A plugin of another kind is refused with the ids of
  /// those that seem to have it; a setting that is given here and in configure() is refused too.
  Result<std::unique_ptr<Unit>> make_unit(std::string_view id, PluginKind kind,
                                          ConfigValues values);

private:
  [[nodiscard]] std::string ids_of(PluginKind kind) const;
  HostServices services_;
  std::vector<std::string> directories_;
  std::map<std::string, const culvert_plugin *, std::less<>> entries_;
  std::map<std::string, ConfigValues, std::less<>> settings_; // of configure(), by plugin id
  std::uint64_t generation_ = 0;
};

} // namespace culvert
