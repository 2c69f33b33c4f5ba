#include "unit/plugins_common/fake_host.hpp"

#include "culvert/resolver.h"

#include <arpa/inet.h>
#include <cstdio>
#include <fstream>
#include <sys/stat.h>

extern "C" const culvert_plugin culvert_plugin_v1_resolver_static;

namespace {

using culvert_test::FakeHost;
using culvert_test::Plugged;
using culvert_test::view;

struct StaticResolver : testing::Test {
  StaticResolver() { host.texts["hosts_file"] = "/dev/null"; }

  std::vector<std::string> resolve(std::string_view name, culvert_status *status = nullptr) {
    Plugged<culvert_resolver> resolver(host, culvert_plugin_v1_resolver_static,
                                       CULVERT_KIND_RESOLVER);
    EXPECT_NE(resolver.instance, nullptr) << resolver.error.message;
    culvert_resolve record{};
    record.size = sizeof record;
    record.status.size = sizeof record.status;
    record.name = view(name);
    EXPECT_EQ(resolver.kind.resolve(resolver.instance, &record), uint32_t{CULVERT_DONE});
    std::vector<std::string> result;
    for (uint32_t i = 0; i < record.address_count; ++i) {
      char buffer[INET6_ADDRSTRLEN];
      const culvert_address &address = record.addresses[i];
      result.emplace_back(inet_ntop(address.family == CULVERT_IPV4 ? AF_INET : AF_INET6,
                                    address.bytes, buffer, sizeof buffer));
    }
    EXPECT_EQ(record.status.code == CULVERT_OK, !result.empty());
    EXPECT_GT(record.lifetime_ms, 0U);
    if (status != nullptr) {
      *status = record.status;
    }
    return result;
  }
  FakeHost host;
};

using Strings = std::vector<std::string>;

TEST_F(StaticResolver, LiteralsAreTheirOwnAddresses) {
  EXPECT_EQ(resolve("127.0.0.1"), Strings{"127.0.0.1"});
  EXPECT_EQ(resolve("::1"), Strings{"::1"});
  EXPECT_EQ(resolve("[2001:db8::7]"), Strings{"2001:db8::7"});
  for (const char *no : {"127.0.0.1.", "127.1", "[127.0.0.1]", "[::1", "::1%lo", "1.2.3.4.5", ""}) {
    EXPECT_EQ(resolve(no), Strings{}) << no;
  }
  EXPECT_EQ(resolve(std::string_view("127.0.0.1\0x", 11)), Strings{});
}

TEST_F(StaticResolver, EntriesKeepTheirOrderIgnoreCaseAndAddUp) {
  host.lists["resolve"] = {"Relay.Test=10.0.0.2,::2,10.0.0.1", "db=192.0.2.1",
                           "relay.test=10.0.0.9"};
  EXPECT_EQ(resolve("relay.TEST"), (Strings{"10.0.0.2", "::2", "10.0.0.1", "10.0.0.9"}));
  EXPECT_EQ(resolve("relay.test."), resolve("relay.test"));
  EXPECT_EQ(resolve("db"), Strings{"192.0.2.1"});
}

TEST_F(StaticResolver, TheHostsFileComesAfterTheEntries) {
  const std::string path = testing::TempDir() + "culvert_resolver_hosts";
  std::ofstream(path) << "# comment\n127.0.0.1\tlocalhost loop # more\n::1 localhost\n"
                         "not-an-address broken\n192.0.2.9 db\r\n10.1.1.1 last";
  host.texts["hosts_file"] = path;
  host.lists["resolve"] = {"db=192.0.2.1"};
  EXPECT_EQ(resolve("LOCALHOST"), (Strings{"127.0.0.1", "::1"}));
  EXPECT_EQ(resolve("loop"), Strings{"127.0.0.1"});
  EXPECT_EQ(resolve("db"), Strings{"192.0.2.1"});
  EXPECT_EQ(resolve("last"), Strings{"10.1.1.1"});
  EXPECT_EQ(resolve("broken"), Strings{});
  EXPECT_EQ(resolve("more"), Strings{});
  std::remove(path.c_str());
}

TEST_F(StaticResolver, AHostsFileThatSomebodyNamedMustBeReadable) {
  const std::string folder = testing::TempDir();
  for (const std::string &path : {std::string("/nonexistent/hosts"), folder}) {
    host.texts["hosts_file"] = path;
    Plugged<culvert_resolver> resolver(host, culvert_plugin_v1_resolver_static,
                                       CULVERT_KIND_RESOLVER);
    EXPECT_EQ(resolver.unit, nullptr) << path;
    EXPECT_EQ(resolver.error.code, uint32_t{CULVERT_CONFIG});
    const std::string words = path == folder ? "Is a directory" : "No such file or directory";
    EXPECT_EQ(std::string(resolver.error.message), "cannot read the hosts_file '" + path +
                                                       "': " + words +
                                                       "; name a file that this user may read");
  }
}

TEST_F(StaticResolver, AHostsFileThatIsAPipeIsRefusedAndNotWaitedFor) {
  const std::string path = testing::TempDir() + "culvert_resolver_pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  host.texts["hosts_file"] = path;
  Plugged<culvert_resolver> resolver(host, culvert_plugin_v1_resolver_static,
                                     CULVERT_KIND_RESOLVER);
  std::remove(path.c_str());
  EXPECT_EQ(resolver.unit, nullptr);
  EXPECT_EQ(std::string(resolver.error.message),
            "hosts_file '" + path + "' is a pipe; name a file");
}

TEST_F(StaticResolver, AnUnknownNameIsOneLineThatSaysWhatToWrite) {
  culvert_status status{};
  EXPECT_EQ(resolve("relay.test", &status), Strings{});
  EXPECT_EQ(status.code, uint32_t{CULVERT_NO_NAME});
  EXPECT_EQ(status.source, uint32_t{CULVERT_SOURCE_CONFIG});
  const std::string message = status.message;
  EXPECT_NE(message.find("the resolve entry relay.test=ADDR"), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

TEST_F(StaticResolver, MalformedEntriesAreRefusedByName) {
  const std::string many = "n=1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8,"
                           "1.1.1.9,1.1.1.10,1.1.1.11,1.1.1.12,1.1.1.13,1.1.1.14,1.1.1.15,"
                           "1.1.1.16,1.1.1.17";
  for (const std::string &entry :
       {std::string("name"), std::string("=1.2.3.4"), std::string("name="),
        std::string("name=1.2.3"), std::string("name=1.2.3.4,"), std::string("name=,1.2.3.4"),
        std::string("name=other.test"), std::string("a b=1.2.3.4"), std::string("http://x=1.2.3.4"),
        std::string("name=1.2.3.4:80"), many}) {
    host.lists["resolve"] = {"good=1.2.3.4", entry};
    Plugged<culvert_resolver> resolver(host, culvert_plugin_v1_resolver_static,
                                       CULVERT_KIND_RESOLVER);
    EXPECT_EQ(resolver.unit, nullptr) << entry;
    EXPECT_EQ(resolver.error.code, uint32_t{CULVERT_CONFIG});
    EXPECT_NE(std::string(resolver.error.message).find("the resolve entry " + entry + ":"),
              std::string::npos)
        << resolver.error.message;
  }
}

} // namespace
