#include "command.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>

namespace culvert::command {
namespace {

/// The value of the first of these variables that is set and not empty, with its name.
struct Variable {
  std::string name;
  std::string value;
};
std::optional<Variable> first_of(std::initializer_list<const char *> names) {
  for (const char *name : names) {
    const char *value = std::getenv(name);
    if (value != nullptr && *value != '\0') {
      return Variable{name, value};
    }
  }
  return std::nullopt;
}

/// Hosts between commas or blanks.
std::vector<std::string> hosts_in(std::string text) {
  std::vector<std::string> hosts;
  std::replace(text.begin(), text.end(), ',', ' ');
  std::istringstream words(text);
  std::string host;
  while (words >> host) {
    hosts.push_back(host);
  }
  return hosts;
}

template <typename Client> void use(Client &client, const ProxyConfig &proxy) {
  if (client.no_proxy || !client.proxy.address.host.empty()) {
    return;
  }
  client.proxy.address = proxy.address;
  client.proxy.origin = proxy.origin;
  client.proxy.except = proxy.except;
  if (client.proxy.credentials.empty()) {
    client.proxy.credentials = proxy.credentials.clone();
  }
}

} // namespace

void use_proxy_of_environment(LoadedConfig &loaded) {
  const std::optional<Variable> url = first_of({"HTTPS_PROXY", "https_proxy"});
  Configuration &all = loaded.configuration;
  if (!url || (all.listeners.empty() && all.senders.empty())) {
    return;
  }
  const bool has_scheme = url->value.find("://") != std::string::npos;
  Result<ProxyConfig> proxy = ProxyConfig::parse(has_scheme ? url->value : "http://" + url->value);
  if (!proxy.ok()) {
    loaded.mistakes.push_back({{},
                               Status::machine("the variable " + url->name + ": " +
                                               proxy.status().message + ", or unset it")});
    return;
  }
  proxy.value().origin = "the variable " + url->name;
  if (const std::optional<Variable> except = first_of({"NO_PROXY", "no_proxy"})) {
    proxy.value().except = hosts_in(except->value);
  }
  for (ListenerConfig &listener : all.listeners) {
    use(listener, proxy.value());
  }
  for (SenderConfig &sender : all.senders) {
    use(sender, proxy.value());
  }
}

} // namespace culvert::command
