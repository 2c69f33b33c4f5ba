// What the admin endpoint says about a snapshot, as text for Prometheus and as JSON.
#include "admin/metrics.hpp"
#include "admin/status_json.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace culvert {
namespace {

using State = RoleStats::State;

RoleSnapshot listener(State state) {
  RoleSnapshot role;
  role.id = 3;
  role.kind = RoleKind::kListener;
  role.name = "sql";
  role.relay = "relay.example:443";
  role.entity = "db";
  role.target = "10.0.0.1:1433";
  role.stats.state = state;
  role.stats.since_s = 1'700'000'000;
  role.stats.tunnels_open = 2;
  role.stats.tunnels_ended = 10;
  role.stats.tunnels_aborted = 4;
  role.stats.tunnels_dropped = 1;
  role.stats.endings = {{"finished", {{"relay", 4}, {"target", 2}, {"host", 0}}},
                        {"aborted", {{"relay", 0}, {"target", 3}, {"host", 0}}},
                        {"dropped", {{"relay", 0}, {"target", 0}, {"host", 1}}}};
  role.stats.bytes_in = 1'000;
  role.stats.bytes_out = 5'000'000'000;
  role.stats.turns = 7;
  role.stats.setups_failed = 3;
  role.stats.failures = {{"timeout", 2}, {"refused", 1}};
  role.stats.channels_registered = 2;
  role.stats.channels_lost = 1;
  role.stats.token_expires_s = 1'700'003'600;
  role.stats.setup_times = {{"target", {{0.01, 0.1}, {5, 6, 1}, 0.75}}};
  role.stats.last_failure = "no \"route\"";
  return role;
}

RoleSnapshot relay() {
  RoleSnapshot role;
  role.kind = RoleKind::kRelay;
  role.name = "main";
  role.bound = "0.0.0.0:443";
  role.stats.state = State::kOnline;
  role.stats.listeners = 2;
  role.stats.pending = 5;
  role.stats.certificate_expires_s = 1'700'900'000;
  role.entities = {{"db", 2, 12, 5}, {"web\n", 0, 0, 0}};
  return role;
}

Snapshot snapshot(State state = State::kOnline) {
  Snapshot made;
  made.version = "0.1.0";
  made.backend = "uring";
  made.started_s = 1'699'999'000;
  made.taken_s = 1'700'000'100;
  made.roles = {relay(), listener(state)};
  made.shards = {{true, {11, 4096, 8192, 70, 60, 50}}, {false, {}}};
  made.plugin_calls = {{"auth_sas", "verify", {{"ok", 9}, {"token-expired", 2}}}};
  return made;
}

constexpr const char *kListener =
    R"({role="listener",name="sql",id="3",relay="relay.example:443",entity="db")";

void expect_line(const std::string &text, const std::string &line) {
  EXPECT_NE(("\n" + text).find("\n" + line + "\n"), std::string::npos) << line << "\nin\n" << text;
}

TEST(MetricsText, HasASampleForEachRoleShardAndEntity) {
  const std::string text = metrics_text(snapshot());
  const std::string of = kListener;
  expect_line(text, R"(culvert_build_info{version="0.1.0",backend="uring"} 1)");
  expect_line(text, "culvert_tunnels_open" + of + "} 2");
  expect_line(text, "culvert_tunnels_started_total" + of + "} 12");
  expect_line(text, "culvert_tunnels_ended_total" + of + R"(,how="finished",by="relay"} 4)");
  expect_line(text, "culvert_tunnels_ended_total" + of + R"(,how="aborted",by="target"} 3)");
  expect_line(text, "culvert_tunnels_ended_total" + of + R"(,how="aborted",by="relay"} 0)");
  expect_line(text, "culvert_tunnels_ended_total" + of + R"(,how="dropped",by="host"} 1)");
  expect_line(text, "culvert_payload_bytes_total" + of + R"(,direction="out"} 5000000000)");
  expect_line(text, "culvert_turns_total" + of + "} 7");
  expect_line(text, "culvert_failures_total" + of + R"(,code="timeout"} 2)");
  expect_line(text, "culvert_listener_registrations_total" + of + "} 2");
  expect_line(text, "culvert_listener_channels_lost_total" + of + "} 1");
  expect_line(text, "culvert_listener_token_expiry_seconds" + of + "} 1700003600");
  expect_line(text, R"(culvert_relay_certificate_expiry_seconds{role="relay",name="main",id="0"} )"
                    "1700900000");
  expect_line(text, R"(culvert_relay_pending_senders{role="relay",name="main",id="0"} 5)");
  expect_line(text,
              R"(culvert_entity_tunnels_open{role="relay",name="main",id="0",entity="db"} 12)");
  expect_line(text, R"(culvert_shard_held_bytes{shard="0"} 4096)");
  expect_line(text, R"(culvert_shard_entries_total{shard="0"} 70)");
  expect_line(text, R"(culvert_shard_completions_total{shard="0"} 60)");
  expect_line(text, R"(culvert_shard_calls_total{shard="0"} 50)");
  expect_line(text, R"(culvert_shard_answers{shard="1"} 0)");
  expect_line(
      text,
      R"(culvert_plugin_calls_total{plugin="auth_sas",call="verify",outcome="token-expired"} 2)");
}

TEST(MetricsText, ClassesOfTimesAreCumulative) {
  const std::string text = metrics_text(snapshot());
  const std::string of = std::string("culvert_setup_seconds_bucket") + kListener;
  expect_line(text, of + R"(,step="target",le="0.01"} 5)");
  expect_line(text, of + R"(,step="target",le="0.1"} 11)");
  expect_line(text, of + R"(,step="target",le="+Inf"} 12)");
  expect_line(text,
              std::string("culvert_setup_seconds_sum") + kListener + R"(,step="target"} 0.75)");
}

TEST(MetricsText, AShardThatDidNotAnswerHasNoNumbers) {
  const std::string text = metrics_text(snapshot());
  EXPECT_EQ(text.find(R"(culvert_shard_held_bytes{shard="1"})"), std::string::npos);
}

TEST(MetricsText, ALabelCannotBreakItsLine) {
  EXPECT_NE(metrics_text(snapshot()).find(R"(entity="web\n")"), std::string::npos);
}

TEST(MetricsText, ARoleThatTakesTheOthersPlaceHasItsOwnSeries) {
  Snapshot two = snapshot();
  two.roles.push_back(listener(State::kDraining));
  two.roles.back().id = 4;
  const std::string text = metrics_text(two);
  EXPECT_NE(text.find(R"(culvert_role_online{role="listener",name="sql",id="3")"),
            std::string::npos);
  EXPECT_NE(text.find(R"(culvert_role_online{role="listener",name="sql",id="4")"),
            std::string::npos);
}

TEST(StatusJson, HasAllOfARole) {
  const boost::json::value page = boost::json::parse(status_json(snapshot()));
  const boost::json::object &role = page.at("roles").at(1).as_object();
  EXPECT_EQ(role.at("kind").as_string(), "listener");
  EXPECT_EQ(role.at("state").as_string(), "online");
  EXPECT_EQ(role.at("since").to_number<std::int64_t>(), 1'700'000'000);
  EXPECT_EQ(role.at("target").as_string(), "10.0.0.1:1433");
  EXPECT_EQ(role.at("last_failure").as_string(), "no \"route\"");
  EXPECT_EQ(role.at("bytes_out").to_number<std::uint64_t>(), 5'000'000'000U);
  EXPECT_EQ(role.at("failures").at("timeout").to_number<int>(), 2);
  EXPECT_EQ(page.at("roles").at(0).at("entities").at(0).at("tunnels").to_number<int>(), 12);
  EXPECT_EQ(role.at("endings").at("aborted").at("target").to_number<int>(), 3);
  EXPECT_EQ(page.at("shards").at(0).at("calls").to_number<int>(), 50);
  EXPECT_EQ(page.at("plugin_calls").at(0).at("outcomes").at("ok").to_number<int>(), 9);
  EXPECT_FALSE(page.at("shards").at(1).at("answers").as_bool());
}

TEST(StatusJson, CanBeReadWhateverAPeerSaid) {
  Snapshot made = snapshot(State::kOffline);
  made.shards.clear();
  made.roles[1].stats.last_failure = "reason \xff\n";
  const boost::json::value page = boost::json::parse(status_json(made));
  EXPECT_EQ(page.at("roles").at(1).at("last_failure").as_string(), "reason ?\n");
}

TEST(StatusJson, SaysWhatAReloadHasFound) {
  const boost::json::value page = boost::json::parse(reload_json(false, {"one", "two"}));
  EXPECT_FALSE(page.at("reloaded").as_bool());
  EXPECT_EQ(page.at("sentences").as_array().size(), 2U);
}

TEST(Ready, NamesWhatIsNot) {
  Snapshot made = snapshot(State::kOffline);
  EXPECT_EQ(made.not_ready(), "shard 1 does not answer");
  EXPECT_EQ(made.not_healthy(), "shard 1 does not answer");
  made.shards.pop_back();
  EXPECT_EQ(made.not_healthy(), "");
  EXPECT_EQ(made.not_ready(), "listener 'sql' is offline: no \"route\"");
  made.roles.back().stats.state = State::kDraining; // another role may have taken its place
  EXPECT_EQ(made.not_ready(), "");
  made.roles.front().stats.state = State::kDraining;
  EXPECT_EQ(made.not_ready(), "no relay, listener or sender runs, or all of them drain");
}

} // namespace
} // namespace culvert
