#include "core/limits.hpp"
#include "core/regular_file.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "culvert/config_file.hpp"

namespace culvert {
namespace {

/// Collects values, each with its length in front, so that no two lists give the same text.
class Print {
public:
  void add(std::string_view value) {
    text_ += std::to_string(value.size()) + ":" + std::string(value);
  }
  void add(std::uint64_t value) { add(std::to_string(value)); }
  void add(const std::vector<std::string> &list) {
    add(list.size());
    for (const std::string &item : list) {
      add(item);
    }
  }
  void add(const Secret &secret) { add(hex(digests_.sha256(secret.bytes()))); }
  void add_file(const std::string &path) {
    add(path);
    std::string content =
        read_regular_file(path, kPemFileBytes).content; // else the engine says why
    add(hex(digests_.sha256(bytes_of(content))));
    cleanse(content);
  }
  template <typename Limits> void add_limits(const Limits &limits) {
    for (const LimitField<Limits> &field : limit_fields<Limits>()) {
      add(limits.*field.field);
    }
  }
  void add(const BindConfig &bind) {
    add(bind.bind.text());
    for (const HostPort &more : bind.also_bind) {
      add(more.text());
    }
    add(bind.bind_mode);
  }
  void add(const std::vector<RuleConfig> &rules) {
    add(rules.size());
    for (const RuleConfig &rule : rules) {
      add(rule.name);
      add(std::uint64_t{rule.rights.listen} + 2 * std::uint64_t{rule.rights.send} +
          4 * std::uint64_t{rule.rights.manage});
      add(rule.primary);
      add(rule.secondary);
    }
  }
  void add(const ClientConfig &config) {
    add(config.name);
    add(config.connection.host);
    add(config.connection.port);
    add(config.connection.entity_path);
    add(config.connection.key_name);
    add(config.connection.key);
    add(config.connection.signature);
    add(config.second_key);
    add_file(config.ca_file);
    add(config.transport);
    add(config.auth);
    add(config.resolver);
    add(config.resolve);
    add(config.proxy.address.text());
    add(config.proxy.credentials);
    add(config.proxy.except);
    add_limits(config.limits);
  }
  std::string take() { return hex(digests_.sha256(bytes_of(text_))); }

private:
  Digests digests_;
  std::string text_;
};

} // namespace

std::string fingerprint(const EngineConfig &config) {
  Print print;
  print.add(config.shards);
  print.add(static_cast<std::uint64_t>(config.backend));
  print.add(config.plugin_directories);
  for (const auto &[id, settings] : config.plugin_settings) {
    print.add(id);
    for (const auto &[key, setting] : settings) {
      print.add(key);
      if (const auto *text = std::get_if<std::string>(&setting)) {
        print.add(*text);
      } else if (const auto *list = std::get_if<std::vector<std::string>>(&setting)) {
        print.add(*list);
      } else if (const auto &secret = std::get<std::shared_ptr<const Secret>>(setting)) {
        print.add(*secret);
      }
    }
  }
  print.add_limits(config.limits);
  print.add(config.admin.bind.text());
  print.add(config.admin.bind_mode);
  return print.take();
}

std::string fingerprint(const RelayConfig &config) {
  Print print;
  print.add(static_cast<const BindConfig &>(config));
  print.add(config.name);
  print.add_file(config.tls_certificate_file);
  print.add_file(config.tls_key_file);
  print.add(config.names);
  for (const EntityConfig &entity : config.entities) {
    print.add(entity.path);
    print.add(entity.rules);
    print.add(std::uint64_t{entity.requires_client_authorization});
    print.add(static_cast<std::uint64_t>(entity.listeners));
  }
  print.add(config.rules);
  print.add(config.protocols);
  print.add(config.auth);
  print.add(config.public_host);
  print.add(config.public_port);
  print.add_limits(config.limits);
  return print.take();
}

std::string fingerprint(const ListenerConfig &config) {
  Print print;
  print.add(static_cast<const ClientConfig &>(config));
  print.add(config.target.text());
  print.add(config.rendezvous_hosts);
  print.add(std::uint64_t{config.proxy_protocol});
  return print.take();
}

std::string fingerprint(const SenderConfig &config) {
  Print print;
  print.add(static_cast<const ClientConfig &>(config));
  print.add(static_cast<const BindConfig &>(config));
  print.add(config.endpoint.text());
  print.add(std::uint64_t{config.tcp_health});
  print.add(std::uint64_t{config.tell_app_address});
  return print.take();
}

} // namespace culvert
