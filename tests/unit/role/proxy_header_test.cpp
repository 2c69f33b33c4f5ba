// The header of the PROXY protocol, and what listener and sender do for it.
#include "role/proxy_header.hpp"
#include "unit/role/role_world.hpp"

namespace culvert::test {
namespace {

using namespace std::string_literals;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;

TEST(ProxyHeader, HasBothAddressesOfOneFamily) {
  EXPECT_EQ(proxy_header(app_address("10.1.2.3:256"), *Address::from_literal("10.0.0.3", 80)),
            kSignature + "\x21\x11\0\x0c\x0a\1\2\3\x0a\0\0\3\1\0\0\x50"s);
  EXPECT_EQ(proxy_header(app_address("[::1]:256"), *Address::from_literal("::2", 80)),
            kSignature + "\x21\x21\0\x24"s + std::string(15, '\0') + "\1" + std::string(15, '\0') +
                "\2\1\0\0\x50"s);
  EXPECT_EQ(proxy_header(app_address("10.1.2.3:256"), *Address::from_literal("::2", 80)),
            kSignature + "\x21\x11\0\x0c\x0a\1\2\3\0\0\0\0\1\0\0\x50"s);
}

TEST(ProxyHeader, SaysThatAnAppIsNotKnown) {
  for (const char *app : {"", "unix:/path", "name:80", "10.0.0.1", "10.0.0.1:x", "[::1"}) {
    EXPECT_EQ(proxy_header(app_address(app), *Address::from_literal("10.0.0.3", 80)),
              kSignature + "\x20\0\0\0"s)
        << app;
  }
}

TEST(ProxyHeader, IsInFrontOfTheAppsBytes) {
  for (const bool wanted : {true, false}) {
    RoleWorld world;
    world.listener_options.target.proxy_header = wanted;
    world.relay_script = offering({"offer 10.0.0.1 4430 first"});
    world.start_listener();
    ASSERT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 1; }));
    head_of(world, "accept")->raw("bytes");
    Session &target = world.target.sessions.at(0);
    ASSERT_TRUE(world.run_until([&] { return target.heard.ends_with("bytes"); }));
    EXPECT_EQ(target.heard, wanted ? kSignature + "\x20\0\0\0"s + "bytes" : "bytes");
  }
}

TEST(ProxyHeader, ASenderTellsItsTransportWhoTheAppIs) {
  RoleWorld world;
  world.start_sender();
  world.app("question");
  ASSERT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 1; }));
  EXPECT_EQ(world.transport.dialled_for, "10.0.0.4:40001");
}

} // namespace
} // namespace culvert::test
