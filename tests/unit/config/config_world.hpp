// A folder with the files that configurations name, for tests.
#pragma once

#include "culvert/config_file.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace culvert::test {

using Lines = std::vector<std::string>;

class ConfigWorld {
public:
  ConfigWorld() {
    std::string path = ::testing::TempDir() + "culvert-config-XXXXXX";
    folder = ::mkdtemp(path.data());
    for (const char *file : {"rule.key", "rule-2.key", "relay.key", "relay.pem", "ca.pem"}) {
      write(file, std::string("content of ") + file[0] + "-" + file[5]);
    }
    for (const char *key : {"rule.key", "rule-2.key"}) {
      write(key, std::string("a-key-from-") + key);
    }
    write("sql.connection", connection("sql"));
    write("proxy.password", "user:password");
    write("other.connection", connection("other"));
  }
  ~ConfigWorld() { std::filesystem::remove_all(folder); }
  ConfigWorld(const ConfigWorld &) = delete;
  ConfigWorld &operator=(const ConfigWorld &) = delete;

  static std::string connection(const std::string &entity) {
    return "Endpoint=sb://relay.example/;SharedAccessKeyName=n;SharedAccessKey=k;EntityPath=" +
           entity;
  }
  void write(const std::string &file, const std::string &text, mode_t mode = 0600) const {
    const std::string path = folder + "/" + file;
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
  }
  [[nodiscard]] LoadedConfig load(const std::string &text) {
    write("c.toml", text);
    return load_config_file(folder + "/c.toml", secrets);
  }
  /// "3:1 sentence" for each.
  static Lines lines(const LoadedConfig &loaded) {
    Lines all;
    for (const ConfigMistake &mistake : loaded.mistakes) {
      all.push_back(std::to_string(mistake.place.line) + ":" +
                    std::to_string(mistake.place.column) + " " + mistake.status.message);
    }
    return all;
  }

  std::string folder;
  SecretReader secrets;
};

class ConfigFileTest : public testing::Test {
protected:
  Lines mistakes(const std::string &text) { return ConfigWorld::lines(world.load(text)); }
  /// The one mistake of a file that is right besides.
  std::string mistake(const std::string &text) {
    const Lines all = mistakes(text);
    EXPECT_EQ(all.size(), 1U) << testing::PrintToString(all);
    return all.empty() ? "" : all.front();
  }

  ConfigWorld world;
};

/// A relay, a listener and a sender, each with what it needs and no more.
inline constexpr const char *kSmallRelay = "[[relay]]\n"
                                           "bind = \"127.0.0.1:8443\"\n"
                                           "names = [\"relay.example\"]\n"
                                           "certificate = \"relay.pem\"\n"
                                           "private_key = \"relay.key\"\n"
                                           "[[relay.rule]]\n"
                                           "name = \"r\"\n"
                                           "rights = [\"listen\"]\n"
                                           "primary_key = \"file:rule.key\"\n"
                                           "[[relay.entity]]\n"
                                           "path = \"sql\"\n";
inline constexpr const char *kSmallListener = "[[listener]]\n"
                                              "connection_string = \"file:sql.connection\"\n"
                                              "target = \"127.0.0.1:1\"\n";
inline constexpr const char *kSmallSender = "[[sender]]\n"
                                            "connection_string = \"file:sql.connection\"\n"
                                            "bind = \"127.0.0.1:1433\"\n";

} // namespace culvert::test
