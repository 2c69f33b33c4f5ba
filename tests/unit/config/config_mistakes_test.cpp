// Every mistake of a configuration file, with its place.
#include "unit/config/config_world.hpp"

namespace culvert::test {
namespace {

TEST_F(ConfigFileTest, EveryMistakeIsReportedWithItsPlaceInTheOrderOfTheFile) {
  EXPECT_EQ(mistakes(R"([engine]
shards = 65
[lo]
[[relay]]
bind = "127.0.0.1"
certificat = "x"
private_key = 5
[[relay.rule]]
name = "x"
rights = ["lissen"]
primary_key = "env:CULVERT_TEST_NOT_SET"
[[listener]]
connection_string = "-"
target = "a:0"
)"),
            (Lines{
                "2:10 shards: '65' is not 1 to 64; write a number or auto",
                "3:2 'lo' is unknown; a file has engine, log, plugins, plugin, limits, admin, dns, "
                "relay, listener and sender",
                "4:1 names is missing; write names = \"relay.example.com\"",
                "4:1 certificate is missing; write certificate = \"relay.pem\"",
                "4:1 the relay has no entity; write [[relay.entity]] with a path",
                "5:8 bind '127.0.0.1' is not ADDRESS:PORT; write 127.0.0.1:8080, 0.0.0.0:8080, "
                "[::]:8080 or unix:/PATH",
                "6:1 'certificat' is unknown in [[relay]]; did you mean 'certificate'?",
                "7:15 private_key: it is a number; write private_key = \"relay.key\"",
                "10:10 rights: a right is unknown; write listen, send or manage",
                "11:15 primary_key: the environment variable 'CULVERT_TEST_NOT_SET' is not set; "
                "export it first",
                "13:21 connection_string: a configuration file cannot refer to standard input; "
                "write env:NAME or file:PATH",
                "14:10 target 'a:0' has port 0; write the port it listens on",
            }));
}

struct Row {
  const char *title;
  std::string text; // of a file that has this mistake alone
  const char *mistake;
};

std::vector<Row> rows_of_sections() {
  const std::string relay = kSmallRelay;
  const std::string listener = kSmallListener;
  const std::string sender = kSmallSender;
  return {
      {"no role", "", "0:0 the file has no role; write [[relay]], [[listener]] or [[sender]]"},
      {"no TOML", "a = [", "1:"},
      {"a key twice", sender + "bind = \"127.0.0.1:2\"", "4:"},
      {"a section that is a list", "[[engine]]\nshards = 2\n" + listener,
       "1:3 'engine' is a list; write it as [engine]"},
      {"a list that is a table", "[relay]\nbind = \"x\"\n" + listener,
       "1:2 'relay' is a table; write each as [[relay]]"},
      {"a list of numbers", "relay = [1]\n" + listener,
       "1:1 'relay' is a list; write each as [[relay]]"},
      {"a key of another section", "[engine]\nlevel = \"info\"\n" + listener,
       "2:1 'level' is unknown in [engine]; it belongs to [log]"},
      {"a key without a section", "shards = 2\n" + listener,
       "1:1 'shards' is unknown; it belongs to [engine]"},
      {"a key that may be a secret", "[log]\n\"k/y+=\" = 1\n" + listener,
       "2:1 a key is unknown in [log]; it has level and format"},
      {"a date", "[log]\nlevel = 2020-01-01\n" + listener,
       "2:9 level: it is a date; write level = \"info\""},
      {"a choice", "[log]\nlevel = \"trce\"\n" + listener,
       "2:9 level: 'trce' is none of its words; write error, warn, info, debug or trace (did you "
       "mean 'trace'?)"},
      {"a truth in quotes", "[engine]\ninsecure_secret_files = \"true\"\n" + listener,
       "2:25 insecure_secret_files: it is a text; write insecure_secret_files = false"},
      {"a count in quotes", "[limits]\nfirst_setups = \"5\"\n" + listener,
       "2:16 first_setups: it is a text; write first_setups = 128"},
      {"a negative count", "[limits]\nfirst_setups = -1\n" + listener,
       "2:16 first_setups: '-1' is not 1 to 1048576; write a number"},
      {"a time without a unit", "[limits]\npong = 10\n" + listener,
       "2:8 pong: the number 10 has no unit; write pong = \"10s\""},
      {"a time with another unit", "[limits]\npong = \"10sec\"\n" + listener,
       "2:8 pong: '10sec' is not 100ms to 10min; write a number and ms, s, min, h or d, for "
       "example 10s"},
      {"a time of m", "[limits]\npong = \"10 m\"\n" + listener,
       "2:8 pong: '10 m' is not 100ms to 10min; write a number and ms, s, min, h or d, for example "
       "10s"},
      {"a time that is too long", "[limits]\npong = \"99999999999999999d\"\n" + listener,
       "2:8 pong: '99999999999999999d' is not 100ms to 10min; write a number and ms, s, min, h or "
       "d, for example 10s"},
      {"a size that is too small", "[limits]\nheld = \"1 KiB\"\n" + listener,
       "2:8 held: '1 KiB' is not 256 KiB to 1 TiB; write a number and B, KiB, MiB, GiB or TiB, "
       "for example 256 MiB"},
      {"drain_grace as a limit", "[limits]\ndrain_grace = \"1s\"\n" + listener,
       "2:1 'drain_grace' is unknown in [limits]; it belongs to [engine]"},
      {"a key of several sections", listener + "bind = \"127.0.0.1:1\"\n",
       "4:1 'bind' is unknown in [[listener]]; it belongs to [admin], [dns], [[relay]] and "
       "[[sender]]"},
      {"a responder for other machines", "[dns]\nbind = \"10.0.0.1:53\"\n" + listener,
       "2:8 bind '10.0.0.1:53' is no loopback address, and the answers are for this machine alone; "
       "write 127.0.0.153:53"},
      {"a responder without a port", "[dns]\nbind = [\"127.0.0.1\"]\n" + listener,
       "2:8 bind '127.0.0.1' is not ADDRESS:PORT; write 127.0.0.153:53"},
      {"a name server's name", "[dns]\nupstreams = \"dns.example\"\n" + listener,
       "2:13 upstreams 'dns.example' is no address of a name server; write 10.0.0.2, 10.0.0.2:5353 "
       "or "
       "[fd00::2]:53"},
      {"an entity's name", relay + "name = \"sql\"\n",
       "12:1 'name' is unknown in [[relay.entity]]; it belongs to [[relay]], [[relay.rule]], "
       "[[relay.entity.rule]], [[listener]] and [[sender]]"},
  };
}

/// Behind the place and the words of TOML's reader.
std::vector<Row> rows_of_toml() {
  return {
      {"a text without quotes", "[log]\nlevel = info\n", "; write a text in quotes"},
      {"an address without quotes", "[[listener]]\ntarget = 127.0.0.1:80\n",
       "; write a text in quotes"},
      {"a time without quotes", "[limits]\npong = 10s", "; write a text in quotes"},
      {"curly quotes", "[log]\r\nlevel = \u201cinfo\u201d\r\n", "; write straight quotes"},
      {"a quote that does not end", "[log]\nlevel = \"info\n", "prohibited"},
      {"a list that does not end", "a = [", ""},
  };
}

std::string target(const std::string &text) {
  return "[[listener]]\nconnection_string = \"file:sql.connection\"\ntarget = \"" + text + "\"\n";
}
/// A relay with another name.
std::string relay_named(const std::string &name) {
  std::string text = kSmallRelay;
  return text.replace(text.find("relay.example"), 13, name);
}
/// A relay with another text where its rule's key is named.
std::string relay_with_key(const std::string &key) {
  std::string text = kSmallRelay;
  return text.replace(text.find("file:rule.key"), 13, key);
}

std::vector<Row> rows_of_values() {
  const std::string listener = kSmallListener;
  return {
      {"an empty text", listener + "transport = \"\"\n",
       "4:13 transport: it is empty; write transport = \"transport_azure\" or leave it out"},
      {"an empty list", listener + "resolve = []\n",
       "4:11 resolve: the list is empty; write resolve = [\"relay.example.com=192.0.2.10\"]"},
      {"a number in a list", listener + "resolve = [\"a=1.2.3.4\", 5]\n",
       "4:11 resolve: it is a number; write resolve = [\"relay.example.com=192.0.2.10\"]"},
      {"a host with a port", listener + "rendezvous_hosts = [\"a.example:443\"]\n",
       "4:20 rendezvous host 'a.example:443': write a host name, an IP address or *.SUFFIX, "
       "without scheme, port or path"},
      {"a target that is almost an address", target("127.0.0.300:1"),
       "3:10 target '127.0.0.300:1' looks like an IP address and is none; write four numbers of 0 "
       "to 255"},
      {"a target of every host", target("*:28080"),
       "3:10 target '*:28080' has a '*'; write the name or address of one host"},
      {"a target that is a named instance", target("sql\\\\instance:1433"),
       "3:10 target 'sql\\instance:1433' has a '\\'; write HOST:PORT: a named instance has a port "
       "of "
       "its own"},
      {"a public address with a dot at its end",
       std::string(kSmallRelay).replace(0, 9, "[[relay]]\npublic_address = \"relay.example.\""),
       "2:18 public_address 'relay.example.' ends with a dot; write it without"},
      {"a plugin that is no table", "[plugin]\nauth_sas = 1\n" + listener,
       "2:1 'auth_sas' is a number; write [plugin.\"ID\"] with the plugin's settings"},
      {"a plugin's table in a table", "[plugin.\"auth_sas\"]\na = {}\n" + listener,
       "2:5 'a' is a table; a plugin's setting is a text, a number, true or false, or a list of "
       "texts"},
      {"a plugin of no role", "[plugin.\"other\"]\na = 1\n" + listener,
       "1:9 no role of this file uses the plugin 'other'; they use auth_sas, resolver_dns and "
       "transport_azure"},
  };
}

std::vector<Row> rows_of_roles() {
  const std::string relay = kSmallRelay;
  const std::string listener = kSmallListener;
  const std::string sender = kSmallSender;
  return {
      {"two names", listener + "name = \"a\"\n" + listener + "name = \"a\"\n",
       "8:8 name 'a' is the name of two listeners; write another"},
      {"a name that is the default of another",
       sender + sender.substr(0, sender.size() - 3) + "4\"\nname = \"sender-1\"\n",
       "7:8 name 'sender-1' is the name of two senders; write another"},
      {"two roles on one address",
       relay + "[[sender]]\nconnection_string = "
               "\"file:sql.connection\"\nbind = \"0.0.0.0:8443\"\n",
       "14:8 bind 0.0.0.0:8443: the role of line 1 listens on 127.0.0.1:8443; write another "
       "address"},
      {"one address twice",
       "[[sender]]\nconnection_string = \"file:sql.connection\"\n"
       "bind = [\"[::]:1\", \"127.0.0.1:1\"]\n",
       "3:8 bind 127.0.0.1:1: bind [::]:1 listens there already; remove one of the two"},
      {"a bind to a name",
       "[[sender]]\nconnection_string = \"file:sql.connection\"\nbind = \"localhost:1\"\n",
       "3:8 bind 'localhost:1' is a name; write the IP address to listen on, for example "
       "127.0.0.1:1 or 0.0.0.0:1"},
      {"a mode of a port", sender + "bind_mode = \"0660\"\n",
       "3:8 bind_mode is the mode of a unix socket, at most 0777; set it with a unix path alone"},
      {"a mode that is none", sender + "bind_mode = \"0888\"\n",
       "4:13 bind_mode '0888' is no mode of a file; write 0660"},
      {"an entity's path", relay + "[[relay.entity]]\npath = \"/a\"\n",
       "13:8 path '/a' names no entity: write its path as one or more names with a single '/' "
       "between them, without one at either end"},
      {"an entity twice", relay + "[[relay.entity]]\npath = \"SQL\"\n",
       "13:8 path 'SQL' is the path of two entities (case does not count); remove one of them"},
      {"a rule twice",
       relay + "[[relay.rule]]\nname = \"R\"\nrights = \"send\"\nprimary_key = "
               "\"file:rule.key\"\n",
       "13:8 name 'R' is the name of two rules (case does not count); write another, or "
       "secondary_key for a second key"},
      {"no rule",
       relay.substr(0, relay.find("[[relay.rule]]")) + "[[relay.entity]]\npath = \"a\"\n",
       "1:1 the relay has no rule, so that nobody can listen; write [[relay.rule]], or "
       "[[relay.entity.rule]] for an entity"},
      {"a right twice",
       relay + "[[relay.entity.rule]]\nname = \"x\"\nrights = [\"send\", "
               "\"send\"]\nprimary_key = \"file:rule.key\"\n",
       "14:10 rights: a right is named twice; write each once"},
  };
}

std::vector<Row> rows_of_secrets() {
  const std::string relay = kSmallRelay;
  return {
      {"a name with a port",
       relay + "[[relay]]\nbind = \"127.0.0.1:1\"\nnames = \"a:1\"\n"
               "certificate = \"c\"\nprivate_key = \"k\"\n[[relay.entity]]\n"
               "path = \"a\"\n[[relay.entity.rule]]\nname = \"x\"\nrights = "
               "\"send\"\nprimary_key = \"file:rule.key\"\n",
       "14:9 relay name 'a:1': write a host name or an IP address alone, without scheme, port, "
       "brackets or '*'"},
      {"a name that is almost an address", relay_named("127.0.0.300"),
       "3:9 relay name '127.0.0.300' looks like an IP address and is none; write four numbers of 0 "
       "to 255"},
      {"a name with a dot at its end", relay_named("relay.example."),
       "3:9 relay name 'relay.example.' ends with a dot; write it without"},
      {"a connection string in place of a key", relay_with_key("file:sql.connection"),
       "9:15 primary_key: a connection string stands here; write its key alone"},
      {"a file without file:", relay_with_key("rule.key"),
       "9:15 primary_key: 'rule.key' is a file; write file:rule.key"},
      {"a connection string in place of a target",
       "[[listener]]\nconnection_string = \"file:sql.connection\"\ntarget = "
       "\"Endpoint=sb://h/;SharedAccessKey=Secret\"\n",
       "3:10 target: a connection string stands here; put it into a variable or file, and write "
       "connection_string = \"env:NAME\" or \"file:PATH\""},
      {"a literal connection string",
       "[[listener]]\ntarget = \"a:1\"\nconnection_string = "
       "\"Endpoint=sb://h/;SharedAccessKey=Secret\"\n",
       "3:21 connection_string: a secret in the configuration file can be read by everybody who "
       "may read that file; write env:NAME or file:PATH, or set insecure_literal_secrets = true "
       "in [engine]"},
  };
}

TEST_F(ConfigFileTest, EachMistakeNamesTheThingAndSaysWhatToWrite) {
  for (const auto &rows :
       {rows_of_sections(), rows_of_values(), rows_of_roles(), rows_of_secrets()}) {
    for (const Row &row : rows) {
      const std::string found = mistake(row.text);
      const std::string wanted = row.mistake;
      EXPECT_EQ(wanted.size() < 4 ? found.substr(0, wanted.size()) : found, wanted) << row.title;
      EXPECT_EQ(found.find("Secret"), std::string::npos) << row.title;
    }
  }
}

TEST_F(ConfigFileTest, WhatIsNoTomlSaysWhatToWrite) {
  for (const Row &row : rows_of_toml()) {
    const std::string found = mistake(row.text);
    const std::string end = std::string(row.mistake) + "; the rest of the file is not judged";
    EXPECT_NE(found.find("this is no TOML: "), std::string::npos) << row.title;
    EXPECT_TRUE(found.ends_with(end)) << row.title << ": " << found;
    EXPECT_EQ(found.find("; write") != std::string::npos, end.starts_with("; write")) << found;
  }
  for (const std::string &text : {std::string("\xff\xfe[\0l\0", 6),
                                  std::string("\xfe\xff\0[\0l", 6), std::string("[\0", 2)}) {
    EXPECT_EQ(mistake(text), "0:0 the configuration file is UTF-16 or no text; save it as UTF-8");
  }
}

} // namespace
} // namespace culvert::test
