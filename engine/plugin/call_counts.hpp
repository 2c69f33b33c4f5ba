// The calls that may complete later, counted by plugin, function and outcome.
//
// Shared by a set of plugins and the units that it made, which may live longer. Any thread may use
// it; a plugin that is replaced by another unit of it goes on counting here.
#pragma once

#include "core/counts_by_code.hpp"
#include "culvert/snapshot.hpp"

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace culvert {

class PluginCallCounts {
public:
  /// Valid as long as this object.
  CountsByCode &of(std::string_view plugin, std::string_view function) {
    const std::lock_guard lock(mutex_);
    return counts_[{std::string(plugin), std::string(function)}];
  }
  [[nodiscard]] std::vector<PluginCallStats> all() const {
    const std::lock_guard lock(mutex_);
    std::vector<PluginCallStats> found;
    for (const auto &[whose, counts] : counts_) {
      found.push_back({whose.first, whose.second, counts.all()});
    }
    return found;
  }

private:
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, CountsByCode> counts_;
};

} // namespace culvert
