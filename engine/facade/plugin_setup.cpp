#include "facade/plugin_setup.hpp"

#include <algorithm>
#include <filesystem>

namespace culvert {
namespace {

bool is_secret(const culvert_plugin &entry, std::string_view name) {
  const auto keys = config_keys(entry);
  return std::any_of(keys.begin(), keys.end(), [&](const culvert_config_key &key) {
    return name == key.name && key.type == CULVERT_CONFIG_SECRET;
  });
}

Result<ConfigValue> value_of(const PluginSetting &setting, SecretStore &secrets) {
  if (const auto *secret = std::get_if<std::shared_ptr<const Secret>>(&setting)) {
    if (*secret == nullptr) {
      return Status::config("it is a secret that is not there; give a Secret");
    }
    return ConfigValue(SecretReference{secrets.add((*secret)->clone())});
  }
  if (const auto *list = std::get_if<std::vector<std::string>>(&setting)) {
    return ConfigValue(*list);
  }
  return ConfigValue(std::get<std::string>(setting));
}

} // namespace

std::vector<std::string> plugin_directories(const EngineConfig &config) {
  std::error_code error;
  std::vector<std::string> directories = config.plugin_directories;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  directories.push_back(own.string());
  const auto installed = own.parent_path() / "lib/culvert/plugins";
  if (std::filesystem::is_directory(installed, error)) {
    directories.push_back(installed.string());
  }
  return directories;
}

Status configure_plugins(PluginSet &plugins, SecretStore &secrets, const EngineConfig &config) {
  for (const auto &[id, settings] : config.plugin_settings) {
    const Result<const culvert_plugin *> entry = plugins.load(id);
    if (!entry.ok()) {
      return entry.status();
    }
    ConfigValues values;
    for (const auto &[name, setting] : settings) {
      std::string whole = id;
      whole.append(".").append(name);
      const auto *text = std::get_if<std::string>(&setting);
      Result<ConfigValue> value = value_of(setting, secrets);
      if (text != nullptr && config.read_secret && is_secret(*entry.value(), name)) {
        Result<Secret> read = config.read_secret(*text, whole);
        if (!read.ok()) {
          return read.status();
        }
        value = ConfigValue(SecretReference{secrets.add(std::move(read.value()))});
      }
      if (!value.ok()) {
        return Status::config("setting " + whole + ": " + value.status().message);
      }
      values.emplace(name, std::move(value.value()));
    }
    if (Status status = plugins.configure(id, std::move(values)); !status.ok()) {
      return status;
    }
  }
  return {};
}

} // namespace culvert
