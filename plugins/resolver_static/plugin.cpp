// The resolver without DNS: IP literals, the operator's own entries, /etc/hosts. A name that none
// of them knows is an error that says what to write.
#include "../names/hosts_file.hpp"
#include "../names/table.hpp"

#include "culvert/plugin.hpp"

#include <algorithm>

namespace resolver {
namespace {

using culvert::sdk::text;

/// The table does not change, but a caller that caches its answers should ask again now and then.
constexpr std::uint32_t kLifetimeMs = 60'000;
constexpr std::size_t kQuotedName = 255; // the longest name there is

/// Made on the control thread, where reading one small local file is allowed.
class Unit {
public:
  explicit Unit(culvert::sdk::Host host) {
    table.add_entries(host.config_list("resolve"));
    table.use_hosts(names::read_hosts(std::string(host.config_text("hosts_file"))));
  }

  names::Table table;
};

class StaticResolver final : public culvert::sdk::Resolver {
public:
  StaticResolver(const Unit &unit, culvert::sdk::Host, std::uint32_t) : table_(unit.table) {}

  culvert_progress resolve(culvert_resolve &record) override {
    const std::string_view name = text(record.name);
    record.address_count = 0;
    record.lifetime_ms = kLifetimeMs;
    if (const auto literal = names::parse_literal(name)) {
      record.addresses[0] = *literal;
      record.address_count = 1;
    } else if (const names::Table::Addresses *addresses = table_.find(name)) {
      std::copy(addresses->begin(), addresses->end(), record.addresses);
      record.address_count = static_cast<std::uint32_t>(addresses->size());
    } else {
      const std::string quoted(name.substr(0, kQuotedName));
      throw culvert::sdk::Error(CULVERT_NO_NAME, CULVERT_SOURCE_CONFIG, CULVERT_RETRY_NEVER,
                                "no address is known for " + quoted + ": add the resolve entry " +
                                    quoted + "=ADDR, or add it to /etc/hosts and start again");
    }
    return CULVERT_DONE;
  }

private:
  const names::Table &table_;
};

constexpr culvert_kind kKinds[] = {
    {CULVERT_KIND_RESOLVER, &culvert::sdk::kResolver<StaticResolver, Unit>}};
constexpr const char *kServices[] = {CULVERT_SERVICE_CONFIG};
constexpr culvert_config_key kKeys[] = {
    {"resolve", "NAME=ADDR[,ADDR], tried before the hosts file", nullptr, CULVERT_CONFIG_LIST, 0},
    {"hosts_file", "names and addresses of this machine", names::kUsualHosts, CULVERT_CONFIG_TEXT,
     0},
};

} // namespace
} // namespace resolver

CULVERT_PLUGIN_ENTRY = {CULVERT_PLUGIN_MAGIC,
                        sizeof(culvert_plugin),
                        CULVERT_ABI_MINOR,
                        0,
                        1,
                        resolver::kKinds,
                        "resolver_static",
                        "0.1.0",
                        "Culvert",
                        "Apache-2.0",
                        "IP literals, resolve entries and /etc/hosts; no DNS",
                        "",
                        resolver::kKeys,
                        2,
                        1,
                        resolver::kServices};
