// The usual resolver: IP literals, the operator's own entries, the hosts file, and DNS.
#include "resolver.hpp"

#include "../names/hosts_file.hpp"

namespace dns {
namespace {

constexpr culvert_kind kKinds[] = {
    {CULVERT_KIND_RESOLVER, &culvert::sdk::kResolver<Resolver, Unit>}};
constexpr const char *kServices[] = {CULVERT_SERVICE_CONFIG, CULVERT_SERVICE_LOG,
                                     CULVERT_SERVICE_CLOCK, CULVERT_SERVICE_WATCH,
                                     CULVERT_SERVICE_TIMER};
constexpr culvert_config_key kKeys[] = {
    {"resolve", "NAME=ADDR[,ADDR], tried before the hosts file and DNS", nullptr,
     CULVERT_CONFIG_LIST, 0},
    {"hosts_file", "names and addresses of this machine", names::kUsualHosts, CULVERT_CONFIG_TEXT,
     0},
    {"servers", "ADDR or ADDR:PORT of DNS servers, in place of those of resolv_conf", nullptr,
     CULVERT_CONFIG_LIST, 0},
    {"resolv_conf", "the system's DNS servers and search domains", "/etc/resolv.conf",
     CULVERT_CONFIG_TEXT, 0},
    {"timeout_ms", "how long the first try waits for a server; each further one waits longer",
     "2000", CULVERT_CONFIG_INTEGER, 0},
    {"tries", "how often each server is asked", "2", CULVERT_CONFIG_INTEGER, 0},
};

} // namespace
} // namespace dns

CULVERT_PLUGIN_ENTRY = {CULVERT_PLUGIN_MAGIC,
                        sizeof(culvert_plugin),
                        CULVERT_ABI_MINOR,
                        1,
                        1,
                        dns::kKinds,
                        "resolver_dns",
                        "0.1.0",
                        "Culvert",
                        "Apache-2.0",
                        "IP literals, resolve entries, /etc/hosts and DNS",
                        "",
                        dns::kKeys,
                        6,
                        5,
                        dns::kServices};
