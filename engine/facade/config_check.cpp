// A configuration judged as a whole: what its reader finds, what the roles would refuse when they
// start, as far as it can be said without opening or asking anything, and settings that contradict
// each other.

#include "config/config_reader.hpp"
#include "config/endpoint_address.hpp"
#include "config/host_name.hpp"
#include "config/setting_values.hpp"
#include "core/text.hpp"
#include "culvert/engine.hpp"
#include "facade/running_role.hpp"
#include "role/fetch.hpp"
#include "role/relay/policy.hpp"

#include <algorithm>

namespace culvert {
namespace {

/// A bound that another one bounds, too.
struct NestedLimit {
  const char *inner;
  std::uint64_t RelayLimits::*inner_field;
  const char *outer;
  std::uint64_t RelayLimits::*outer_field;
};
constexpr NestedLimit kNestedLimits[] = {
    {"unauthenticated_per_source", &RelayLimits::unauthenticated_per_source,
     "unauthenticated_per_network", &RelayLimits::unauthenticated_per_network},
    {"unauthenticated_per_source", &RelayLimits::unauthenticated_per_source, "unauthenticated",
     &RelayLimits::unauthenticated},
    {"unauthenticated_per_network", &RelayLimits::unauthenticated_per_network, "unauthenticated",
     &RelayLimits::unauthenticated},
    {"pending_per_source", &RelayLimits::pending_per_source, "pending_per_entity",
     &RelayLimits::pending_per_entity},
    {"pending_per_entity", &RelayLimits::pending_per_entity, "pending_per_shard",
     &RelayLimits::pending_per_shard},
};

std::vector<HostPort> addresses_of(const BindConfig &config) {
  std::vector<HostPort> all{config.bind};
  all.insert(all.end(), config.also_bind.begin(), config.also_bind.end());
  return all;
}

/// What connects to `target` comes to `bind`. An address that may be another machine's is none of
/// this one's, whatever 0.0.0.0 takes in.
bool reaches(const HostPort &target, const HostPort &bind) {
  if (target.host == "localhost") {
    return reaches({"127.0.0.1", target.port, ""}, bind) || reaches({"::1", target.port, ""}, bind);
  }
  return target.text() == bind.text() || (is_loopback(target.host) && listen_on_same(target, bind));
}

bool same_entity(const ClientConfig &one, const ClientConfig &other) {
  const ConnectionString &first = one.connection;
  const ConnectionString &second = other.connection;
  return first.host == second.host && first.port == second.port &&
         lower_case(first.entity_path) == lower_case(second.entity_path);
}

class Judge {
public:
  explicit Judge(LoadedConfig &loaded) : loaded_(loaded), all_(loaded.configuration) {}

  void judge() {
    admin();
    roles();
    limits();
    dns();
    for (std::size_t i = 0; i < all_.senders.size(); ++i) {
      name(i);
    }
    for (std::size_t i = 0; i < all_.listeners.size(); ++i) {
      loops(i);
      targets(i);
    }
  }

private:
  /// A listener or sender as messages name it.
  static std::string title(const char *kind, const ClientConfig &config, const RolePlaces &places) {
    return std::string(kind) + " '" + config.name + "' (line " + std::to_string(places.table.line) +
           ")";
  }
  /// Only where the setting was read.
  template <typename Check>
  void judge(const RolePlaces &places, const std::string &key, Check check) {
    const auto place = places.keys.find(key);
    if (place == places.keys.end()) {
      return;
    }
    if (Status status = check(); !status.ok()) {
      loaded_.mistakes.push_back({place->second, std::move(status)});
    }
  }
  void warn(const RolePlaces &places, const std::string &key, const std::string &sentence) {
    const auto place = places.keys.find(key);
    if (place != places.keys.end()) {
      loaded_.warnings.push_back({place->second, Status::config(sentence)});
    }
  }

  void admin() {
    const HostPort &bind = all_.engine.admin.bind;
    const bool given = loaded_.process.keys.contains("bind");
    if (given) {
      taken_.push_back({bind, "the admin endpoint"});
    }
    judge(loaded_.process, "bind_mode", [&] {
      return bind.unix_path.empty()
                 ? Status::config("the mode of the admin endpoint is that of a unix socket, and " +
                                  (given ? "its address is " + bind.text()
                                         : std::string("it has no address")) +
                                  "; write unix:/PATH as its address, or leave its mode out")
                 : Status{};
    });
  }

  void roles() {
    for (std::size_t i = 0; i < all_.relays.size(); ++i) {
      const RolePlaces &places = loaded_.relays[i];
      judge(places, "names", [&] { return RelayPolicy::check_names(all_.relays[i].names); });
      judge(places, "protocols", [&] { return check_protocols(all_.relays[i].protocols); });
      addresses(places, all_.relays[i]);
    }
    for (std::size_t i = 0; i < all_.listeners.size(); ++i) {
      judge(loaded_.listeners[i], "rendezvous_hosts",
            [&] { return RendezvousPolicy::check(all_.listeners[i].rendezvous_hosts); });
      client(loaded_.listeners[i], all_.listeners[i]);
    }
    for (std::size_t i = 0; i < all_.senders.size(); ++i) {
      addresses(loaded_.senders[i], all_.senders[i]);
      client(loaded_.senders[i], all_.senders[i]);
    }
  }
  void addresses(const RolePlaces &places, const BindConfig &config) {
    judge(places, "bind", [&] { return check_addresses(config); });
    std::vector<HostPort> mine = addresses_of(config);
    for (const HostPort &address : mine) {
      const auto other = std::find_if(taken_.begin(), taken_.end(), [&](const Taken &each) {
        return listen_on_same(each.address, address);
      });
      if (other == taken_.end()) {
        continue;
      }
      const std::string rest = ": " + other->owner + " listens on " + other->address.text();
      if (places.keys.contains("bind")) {
        judge(places, "bind", [&] {
          return Status::config("bind " + address.text() + rest + "; write another address");
        });
      } else {
        judge(places, "endpoint", [&] {
          return Status::config("endpoint: its name leads to " + address.text() + rest +
                                "; write another endpoint, or where apps connect as bind");
        });
      }
    }
    for (HostPort &address : mine) {
      taken_.push_back(
          {std::move(address), "the role of line " + std::to_string(places.table.line)});
    }
  }
  void client(const RolePlaces &places, const ClientConfig &config) {
    judge(places, "proxy_credentials", [&] {
      return config.no_proxy ? Status::config("proxy_credentials is for a proxy, and proxy is "
                                              "none; leave one of the two out")
                             : Status{};
    });
    judge(places, "second_key", [&] {
      return config.connection.signature.empty()
                 ? Status{}
                 : Status::config("the second key stands beside a first one, and the connection "
                                  "string has a ready token in its place; write one with a key, or "
                                  "leave the second key out");
    });
  }

  /// A floor above its ceiling is a mistake, with the defaults too: what was written has no effect.
  /// One bound inside of another is none, because a default may be the larger one.
  void limits() {
    const std::map<std::string, ConfigPlace> &keys = loaded_.process.keys;
    const ClientLimits *client = !all_.listeners.empty() ? &all_.listeners.front().limits
                                 : !all_.senders.empty() ? &all_.senders.front().limits
                                                         : nullptr;
    if (client != nullptr && client->repeat_floor_ms > client->repeat_ceiling_ms) {
      judge(loaded_.process, keys.contains("repeat_floor") ? "repeat_floor" : "repeat_ceiling",
            [&] {
              return Status::config(
                  "the limit repeat_floor is " + duration_text(client->repeat_floor_ms) +
                  " and repeat_ceiling " + duration_text(client->repeat_ceiling_ms) +
                  ": the shortest pause is longer than the longest; write a smaller "
                  "repeat_floor or a larger repeat_ceiling");
            });
    }
    for (const NestedLimit &each : kNestedLimits) {
      if (all_.relays.empty() || !keys.contains(each.outer)) {
        continue;
      }
      const std::uint64_t inner = all_.relays.front().limits.*each.inner_field;
      const std::uint64_t outer = all_.relays.front().limits.*each.outer_field;
      if (inner > outer) {
        warn(loaded_.process, each.inner,
             "the limit " + std::string(each.inner) + " is " + std::to_string(inner) + " and " +
                 each.outer + " " + std::to_string(outer) + ", so the first one has no effect");
      }
    }
  }

  void dns() {
    const std::map<std::string, ConfigPlace> &keys = loaded_.dns.keys;
    if (!keys.empty() && !keys.contains("bind")) {
      judge(loaded_.dns, keys.begin()->first, [] {
        return Status::config("[dns] has no bind, so nothing answers; write bind = "
                              "[\"127.0.0.153:53\"], or leave the section out");
      });
    } else if (redirected_names(all_.senders).empty()) {
      warn(loaded_.dns, "bind",
           "no sender has an endpoint whose name leads to it, so the DNS responder knows no name; "
           "write endpoint = \"NAME:PORT\" into a [[sender]], without bind");
    }
  }

  /// An endpoint's name leads to one address, and to no host that a role of this file dials.
  void name(std::size_t index) {
    const SenderConfig &sender = all_.senders[index];
    const std::string name = endpoint_name(sender.endpoint.host);
    if (!has_redirected_name(sender)) {
      return;
    }
    const auto wrong = [&](const std::string &rest) {
      judge(loaded_.senders[index], "endpoint",
            [&] { return Status::config("endpoint '" + sender.endpoint.text() + "': " + rest); });
    };
    for (std::size_t i = 0; i < index; ++i) {
      const SenderConfig &other = all_.senders[i];
      if (has_redirected_name(other) && endpoint_name(other.endpoint.host) == name &&
          other.bind.host != sender.bind.host) {
        wrong("its name leads to " + sender.bind.host + " here and to " + other.bind.host +
              " for " + title("sender", other, loaded_.senders[i]) +
              "; leave bind out of both, or write one address for both");
      }
    }
    const auto dialled = [&](const char *kind, const ClientConfig &client,
                             const RolePlaces &places) {
      if (lower_case(client.connection.host) == name) {
        wrong(title(kind, client, places) + " dials its relay by this name, which must keep its "
                                            "address; write another name");
      } else if (lower_case(client.proxy.address.host) == name) {
        wrong(title(kind, client, places) + " dials its proxy by this name, which must keep its "
                                            "address; write another name");
      }
    };
    for (std::size_t i = 0; i < all_.listeners.size(); ++i) {
      dialled("listener", all_.listeners[i], loaded_.listeners[i]);
    }
    for (std::size_t i = 0; i < all_.senders.size(); ++i) {
      dialled("sender", all_.senders[i], loaded_.senders[i]);
    }
  }

  /// Each connection of a listener to a sender of its own entity would be the next one for it.
  void loops(std::size_t index) {
    const ListenerConfig &listener = all_.listeners[index];
    for (std::size_t i = 0; i < all_.senders.size(); ++i) {
      const SenderConfig &sender = all_.senders[i];
      const std::vector<HostPort> addresses = addresses_of(sender);
      const bool loop = same_entity(listener, sender) &&
                        std::any_of(addresses.begin(), addresses.end(), [&](const HostPort &each) {
                          return reaches(listener.target, each);
                        });
      judge(loaded_.listeners[index], "target", [&] {
        return !loop ? Status{}
                     : Status::config("target " + listener.target.text() + ": " +
                                      title("sender", sender, loaded_.senders[i]) +
                                      " listens there and leads back to this entity, so each "
                                      "connection would come back without an end; write the "
                                      "address of the service");
      });
      if (same_entity(listener, sender) && has_redirected_name(sender) &&
          endpoint_name(listener.target.host) == endpoint_name(sender.endpoint.host) &&
          listener.target.port == sender.endpoint.port) {
        warn(loaded_.listeners[index], "target",
             "target " + listener.target.text() + ": " +
                 title("sender", sender, loaded_.senders[i]) +
                 " has this endpoint, so where /etc/hosts or DNS of this machine leads the name to "
                 "it, each connection would come back without an end; write the service's IP "
                 "address");
      }
    }
  }
  /// One sentence, about the nearest listener before.
  void targets(std::size_t index) {
    const ListenerConfig &listener = all_.listeners[index];
    for (std::size_t before = index; before-- > 0;) {
      const ListenerConfig &other = all_.listeners[before];
      if (!same_entity(listener, other)) {
        continue;
      }
      if (listener.target.text() != other.target.text()) {
        warn(loaded_.listeners[index], "target",
             "target " + listener.target.text() + ": " +
                 title("listener", other, loaded_.listeners[before]) +
                 " has the same entity and the target " + other.target.text() +
                 ", so an app reaches one of them at random; write the same target, or another "
                 "entity");
      }
      return;
    }
  }

  struct Taken {
    HostPort address;
    std::string owner;
  };
  LoadedConfig &loaded_;
  const Configuration &all_;
  std::vector<Taken> taken_; // by the admin endpoint and the roles before
};

LoadedConfig judged(LoadedConfig loaded) {
  Judge(loaded).judge();
  for (std::vector<ConfigMistake> *each : {&loaded.mistakes, &loaded.warnings}) {
    std::stable_sort(each->begin(), each->end(),
                     [](const ConfigMistake &one, const ConfigMistake &other) {
                       return one.place < other.place;
                     });
  }
  return loaded;
}

} // namespace

LoadedConfig load_config_file(const std::string &path, SecretReader &secrets) {
  return judged(read_config_file(path, secrets));
}

LoadedConfig load_flags(std::string_view section, const FlagValues &values, SecretReader &secrets) {
  return judged(read_config_flags(section, values, secrets));
}

} // namespace culvert
