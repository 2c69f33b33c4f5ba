// The resolver without DNS: IP literals, the operator's own entries, /etc/hosts. A name that none
// of them knows is an error that says what to write.
#include "table.hpp"

#include "culvert/plugin.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace resolver {
namespace {

using culvert::sdk::text;

/// The table does not change, but a caller that caches its answers should ask again now and then.
constexpr std::uint32_t kLifetimeMs = 60'000;
constexpr char kUsualHosts[] = "/etc/hosts";
constexpr std::size_t kHostsBytes = 4UL * 1024 * 1024;
constexpr std::size_t kQuotedName = 255; // the longest name there is

/// A machine without the usual file is not an error: the table just gets no names from it.
std::string read_hosts(const std::string &path) {
  std::string content(kHostsBytes, '\0');
  errno = 0;
  std::FILE *const file = std::fopen(path.c_str(), "re");
  content.resize(file == nullptr ? 0 : std::fread(content.data(), 1, content.size(), file));
  const bool failed = file == nullptr || std::ferror(file) != 0;
  const std::string reason = std::strerror(errno);
  if (file != nullptr) {
    std::fclose(file);
  }
  if (failed && path != kUsualHosts) {
    throw culvert::sdk::Error(CULVERT_CONFIG, CULVERT_SOURCE_LOCAL, CULVERT_RETRY_NEVER,
                              "cannot read the hosts_file '" + path.substr(0, 300) +
                                  "': " + reason + "; name a file that this user may read");
  }
  return content;
}

/// Made on the control thread, where reading one small local file is allowed.
class Unit {
public:
  explicit Unit(culvert::sdk::Host host) {
    for (const std::string &entry : host.config_list("resolve")) {
      const std::string wrong = table.add_entry(entry);
      if (!wrong.empty()) {
        throw culvert::sdk::Error(CULVERT_CONFIG, CULVERT_SOURCE_CONFIG, CULVERT_RETRY_NEVER,
                                  "the resolve entry " + entry.substr(0, 300) + ": " + wrong +
                                      "; write NAME=ADDR[,ADDR]");
      }
    }
    table.add_hosts(read_hosts(std::string(host.config_text("hosts_file"))));
  }

  Table table;
};

class StaticResolver final : public culvert::sdk::Resolver {
public:
  StaticResolver(const Unit &unit, culvert::sdk::Host, std::uint32_t) : table_(unit.table) {}

  culvert_progress resolve(culvert_resolve &record) override {
    const std::string_view name = text(record.name);
    record.address_count = 0;
    record.lifetime_ms = kLifetimeMs;
    if (const auto literal = parse_literal(name)) {
      record.addresses[0] = *literal;
      record.address_count = 1;
    } else if (const Table::Addresses *addresses = table_.find(name)) {
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
  const Table &table_;
};

constexpr culvert_kind kKinds[] = {
    {CULVERT_KIND_RESOLVER, &culvert::sdk::kResolver<StaticResolver, Unit>}};
constexpr const char *kServices[] = {CULVERT_SERVICE_CONFIG};
constexpr culvert_config_key kKeys[] = {
    {"resolve", "NAME=ADDR[,ADDR], tried before the hosts file", nullptr, CULVERT_CONFIG_LIST, 0},
    {"hosts_file", "names and addresses of this machine", kUsualHosts, CULVERT_CONFIG_TEXT, 0},
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
