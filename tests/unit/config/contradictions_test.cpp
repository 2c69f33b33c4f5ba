// Settings of one configuration that contradict each other: in a file, and behind flags.
#include "unit/config/config_world.hpp"

namespace culvert::test {
namespace {

using Lines = std::vector<std::string>;

/// A file with one contradiction, and the sentence about it with its place.
struct Row {
  const char *title;
  std::string text;
  const char *sentence;
};

std::string listener(const std::string &target, const std::string &more = "") {
  return "[[listener]]\nconnection_string = \"file:sql.connection\"\ntarget = \"" + target +
         "\"\n" + more;
}
std::string sender(const std::string &bind, const std::string &connection = "sql") {
  return "[[sender]]\nconnection_string = \"file:" + connection + ".connection\"\nbind = [\"" +
         bind + "\"]\n";
}
std::string relay() {
  return kSmallRelay;
}

std::vector<Row> rows_of_addresses() {
  return {
      {"a target that is the own sender", listener("127.0.0.1:1433") + sender("127.0.0.1:1433"),
       "3:10 target 127.0.0.1:1433: sender 'sender-1' (line 4) listens there and leads back to "
       "this entity, so each connection would come back without an end; write the address of the "
       "service"},
      {"a target by another name", listener("localhost:7") + sender("[::]:7"),
       "3:10 target localhost:7: sender 'sender-1' (line 4) listens there and leads back to this "
       "entity, so each connection would come back without an end; write the address of the "
       "service"},
      {"a target that is the own sender's socket", listener("unix:/run/s") + sender("unix:/run/s"),
       "3:10 target unix:/run/s: sender 'sender-1' (line 4) listens there and leads back to this "
       "entity, so each connection would come back without an end; write the address of the "
       "service"},
      {"a relay at the admin endpoint", "[admin]\nbind = \"127.0.0.1:8443\"\n" + relay(),
       "4:8 bind 127.0.0.1:8443: the admin endpoint listens on 127.0.0.1:8443; write another "
       "address"},
      {"a sender at the admin endpoint",
       sender("unix:/run/admin") + "[admin]\nbind = \"unix:/run/admin\"\n",
       "3:8 bind unix:/run/admin: the admin endpoint listens on unix:/run/admin; write another "
       "address"},
      {"a mode of the admin endpoint's port",
       "[admin]\nbind = \"127.0.0.1:1\"\nbind_mode = \"0660\"\n" + listener("a:1"),
       "3:13 the mode of the admin endpoint is that of a unix socket, and its address is "
       "127.0.0.1:1; write unix:/PATH as its address, or leave its mode out"},
      {"a mode of no admin endpoint", "[admin]\nbind_mode = \"0660\"\n" + listener("a:1"),
       "2:13 the mode of the admin endpoint is that of a unix socket, and it has no address; write "
       "unix:/PATH as its address, or leave its mode out"},
  };
}

std::string named_sender(const std::string &endpoint, const std::string &more = "") {
  return "[[sender]]\nconnection_string = \"file:sql.connection\"\nendpoint = \"" + endpoint +
         "\"\n" + more;
}

std::vector<Row> rows_of_names() {
  return {
      {"one name with two addresses",
       named_sender("db.internal:1") + named_sender("DB.internal.:2", "bind = \"127.0.0.9:2\"\n"),
       "6:12 endpoint 'DB.internal.:2': its name leads to 127.0.0.9 here and to 127.184.121.144 "
       "for "
       "sender 'sender-1' (line 1); leave bind out of both, or write one address for both"},
      {"the relay of another role",
       "[[listener]]\nconnection_string = \"file:relay-b.connection\"\ntarget = \"a:1\"\n" +
           named_sender("B.example:443"),
       "6:12 endpoint 'B.example:443': listener 'listener-1' (line 1) dials its relay by this "
       "name, "
       "which must keep its address; write another name"},
      {"the own relay, with bind", named_sender("relay.example:443", "bind = \"127.0.0.1:443\"\n"),
       "3:12 endpoint 'relay.example:443': sender 'sender-1' (line 1) dials its relay by this "
       "name, "
       "which must keep its address; write another name"},
      {"the proxy", named_sender("proxy.example:3128", "proxy = \"http://proxy.example:3128\"\n"),
       "3:12 endpoint 'proxy.example:3128': sender 'sender-1' (line 1) dials its proxy by this "
       "name, "
       "which must keep its address; write another name"},
      {"a responder without bind", "[dns]\nttl = \"1s\"\n" + listener("a:1"),
       "2:7 [dns] has no bind, so nothing answers; write bind = [\"127.0.0.153:53\"], or leave the "
       "section out"},
  };
}

std::vector<Row> rows_of_settings() {
  const std::string ready = "[[listener]]\nconnection_string = \"file:ready.connection\"\n"
                            "target = \"a:1\"\nsecond_key = \"file:rule.key\"\n";
  return {
      {"a floor above its ceiling",
       "[limits]\nrepeat_floor = \"5s\"\nrepeat_ceiling = \"1s\"\n" + listener("a:1"),
       "2:16 the limit repeat_floor is 5s and repeat_ceiling 1s: the shortest pause is longer than "
       "the longest; write a smaller repeat_floor or a larger repeat_ceiling"},
      {"a ceiling below the default of its floor",
       "[limits]\nrepeat_ceiling = \"50ms\"\n" + sender("127.0.0.1:1"),
       "2:18 the limit repeat_floor is 100ms and repeat_ceiling 50ms: the shortest pause is longer "
       "than the longest; write a smaller repeat_floor or a larger repeat_ceiling"},
      {"credentials of no proxy",
       listener("a:1", "proxy = \"none\"\nproxy_credentials = \"file:proxy.password\"\n"),
       "5:21 proxy_credentials is for a proxy, and proxy is none; leave one of the two out"},
      {"a second key beside a ready token", ready,
       "4:14 the second key stands beside a first one, and the connection string has a ready token "
       "in its place; write one with a key, or leave the second key out"},
  };
}

class ContradictionsTest : public testing::Test {
protected:
  ContradictionsTest() {
    world.write("ready.connection",
                "Endpoint=sb://relay.example/;EntityPath=sql;SharedAccessSignature="
                "SharedAccessSignature sr=x&sig=x&se=1&skn=x");
    world.write("relay-b.connection",
                "Endpoint=sb://b.example/;SharedAccessKeyName=n;SharedAccessKey=k;EntityPath=sql");
  }
  Lines warnings(const std::string &text) {
    LoadedConfig loaded = world.load(text);
    EXPECT_EQ(ConfigWorld::lines(loaded), Lines{});
    loaded.mistakes = loaded.warnings;
    return ConfigWorld::lines(loaded);
  }
  ConfigWorld world;
};

TEST_F(ContradictionsTest, EachIsAMistakeAtItsPlace) {
  for (const auto &rows : {rows_of_addresses(), rows_of_names(), rows_of_settings()}) {
    for (const Row &row : rows) {
      const LoadedConfig loaded = world.load(row.text);
      EXPECT_EQ(ConfigWorld::lines(loaded), Lines{row.sentence}) << row.title;
      EXPECT_TRUE(loaded.warnings.empty()) << row.title;
    }
  }
}

TEST_F(ContradictionsTest, WhatOnlyLooksLikeALoopIsNone) {
  for (const std::string &text : {
           listener("127.0.0.1:1433") +
               sender("127.0.0.1:1433", "other"),              // one relay behind another
           listener("10.0.0.5:1433") + sender("0.0.0.0:1433"), // of another machine, perhaps
           listener("127.0.0.1:1434") + sender("127.0.0.1:1433"),
           listener("localhost:1433") + sender("10.0.0.5:1433"),
       }) {
    EXPECT_EQ(ConfigWorld::lines(world.load(text)), Lines{}) << text;
  }
}

TEST_F(ContradictionsTest, TwoTargetsOfOneEntityAreAWarning) {
  EXPECT_EQ(warnings(listener("a:1") + listener("a:2", "name = \"two\"\n") + listener("a:2")),
            Lines{"6:10 target a:2: listener 'listener-1' (line 1) has the same entity and the "
                  "target a:1, so an app reaches one of them at random; write the same target, or "
                  "another entity"});
  EXPECT_EQ(warnings(listener("a:1") + listener("a:1")), Lines{});
}

TEST_F(ContradictionsTest, ATargetThatIsTheOwnSendersEndpointIsAWarning) {
  EXPECT_EQ(
      warnings(listener("DB.internal:7") + named_sender("db.internal:7")),
      Lines{"3:10 target DB.internal:7: sender 'sender-1' (line 4) has this endpoint, so where "
            "/etc/hosts or DNS of this machine leads the name to it, each connection would come "
            "back without an end; write the service's IP address"});
  EXPECT_EQ(warnings(listener("db.internal:8") + named_sender("db.internal:7")), Lines{});
}

TEST_F(ContradictionsTest, AResponderThatKnowsNoNameIsAWarning) {
  EXPECT_EQ(
      warnings("[dns]\nbind = \"127.0.0.153:53\"\n" + listener("a:1")),
      Lines{"2:8 no sender has an endpoint whose name leads to it, so the DNS responder knows no "
            "name; write endpoint = \"NAME:PORT\" into a [[sender]], without bind"});
  EXPECT_EQ(warnings("[dns]\nbind = \"127.0.0.153:53\"\n" + named_sender("db.internal:7")),
            Lines{});
}

TEST_F(ContradictionsTest, ABoundAboveTheOneAroundItIsAWarningIfBothAreWritten) {
  EXPECT_EQ(warnings("[limits]\npending_per_entity = 10\n" + relay()), Lines{});
  EXPECT_EQ(warnings("[limits]\npending_per_entity = 10\npending_per_source = 11\n" + relay()),
            Lines{"3:22 the limit pending_per_source is 11 and pending_per_entity 10, so the first "
                  "one has no effect"});
}

TEST_F(ContradictionsTest, ASocketPathThatIsTooLongIsAMistakeWhereverItStands) {
  const std::string path = "unix:/" + std::string(107, 'x');
  const std::string end = " is a path of 108 bytes, and that of a unix socket has at most 107; "
                          "write a shorter one";
  const std::string quoted = " '" + path + "'" + end;
  EXPECT_EQ(ConfigWorld::lines(world.load(sender(path))), Lines{"3:8 bind" + quoted});
  EXPECT_EQ(ConfigWorld::lines(world.load(listener(path))), Lines{"3:10 target" + quoted});
  EXPECT_EQ(ConfigWorld::lines(world.load("[admin]\nbind = \"" + path + "\"\n" + relay())),
            Lines{"2:8 bind" + quoted});
  EXPECT_EQ(ConfigWorld::lines(world.load(sender(path.substr(0, path.size() - 1)))), Lines{});
}

TEST_F(ContradictionsTest, FlagsAreJudgedInTheSameWay) {
  const FlagValues sender{{"--connection-string", {"file:" + world.folder + "/sql.connection"}},
                          {"--bind", {"127.0.0.1:7"}}};
  const struct {
    FlagValues more;
    const char *sentence;
  } kRows[] = {
      {{{"--admin-bind", {"127.0.0.1:7"}}},
       "0:0 bind 127.0.0.1:7: the admin endpoint listens on 127.0.0.1:7; write another address"},
      {{{"--admin-bind-mode", {"0660"}}},
       "0:0 the mode of the admin endpoint is that of a unix socket, and it has no address; write "
       "unix:/PATH as its address, or leave its mode out"},
      {{{"--limit", {"repeat_floor=3s"}}},
       "0:0 the limit repeat_floor is 3s and repeat_ceiling 2s: the shortest pause is longer than "
       "the longest; write a smaller repeat_floor or a larger repeat_ceiling"},
      {{{"--bind-mode", {"0660"}}},
       "0:0 bind_mode is the mode of a unix socket, at most 0777; set it with a unix path alone"},
  };
  for (const auto &row : kRows) {
    FlagValues values = sender;
    values.insert(row.more.begin(), row.more.end());
    EXPECT_EQ(ConfigWorld::lines(load_flags("sender", values, world.secrets)), Lines{row.sentence});
  }
}

} // namespace
} // namespace culvert::test
