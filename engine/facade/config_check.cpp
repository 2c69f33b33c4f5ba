// A configuration file judged as a whole: what its reader finds, and what the roles would refuse
// when they start, as far as it can be said without opening or asking anything.

#include "config/config_reader.hpp"
#include "culvert/engine.hpp"
#include "facade/running_role.hpp"
#include "role/fetch.hpp"
#include "role/relay/policy.hpp"

#include <algorithm>

namespace culvert {
namespace {

class Judge {
public:
  explicit Judge(LoadedConfig &loaded) : loaded_(loaded) {}

  void roles() {
    const Configuration &all = loaded_.configuration;
    for (std::size_t i = 0; i < all.relays.size(); ++i) {
      const RolePlaces &places = loaded_.relays[i];
      judge(places, "names", [&] { return RelayPolicy::check_names(all.relays[i].names); });
      judge(places, "protocols", [&] { return check_protocols(all.relays[i].protocols); });
      addresses(places, all.relays[i]);
    }
    for (std::size_t i = 0; i < all.listeners.size(); ++i) {
      judge(loaded_.listeners[i], "rendezvous_hosts",
            [&] { return RendezvousPolicy::check(all.listeners[i].rendezvous_hosts); });
    }
    for (std::size_t i = 0; i < all.senders.size(); ++i) {
      addresses(loaded_.senders[i], all.senders[i]);
    }
  }

private:
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
  void addresses(const RolePlaces &places, const BindConfig &config) {
    judge(places, "bind", [&] { return check_addresses(config); });
    std::vector<HostPort> mine{config.bind};
    mine.insert(mine.end(), config.also_bind.begin(), config.also_bind.end());
    for (const HostPort &address : mine) {
      const auto other = std::find_if(taken_.begin(), taken_.end(), [&](const Taken &each) {
        return listen_on_same(each.address, address);
      });
      judge(places, "bind", [&] {
        return other == taken_.end()
                   ? Status{}
                   : Status::config("bind " + address.text() + ": the role of line " +
                                    std::to_string(other->line) + " listens on " +
                                    other->address.text() + "; write another address");
      });
    }
    for (HostPort &address : mine) {
      taken_.push_back({std::move(address), places.table.line});
    }
  }

  struct Taken {
    HostPort address;
    unsigned line;
  };
  LoadedConfig &loaded_;
  std::vector<Taken> taken_; // by the roles before
};

} // namespace

LoadedConfig load_config_file(const std::string &path, SecretReader &secrets) {
  LoadedConfig loaded = read_config_file(path, secrets);
  Judge(loaded).roles();
  std::stable_sort(
      loaded.mistakes.begin(), loaded.mistakes.end(),
      [](const ConfigMistake &one, const ConfigMistake &other) { return one.place < other.place; });
  return loaded;
}

} // namespace culvert
