// Every connected listener of every shard of one relay, and how many senders wait.
//
// Behind one mutex, for any thread; touched in set-up and tear-down only, never on the byte path.
// It owns its entries and refers to channels by value, so an entry may stay a little longer than
// its channel, until a letter arrives.
#pragma once

#include "core/random.hpp"
#include "culvert/config.hpp"
#include "culvert/snapshot.hpp"
#include "culvert/status.hpp"
#include "role/tunnels.hpp"

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace culvert {

/// How a control channel ended.
enum class ChannelEnd : std::uint8_t {
  kGoodbye, // the listener closed it, and may still come for its offers
  kLost     // it broke, or the relay ended it
};

struct RegisteredListener {
  std::string entity;   // its case is ignored
  std::string protocol; // the plugin's id
  std::string id;       // empty if it gave none; it then replaces no other listener
  ChannelRef channel;
  std::string public_host; // the address in its offers
  std::uint16_t public_port = 0;
};

/// The listeners that a sender asks for.
struct Wish {
  std::string entity;
  std::string protocol;
  std::vector<std::string> allowed; // listener ids; empty: any
  std::vector<std::string> denied;
  ListenerChoice choice = ListenerChoice::kRandom; // of the entity
};

class ListenerRegistry {
public:
  /// Registers it. Returns the channel that it replaces, if one had the same id. Fails with
  /// Code::kQuota if its entity has `most` listeners and it replaces none of them.
  Result<std::optional<ChannelRef>> add(RegisteredListener listener, std::uint64_t most);
  /// Does nothing if it is not registered.
  void remove(const std::string &entity, const ChannelRef &channel);
  [[nodiscard]] std::size_t size() const;
  /// Fills in what it has of each of these entities, by their paths.
  void count(std::vector<EntityStats> &entities) const;

  /// Chooses a listener that fits the wish and is not in `tried`. Fails with Code::kNoneAllowed if
  /// others are left, else with Code::kNoListener.
  Result<RegisteredListener> choose(const Wish &wish, const std::vector<ChannelRef> &tried,
                                    Random &random) const;

  void tunnel_began(const std::string &entity, const ChannelRef &channel) {
    count_tunnel(entity, channel, 1);
  }
  void tunnel_ended(const std::string &entity, const ChannelRef &channel) {
    count_tunnel(entity, channel, -1);
  }

  /// Counts a sender that wants to wait, until release(); or refuses it because of a limit.
  /// `source`: what source_of() says; the empty one, of unix sockets, is bound by the entity's
  /// limit alone.
  Status admit(const std::string &entity, const std::string &source, const RelayLimits &limits);
  void release(const std::string &entity, const std::string &source);

private:
  struct Entry {
    RegisteredListener listener;
    std::int64_t tunnels = 0;
  };
  void count_tunnel(const std::string &entity, const ChannelRef &channel, std::int64_t change);

  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::vector<Entry>> entities_; // by the path in lower case
  std::unordered_map<std::string, std::uint32_t> pending_by_entity_;
  std::unordered_map<std::string, std::uint32_t> pending_by_source_;
  std::unordered_map<std::string, std::uint32_t> tunnels_by_entity_;
};

} // namespace culvert
