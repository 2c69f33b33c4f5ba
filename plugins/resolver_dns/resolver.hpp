// A resolver with DNS: literals, the operator's entries, the hosts file, and then the servers.
//
// One instance for each shard, with a cache of its own. Lookups of one name are merged.
#pragma once

#include "../names/table.hpp"
#include "cache.hpp"
#include "channel.hpp"
#include "lookup.hpp"

#include "culvert/plugin.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace dns {

/// When a file was changed last, so that it is read again.
struct FileMark {
  std::int64_t seconds = 0;
  std::int64_t nanoseconds = 0;
  std::uint64_t inode = 0;
  std::int64_t size = -1; // -1: there is none
  bool operator==(const FileMark &) const = default;

  static FileMark of(const std::string &path);
};

/// The settings, checked on the control thread.
class Unit {
public:
  explicit Unit(culvert::sdk::Host host);

  names::Table entries;
  std::string hosts_file;
  ServerSettings servers;
};

class Resolver final : public culvert::sdk::PendingResolver {
public:
  Resolver(const Unit &unit, culvert::sdk::Host host, std::uint32_t shard);
  ~Resolver() override;

  culvert_progress resolve(culvert_resolve &record) override;
  /// Of a record that is pending. The lookup goes on, for the cache.
  void cancel(culvert_resolve &record) override;
  /// Keeps what the lookup has found, and answers those who wait for it.
  void put(Lookup &lookup);

private:
  using Lookups = std::map<std::string, std::unique_ptr<Lookup>, std::less<>>;

  [[nodiscard]] std::uint64_t now_ms() const { return host_.monotonic_ns() / 1'000'000; }
  bool known_here(std::string_view name, culvert_resolve &record);
  void read_changed_hosts();
  void follow_resolv_conf();
  static void on_queries_ended(void *self);
  void settle();
  void act(Lookup &lookup);
  void no_answer(Lookup &lookup);
  void answer_all(Lookup &lookup, const Known *known, const std::string &why);
  void answer(culvert_resolve &record, const Known *known, const std::string &name,
              const std::string &why);
  void servers_answer();

  const Unit &unit_;
  const culvert::sdk::Host host_;
  names::Table hosts_;
  FileMark hosts_mark_;
  FileMark resolv_mark_;
  Cache cache_;
  bool servers_down_ = false;
  culvert_resolve *in_call_ = nullptr; // whose resolve() runs, until it is answered
  Lookups lookups_;
  std::unique_ptr<Channel> channel_; // it is gone before the lookups are
};

} // namespace dns
