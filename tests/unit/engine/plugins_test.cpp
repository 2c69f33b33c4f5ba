// Where an engine looks for its plugins, and the settings that it hands to them.
#include "unit/engine/embedder.hpp"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>
#include <string>

namespace culvert::test {
namespace {

TEST(EnginePlugins, APluginsOwnSettingsReachIt) {
  const Setting setting;
  SilentLog log;
  const std::string hosts = setting.folder + "/hosts";
  std::ofstream(hosts) << "127.0.0.1 relay.of.the.test\n";
  SenderConfig sender = setting.sender(1);
  sender.connection.host = "relay.of.the.test";
  EXPECT_FALSE(Engine::create(engine_config(false, 1), log)
                   .value()
                   ->start_sender(sender)
                   .ok()); // no hosts file of this machine has it
  EngineConfig config = engine_config(false, 1);
  config.plugin_settings["resolver_dns"]["hosts_file"] = hosts;
  const std::unique_ptr<Engine> engine = std::move(Engine::create(config, log).value());
  const Result<RoleId> started = engine->start_sender(sender);
  EXPECT_TRUE(started.ok()) << started.status().message;
}

TEST(EnginePlugins, ASecretSettingIsReadByWhoeverKnowsWhereItIs) {
  SilentLog log;
  EngineConfig config = engine_config(false, 1);
  auto &setting = config.plugin_settings["auth_sas"]["second_key"];
  setting = "vault:second";
  EXPECT_EQ(Engine::create(config, log).status().message,
            "plugin auth_sas: setting 'second_key' is a text; write a secret as env:NAME or "
            "file:PATH");
  std::string asked;
  config.read_secret = [&](const std::string &text, const std::string &name) -> Result<Secret> {
    asked = name + " " + text;
    return Secret(std::string_view("key"));
  };
  EXPECT_TRUE(Engine::create(config, log).ok());
  EXPECT_EQ(asked, "auth_sas.second_key vault:second");
  config.read_secret = [](const std::string &, const std::string &) -> Result<Secret> {
    return Status::machine("the vault is locked");
  };
  EXPECT_EQ(Engine::create(config, log).status().message, "the vault is locked");
  asked.clear();
  setting = std::make_shared<const Secret>(std::string_view("key"));
  EXPECT_TRUE(Engine::create(config, log).ok());
  EXPECT_EQ(asked, "");
  setting = std::shared_ptr<const Secret>();
  EXPECT_FALSE(Engine::create(config, log).ok());
}

TEST(EnginePlugins, ASettingOfNoPluginOrOfNoSuchNameMakesNoEngine) {
  SilentLog log;
  EngineConfig config = engine_config(false, 1);
  config.plugin_settings["nowhere"]["x"] = "y";
  const std::string nowhere = Engine::create(config, log).status().message;
  EXPECT_NE(nowhere.find("there is no plugin 'nowhere'"), std::string::npos) << nowhere;
  EXPECT_NE(nowhere.find("auth_sas"), std::string::npos) << nowhere;
  config.plugin_settings = {{"resolver_dns", {{"hosts", "y"}}}};
  EXPECT_EQ(Engine::create(config, log).status().message,
            "plugin resolver_dns has no setting 'hosts'; it has resolve, hosts_file, servers, "
            "resolv_conf, "
            "timeout_ms, tries");
}

TEST(EnginePlugins, PluginsAreLookedForInEveryDirectoryAndBesideTheProgram) {
  const Setting setting;
  SilentLog log;
  EngineConfig config = engine_config(false, 1);
  config.plugin_directories = {setting.folder}; // which has none: the program's own has them
  EXPECT_TRUE(Engine::create(config, log).value()->start_relay(setting.relay()).ok());
  const std::string wrong = setting.folder + "/auth_sas.so"; // found first, though it is wrong
  std::filesystem::copy(CULVERT_TEST_PLUGIN_DIRECTORY "/resolver_dns.so", wrong);
  std::filesystem::permissions(wrong, std::filesystem::perms::owner_all);
  const Status status = Engine::create(config, log).value()->start_relay(setting.relay()).status();
  EXPECT_EQ(status.message.find(wrong + ": wanted the id 'auth_sas'"), 0U) << status.message;
  config.plugin_directories = {CULVERT_TEST_PLUGIN_DIRECTORY, setting.folder};
  EXPECT_TRUE(Engine::create(config, log).value()->start_relay(setting.relay()).ok());
}

TEST(EnginePlugins, ARelayWhosePluginIsAtFaultDoesNotStart) {
  struct Row {
    const char *breaks;
    const char *why;
  };
  const Row rows[] = {
      {"none", ""},
      {"on_head", "plugin breaks broke the rules of its ABI: on_head: an answer's form is 77"},
      {"outcome", "plugin breaks broke the rules of its ABI: outcome: an answer's form is 77"},
      {"verify", "plugin breaks broke the rules of its ABI: verify: success without the right that "
                 "was wanted"},
      {"complete", "plugin breaks has not completed verify within 1 s; name another one"},
  };
  const Setting setting;
  SilentLog log;
  for (const Row &row : rows) {
    EngineConfig config = engine_config(false, 1);
    config.plugin_directories = {CULVERT_BROKEN_PLUGINS};
    config.plugin_settings["breaks"]["breaks"] = row.breaks;
    RelayConfig relay = setting.relay();
    relay.protocols = {"breaks"};
    relay.auth = "breaks";
    relay.limits.handshake_ms = 1'000;
    const std::unique_ptr<Engine> engine = std::move(Engine::create(config, log).value());
    const Result<RoleId> started = engine->start_relay(relay);
    EXPECT_EQ(started.ok() ? "" : started.status().message, row.why) << row.breaks;
  }
}

TEST(EnginePlugins, ATokenThatAPluginNeverMakesOrJudgesIsItsFailure) {
  const Setting setting;
  EngineConfig config = engine_config(false, 1);
  config.plugin_directories = {CULVERT_BROKEN_PLUGINS};
  config.plugin_settings["breaks"]["breaks"] = "complete";
  SenderConfig sender = setting.sender(1);
  sender.auth = "breaks";
  sender.limits.handshake_ms = 1'000;
  EXPECT_EQ(issue_token(config, sender, 0).status().message,
            "plugin breaks has not completed acquire within 1 s; name another one");
  TokenQuestion question;
  question.path = "app";
  question.names = {"127.0.0.1"};
  question.auth = "breaks";
  EXPECT_EQ(check_token(config, question).status().message,
            "plugin breaks has not completed verify within 10 s; name another one");
}

} // namespace
} // namespace culvert::test
