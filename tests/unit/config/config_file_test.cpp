// A configuration file: what it is read to, and what the file itself must be.
#include "config/config_reader.hpp"
#include "config/toml_file.hpp"
#include "unit/config/config_world.hpp"

namespace culvert::test {
namespace {

constexpr const char *kWhole = R"([engine]
shards = 3
drain_grace = "2min"
[log]
level = "debug"
format = "json"
[plugins]
directories = ["more", "/abs"]
[plugin."resolver_static"]
hosts_file = "/etc/hosts"
list = ["a", "b"]
number = 5
truth = true
[limits]
pong = "7 s"
pending_per_entity = 12
held = "1 GiB"
handshake = "3s"
[[relay]]
name = "main"
bind = ["0.0.0.0:443", "unix:/run/r.sock"]
bind_mode = "0660"
names = ["relay.example", "other.example"]
public_address = "relay.example:8443"
certificate = "relay.pem"
private_key = "relay.key"
protocols = ["p", "q"]
auth = "a"
[[relay.rule]]
name = "Root"
rights = ["listen", "send", "manage"]
primary_key = "file:rule.key"
secondary_key = "file:rule-2.key"
[[relay.entity]]
path = "sql"
requires_client_authorization = false
listeners = "least-tunnels"
[[relay.entity.rule]]
name = "l"
rights = "listen"
primary_key = "file:rule.key"
[[listener]]
connection_string = "file:sql.connection"
target = "unix:/run/db.sock"
rendezvous_hosts = "*.example"
transport = "t"
auth = "resolver_static"
resolver = "r"
resolve = ["a=1.2.3.4"]
ca = "ca.pem"
[[listener]]
connection_string = "file:sql.connection"
target = "db:1433"
[[sender]]
connection_string = "file:other.connection"
endpoint = "db.internal:1433"
bind = "[::1]:1433"
)";

TEST_F(ConfigFileTest, TheSettingsOfTheProcessAreReadToTheirValues) {
  const LoadedConfig loaded = world.load(kWhole);
  ASSERT_EQ(ConfigWorld::lines(loaded), Lines{});
  const Configuration &made = loaded.configuration;
  EXPECT_EQ(made.engine.shards, 3U);
  EXPECT_EQ(made.engine.limits.drain_grace_ms, 120'000U);
  EXPECT_EQ(made.engine.limits.pong_ms, 7'000U);
  EXPECT_EQ(made.engine.limits.held_bytes, 1ULL << 30U);
  EXPECT_EQ(made.engine.plugin_directories, (Lines{world.folder + "/more", "/abs"}));
  const auto &settings = made.engine.plugin_settings.at("resolver_static");
  EXPECT_EQ(std::get<std::string>(settings.at("number")), "5");
  EXPECT_EQ(std::get<std::string>(settings.at("truth")), "true");
  EXPECT_EQ(std::get<Lines>(settings.at("list")), (Lines{"a", "b"}));
  EXPECT_EQ(made.log_level, LogLevel::kDebug);
  EXPECT_EQ(made.log_format, LogFormat::kJson);
}

TEST_F(ConfigFileTest, ARelayIsReadToItsValues) {
  const LoadedConfig loaded = world.load(kWhole);
  ASSERT_EQ(ConfigWorld::lines(loaded), Lines{});
  const Configuration &made = loaded.configuration;
  ASSERT_EQ(made.relays.size(), 1U);
  const RelayConfig &relay = made.relays[0];
  EXPECT_EQ(relay.name, "main");
  EXPECT_EQ(relay.bind.text(), "0.0.0.0:443");
  EXPECT_EQ(relay.also_bind.at(0).text(), "unix:/run/r.sock");
  EXPECT_EQ(relay.bind_mode, 0660U);
  EXPECT_EQ(relay.names, (Lines{"relay.example", "other.example"}));
  EXPECT_EQ(relay.public_host, "relay.example");
  EXPECT_EQ(relay.public_port, 8443);
  EXPECT_EQ(relay.tls_certificate_file, world.folder + "/relay.pem");
  EXPECT_EQ(relay.tls_key_file, world.folder + "/relay.key");
  EXPECT_EQ(relay.protocols, (Lines{"p", "q"}));
  EXPECT_EQ(relay.auth, "a");
  EXPECT_EQ(relay.limits.pending_per_entity, 12U);
  EXPECT_EQ(relay.limits.handshake_ms, 3'000U);
  ASSERT_EQ(relay.rules.size(), 1U);
  EXPECT_TRUE(relay.rules[0].rights.manage);
  EXPECT_EQ(relay.rules[0].primary.reveal(), "a-key-from-rule.key");
  EXPECT_EQ(relay.rules[0].secondary.reveal(), "a-key-from-rule-2.key");
  ASSERT_EQ(relay.entities.size(), 1U);
  EXPECT_FALSE(relay.entities[0].requires_client_authorization);
  EXPECT_EQ(relay.entities[0].listeners, ListenerChoice::kLeastTunnels);
  EXPECT_EQ(relay.entities[0].rules.at(0).name, "l");
}

TEST_F(ConfigFileTest, ListenersAndSendersAreReadToTheirValues) {
  const LoadedConfig loaded = world.load(kWhole);
  ASSERT_EQ(ConfigWorld::lines(loaded), Lines{});
  const Configuration &made = loaded.configuration;
  ASSERT_EQ(made.listeners.size(), 2U);
  const ListenerConfig &listener = made.listeners[0];
  EXPECT_EQ(listener.name, "listener-1");
  EXPECT_EQ(made.listeners[1].name, "listener-2");
  EXPECT_EQ(listener.connection.entity_path, "sql");
  EXPECT_EQ(listener.target.unix_path, "/run/db.sock");
  EXPECT_EQ(listener.rendezvous_hosts, Lines{"*.example"});
  EXPECT_EQ(listener.transport + listener.auth + listener.resolver, "tresolver_staticr");
  EXPECT_EQ(listener.resolve, Lines{"a=1.2.3.4"});
  EXPECT_EQ(listener.ca_file, world.folder + "/ca.pem");
  EXPECT_EQ(listener.limits.handshake_ms, 3'000U);
  ASSERT_EQ(made.senders.size(), 1U);
  EXPECT_EQ(made.senders[0].connection.entity_path, "other");
  EXPECT_EQ(made.senders[0].endpoint.text(), "db.internal:1433");
  EXPECT_EQ(made.senders[0].bind.text(), "[::1]:1433");
  EXPECT_TRUE(made.senders[0].prove_at_start);
}

TEST_F(ConfigFileTest, AFileThatEveryUserMayWriteIsRefused) {
  world.write("open.toml", kSmallListener, 0646);
  const std::string path = world.folder + "/open.toml";
  EXPECT_EQ(ConfigWorld::lines(load_config_file(path, world.secrets)),
            Lines{"0:0 every user of this machine may write the configuration file '" + path +
                  "'; take this right away with chmod o-w"});
  world.write("open.toml", kSmallListener, 0664);
  EXPECT_EQ(ConfigWorld::lines(load_config_file(path, world.secrets)), Lines{});
}

TEST_F(ConfigFileTest, TheRelativePathOfAUnixSocketBeginsInTheFilesFolder) {
  const LoadedConfig loaded =
      world.load("[admin]\nbind = \"unix:run/admin.sock\"\n"
                 "[[listener]]\nconnection_string = \"file:sql.connection\"\n"
                 "target = \"unix:../db.sock\"\n");
  ASSERT_EQ(ConfigWorld::lines(loaded), Lines{});
  const std::filesystem::path folder = world.folder;
  EXPECT_EQ(loaded.configuration.engine.admin.bind.unix_path, folder / "run/admin.sock");
  EXPECT_EQ(loaded.configuration.listeners[0].target.unix_path, folder.parent_path() / "db.sock");
}

TEST_F(ConfigFileTest, ASecretFileThatEveryUserMayOpenIsRefusedUnlessItIsAllowed) {
  world.write("open.key", "a-key", 0644);
  std::string text = kSmallRelay;
  text.replace(text.find("relay.key"), 9, "open.key");
  text.replace(text.find("rule.key"), 8, "open.key");
  const std::string path = world.folder + "/open.key";
  const std::string why = ": every user of this machine may open the secret file '" + path +
                          "' (mode 0644); take this right away with chmod o-rwx, or set "
                          "insecure_secret_files = true in [engine]";
  EXPECT_EQ(mistakes(text), (Lines{"5:15 private_key" + why, "9:15 primary_key" + why}));
  EXPECT_EQ(mistakes(text + "[engine]\ninsecure_secret_files = true\n"), Lines{});
  world.write("open.key", "a-key", 0640);
  EXPECT_EQ(mistakes(text), Lines{});
}

TEST_F(ConfigFileTest, ALiteralSecretIsTakenWhereItIsAllowed) {
  std::string text = kSmallRelay;
  text.replace(text.find("file:rule.key"), 13, "the-key-itself");
  EXPECT_EQ(mistakes(text).size(), 1U);
  const LoadedConfig loaded =
      world.load(text + "[engine]\ninsecure_literal_secrets = true\n"); // behind its use
  EXPECT_EQ(ConfigWorld::lines(loaded), Lines{});
  EXPECT_EQ(loaded.configuration.relays.at(0).rules.at(0).primary.reveal(), "the-key-itself");
}

TEST_F(ConfigFileTest, AFileThatCannotBeReadSaysWhy) {
  const LoadedConfig loaded = load_config_file(world.folder + "/none.toml", world.secrets);
  ASSERT_EQ(loaded.mistakes.size(), 1U);
  EXPECT_EQ(loaded.mistakes[0].status.source, Source::kLocal);
  EXPECT_EQ(loaded.mistakes[0].status.message,
            "cannot read the configuration file '" + world.folder +
                "/none.toml': No such file or directory; name a file that this user may read");
  const LoadedConfig directory = load_config_file(world.folder, world.secrets);
  ASSERT_EQ(directory.mistakes.size(), 1U);
  EXPECT_NE(directory.mistakes[0].status.message.find("Is a directory"), std::string::npos);
}

TEST_F(ConfigFileTest, AKeyOfThousandsOfPartsIsRefusedBeforeItIsParsed) {
  const Lines refused{"0:0 a key has more than 256 parts with dots between; write tables"};
  std::string parts = "a";
  for (int i = 0; i < 200'000; ++i) {
    parts += ".a";
  }
  EXPECT_EQ(ConfigWorld::lines(world.load(parts + " = 1\n")), refused);
  EXPECT_EQ(ConfigWorld::lines(world.load("[" + parts + "]\n")), refused);
  EXPECT_EQ(ConfigWorld::lines(world.load("x = { " + parts + " = 1 }\n")), refused);
}

TEST_F(ConfigFileTest, AFileHasABoundAndSoHaveItsRoles) {
  std::string text = kSmallListener;
  text.resize(kConfigFileBytes, '#');
  EXPECT_EQ(mistakes("#" + text),
            Lines{"0:0 the configuration file is larger than 1 MiB; write a smaller one"});
  std::string roles;
  for (std::size_t i = 0; i < kMostRoles; ++i) {
    roles += kSmallListener;
  }
  EXPECT_EQ(mistakes(roles), Lines{});
  EXPECT_EQ(mistakes(roles + kSmallListener),
            Lines{"3001:1 a file has at most 1000 relays, listeners and senders; run a second "
                  "process"});
}

} // namespace
} // namespace culvert::test
