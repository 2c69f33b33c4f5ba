#include "plugin/plugin_set.hpp"

#include "plugin/values.hpp"

#include <set>
#include <utility>

namespace culvert {

Status PluginSet::register_static(const culvert_plugin &entry) {
  const std::string id = entry.id == nullptr ? "" : entry.id;
  Status status = check_entry(entry, id, "static plugin '" + id + "'");
  if (status.ok()) {
    entries_.insert_or_assign(id, &entry);
  }
  return status;
}

Result<const culvert_plugin *> PluginSet::load(std::string_view id) {
  if (const auto found = entries_.find(id); found != entries_.end()) {
    return found->second;
  }
  Result<LoadedPlugin> loaded = load_plugin(directories_, id);
  if (!loaded.ok()) {
    return loaded.status();
  }
  const culvert_plugin *entry = loaded.value().entry;
  entries_.emplace(id, entry);
  services_.log.write(LogLevel::kDebug, "plugin loaded",
                      {{"plugin", entry->id},
                       {"version", entry->version},
                       {"license", entry->license},
                       {"file", loaded.value().file}});
  return entry;
}

Status PluginSet::configure(std::string_view id, ConfigValues values) {
  const Result<const culvert_plugin *> entry = load(id);
  if (!entry.ok()) {
    return entry.status();
  }
  read_texts(config_keys(*entry.value()), values);
  Status status = check_values(id, config_keys(*entry.value()), values);
  if (status.ok()) {
    settings_.insert_or_assign(std::string(id), std::move(values));
  }
  return status;
}

/// "a, b": the plugins that could be named instead.
std::string PluginSet::ids_of(PluginKind kind) const {
  std::set<std::string> ids;
  for (const auto &[id, entry] : entries_) {
    if (find_kind(*entry, kind).ok()) {
      ids.insert(id);
    }
  }
  for (std::string &id : list_plugins_of_kind(directories_, std::string(kind_id(kind)))) {
    ids.insert(std::move(id));
  }
  return comma_list({ids.begin(), ids.end()});
}

Result<std::unique_ptr<Unit>> PluginSet::make_unit(std::string_view id, PluginKind kind,
                                                   ConfigValues values) {
  const Result<const culvert_plugin *> entry = load(id);
  if (!entry.ok()) {
    return entry.status();
  }
  if (const auto functions = find_kind(*entry.value(), kind); !functions.ok()) {
    const std::string others = ids_of(kind);
    return Status::config(functions.status().message + (others.empty() ? "" : ": " + others));
  }
  if (const auto own = settings_.find(id); own != settings_.end()) {
    for (const auto &[name, value] : own->second) {
      if (!values.emplace(name, value).second) {
        return Status::config("plugin " + std::string(id) + ": setting '" + name +
                              "' is given by the role that uses the plugin; remove it from the "
                              "plugin's settings");
      }
    }
  }
  return Unit::make(*entry.value(), kind, std::move(values), services_, calls_, ++generation_);
}

} // namespace culvert
