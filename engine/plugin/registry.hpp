// The plugins of one engine, by id.
//
// Control thread only. It looks in what was registered statically, then in the one plugin
// directory; an id is loaded once. Nothing is ever unmapped, not even when the registry dies.
#pragma once

#include "plugin/loader.hpp"
#include "plugin/unit.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace culvert {

class PluginRegistry {
public:
  /// The services outlive every unit. Without a directory only static plugins are found.
  PluginRegistry(const HostServices &services, std::string directory)
      : services_(services), directory_(std::move(directory)) {}

  /// A plugin that is part of this program; the entry lasts for ever.
  Status register_static(const culvert_plugin &entry);
  Result<const culvert_plugin *> load(std::string_view id);
  /// The registry may be gone before the unit. A plugin of another kind is refused with the ids of
  /// those that seem to have it.
  Result<std::unique_ptr<Unit>> make_unit(std::string_view id, PluginKind kind,
                                          ConfigValues values);

private:
  [[nodiscard]] std::string ids_of(PluginKind kind) const;
  HostServices services_;
  std::string directory_;
  std::map<std::string, const culvert_plugin *, std::less<>> entries_;
  std::uint64_t generation_ = 0;
};

} // namespace culvert
