// What an operator writes: connection strings and HOST:PORT, every check and its sentence.
#include "culvert/config.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace culvert::test {
namespace {

const std::string kGood = "Endpoint=sb://relay.example/;SharedAccessKeyName=rule;"
                          "SharedAccessKey=k3y=;EntityPath=app";

TEST(ConnectionString, IsReadAsMicrosoftsAre) {
  struct Row {
    std::string text;
    const char *host;
    unsigned port;
    const char *path;
    const char *key_name;
    const char *key;
  };
  const std::string rest = ";SharedAccessKeyName=rule;SharedAccessKey=k3y=;EntityPath=app";
  const Row rows[] = {
      {kGood, "relay.example", 443, "app", "rule", "k3y="},
      {kGood + ";", "relay.example", 443, "app", "rule", "k3y="},
      {";;" + kGood + ";;", "relay.example", 443, "app", "rule", "k3y="},
      {kGood + ";OperationTimeout=00:01:00", "relay.example", 443, "app", "rule", "k3y="},
      {"ENDPOINT=SB://Relay.Example:8443" + rest, "relay.example", 8443, "app", "rule", "k3y="},
      {"endpoint=sb://[::1]:99/" + rest, "::1", 99, "app", "rule", "k3y="},
      {"Endpoint=sb://h/;SharedAccessKeyName=rule;SharedAccessKey=k;EntityPath=Az/.09.a/..b/_-~",
       "h", 443, "Az/.09.a/..b/_-~", "rule", "k"},
      {" Endpoint = sb://h/ ; SharedAccessKeyName = r r ;  SharedAccessKey= k3y= ; ;EntityPath "
       "=app ",
       "h", 443, "app", "r r", "k3y="},
      {"Endpoint=sb://10.0.0.1" + rest, "10.0.0.1", 443, "app", "rule", "k3y="},
      {"EntityPath=a/b;SharedAccessKey==;SharedAccessKeyName=r r;Endpoint=sb://h/", "h", 443, "a/b",
       "r r", "="},
  };
  for (const Row &row : rows) {
    const Result<ConnectionString> read = ConnectionString::parse(row.text);
    ASSERT_TRUE(read.ok()) << row.text << ": " << read.status().message;
    EXPECT_EQ(read.value().host, row.host) << row.text;
    EXPECT_EQ(read.value().port, row.port) << row.text;
    EXPECT_EQ(read.value().entity_path, row.path) << row.text;
    EXPECT_EQ(read.value().key_name, row.key_name) << row.text;
    EXPECT_EQ(read.value().key.reveal(), row.key) << row.text;
    EXPECT_TRUE(read.value().signature.empty()) << row.text;
  }
  const Result<ConnectionString> ready = ConnectionString::parse(
      "Endpoint=sb://h/;EntityPath=a;SharedAccessSignature=SharedAccessSignature sr=x&sig=y");
  ASSERT_TRUE(ready.ok());
  EXPECT_EQ(ready.value().signature.reveal(), "SharedAccessSignature sr=x&sig=y");
  EXPECT_TRUE(ready.value().key.empty());
}

void expect_refused(const std::string &text, const char *message) {
  const Result<ConnectionString> read = ConnectionString::parse(text);
  ASSERT_FALSE(read.ok()) << text;
  EXPECT_EQ(read.status().source, Source::kConfig) << text;
  EXPECT_NE(read.status().message.find(message), std::string::npos)
      << text << ": " << read.status().message;
  EXPECT_EQ(read.status().message.find("CANARY"), std::string::npos) << read.status().message;
  EXPECT_EQ(read.status().message.find('\n'), std::string::npos) << text;
}

TEST(ConnectionString, WhatIsWrongIsSaidWithoutTheText) {
  const std::string secret = "CANARYcanary";
  const std::string keys = ";SharedAccessKeyName=rule;SharedAccessKey=" + secret;
  const std::string rest = keys + ";EntityPath=app";
  const std::string endpoint = "Endpoint=sb://h/";
  struct Row {
    std::string text;
    const char *message;
  };
  const Row rows[] = {
      {"", "has no Endpoint"},
      {";;;", "has no Endpoint"},
      {secret, "has a part without '='"},
      {endpoint + rest + ";" + secret, "has a part without '='"},
      {endpoint + rest + ";Other=" + secret, "has an unknown key 'Other'"},
      {endpoint + rest + ";" + secret + "/+=" + secret, "has an unknown key;"},
      {endpoint + rest + ";EntityPath=x", "has EntityPath twice"},
      {endpoint + rest + ";sharedaccesskey=x", "has sharedaccesskey twice"},
      {"Endpoint=" + rest, "no sb:// address"},
      {"Endpoint=h" + rest, "no sb:// address"},
      {"Endpoint=https://h/" + rest, "no sb:// address"},
      {"Endpoint=sb:///" + rest, "no sb:// address"},
      {"Endpoint=sb://h:x/" + rest, "HOST[:PORT]"},
      {"Endpoint=sb://h:0/" + rest, "not 1 to 65535"},
      {"Endpoint=sb://h:65536/" + rest, "not 1 to 65535"},
      {"Endpoint=sb://h:99999/" + rest, "not 1 to 65535"},
      {"Endpoint=sb://h/app" + rest, "more than HOST[:PORT]"},
      {"Endpoint=sb://h/?a=b" + rest, "more than HOST[:PORT]"},
      {"Endpoint=sb://h/?" + rest, "more than HOST[:PORT]"},
      {"Endpoint=sb://h/#f" + rest, "more than HOST[:PORT]"},
      {"Endpoint=sb://u:" + secret + "@h/" + rest, "more than HOST[:PORT]"},
      {endpoint + keys, "has no EntityPath"},
      {endpoint + keys + ";EntityPath=", "has no EntityPath"},
      {endpoint + keys + ";EntityPath=a b", "EntityPath that names no entity: write its path with"},
      {endpoint + keys + ";EntityPath=a?b", "write its path with at most 260"},
      {endpoint + keys + ";EntityPath=" + std::string(261, 'a'), "write its path with at most 260"},
      {endpoint + keys + ";EntityPath=/a", "names with a single '/' between them"},
      {endpoint + keys + ";EntityPath=a//b", "names with a single '/' between them"},
      {endpoint + keys + ";EntityPath=../" + secret, "without '.' and '..'"},
      {endpoint + keys + ";EntityPath=a/./b", "without '.' and '..'"},
      {endpoint + keys + ";EntityPath=a/..", "without '.' and '..'"},
      {endpoint + ";EntityPath=a", "needs SharedAccessKeyName and SharedAccessKey"},
      {endpoint + ";EntityPath=a;SharedAccessKey=" + secret, "needs SharedAccessKeyName"},
      {endpoint + ";EntityPath=a;SharedAccessKeyName=x", "needs SharedAccessKeyName"},
      {endpoint + ";EntityPath=a;SharedAccessKeyName=x;SharedAccessKey=",
       "SharedAccessKey that is"},
      {endpoint + ";EntityPath=a;SharedAccessKeyName=;SharedAccessKey=" + secret,
       "SharedAccessKeyName that is"},
      {endpoint + ";EntityPath=a;SharedAccessKeyName=x;SharedAccessKey=" + std::string(257, 'C'),
       "longer than 256"},
      {endpoint + ";EntityPath=a;SharedAccessKeyName=" + std::string(257, 'C') +
           ";SharedAccessKey=x",
       "longer than 256"},
      {endpoint + ";EntityPath=a;SharedAccessKeyName=x;SharedAccessKey=a " + secret,
       "SharedAccessKey with a blank in it; copy the key again"},
      {"Endpoint=sb://relay.example./" + rest, "host ends with a dot; write it without"},
      {"Endpoint=sb://127.0.0.300/" + rest, "host looks like an IP address and is none"},
      {endpoint + rest + ";SharedAccessSignature=" + secret, "beside a key"},
      {endpoint + ";EntityPath=a;SharedAccessSignature=", "an empty SharedAccessSignature"},
      {endpoint + rest + "\n", "one line"},
      {endpoint + rest + "\r", "one line"},
      {endpoint + rest + std::string(1, '\0'), "one line"},
      {"Endpoint=sb://h\t/" + rest, "one line"},
  };
  for (const Row &row : rows) {
    expect_refused(row.text, row.message);
  }
}

TEST(ConnectionString, AnUnknownKeyIsNamedUnlessItMayBeASecret) {
  const std::string secret = "CANARYcanary";
  const std::pair<std::string, const char *> rows[] = {
      {"; Entity Path =" + secret, "has an unknown key 'Entity Path'; known are"},
      {";" + secret + secret + secret + "=", "has an unknown key; known are"},
      {"; =" + secret, "has an unknown key; known are"},
  };
  for (const auto &[text, message] : rows) {
    const Result<ConnectionString> read = ConnectionString::parse(kGood + text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_NE(read.status().message.find(message), std::string::npos) << read.status().message;
    EXPECT_EQ(read.status().message.find(secret), std::string::npos) << read.status().message;
  }
}

TEST(ConnectionString, TheGatewaysOfAnAzureNamespaceAreKnown) {
  struct Row {
    const char *host;
    const char *gateways;
  };
  const Row rows[] = {
      {"ns.servicebus.windows.net", "*.servicebus.windows.net"},
      {"NS.ServiceBus.Windows.Net", "*.servicebus.windows.net"},
      {"ns.servicebus.chinacloudapi.cn", "*.servicebus.chinacloudapi.cn"},
      {"ns.servicebus.usgovcloudapi.net", "*.servicebus.usgovcloudapi.net"},
      {"servicebus.windows.net", ""},
      {"ns.servicebus.windows.net.example", ""},
      {"nsservicebus.windows.net", ""},
      {"relay.example", ""},
      {"127.0.0.1", ""},
  };
  for (const Row &row : rows) {
    const auto read = ConnectionString::parse("Endpoint=sb://" + std::string(row.host) +
                                              "/;SharedAccessKeyName=n;SharedAccessKey=k;"
                                              "EntityPath=a");
    ASSERT_TRUE(read.ok()) << row.host;
    const std::vector<std::string> gateways = read.value().gateways();
    EXPECT_EQ(gateways.empty() ? "" : gateways.front(), row.gateways) << row.host;
    EXPECT_LE(gateways.size(), 1U);
  }
}

TEST(HostPort, IsReadAndWrittenBack) {
  struct Row {
    const char *text;
    const char *host;
    unsigned port;
    const char *unix_path;
  };
  const Row rows[] = {
      {"127.0.0.1:80", "127.0.0.1", 80, ""}, {"name.example:65535", "name.example", 65535, ""},
      {"[::1]:8080", "::1", 8080, ""},       {"h:0", "h", 0, ""},
      {"unix:/run/x", "", 0, "/run/x"},
  };
  for (const Row &row : rows) {
    const Result<HostPort> read = HostPort::parse(row.text, "--bind");
    ASSERT_TRUE(read.ok()) << row.text;
    EXPECT_EQ(read.value().host, row.host);
    EXPECT_EQ(read.value().port, row.port);
    EXPECT_EQ(read.value().unix_path, row.unix_path);
    EXPECT_EQ(read.value().text(), row.text);
  }
}

TEST(HostPort, AnythingElseNamesTheSettingAndWhatToWrite) {
  const char *rows[] = {"",      "h",      ":80",        "h:",      "h:x",           "h:80x",
                        "h:-1",  "h:+1",   "h: 80",      "h:65536", "h:99999999999", "::1:80",
                        "[::1]", "[]:80",  "unix:",      "unix:x",  "[::1",          "a:b:1",
                        "h:80 ", "h h:80", "http://h:80"};
  for (const char *text : rows) {
    const Result<HostPort> read = HostPort::parse(text, "--bind");
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.status().message.rfind("--bind '" + std::string(text) + "' is not HOST:PORT", 0),
              0U)
        << read.status().message;
  }
}

} // namespace
} // namespace culvert::test
