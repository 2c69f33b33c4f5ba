#include "admin/status_json.hpp"

#include <algorithm>
#include <boost/json.hpp>

namespace culvert {
namespace {

namespace json = boost::json;

/// A peer may have put any byte into its reason, and JSON is UTF-8.
std::string ascii(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](char letter) { return static_cast<unsigned char>(letter) > 127; }, '?');
  return text;
}

json::object of_times(const TimeClasses &times) {
  json::array classes;
  for (std::size_t i = 0; i < times.counts.size(); ++i) {
    json::object &one = classes.emplace_back(json::object()).as_object();
    one["at_most_s"] = i < times.bounds_s.size() ? json::value(times.bounds_s[i]) : nullptr;
    one["count"] = times.counts[i];
  }
  return {{"classes", std::move(classes)}, {"sum_s", times.sum_s}};
}

json::object of_counts(const std::map<std::string, std::uint64_t> &counts) {
  return {counts.begin(), counts.end()};
}

json::object of_stats(const RoleStats &stats) {
  json::object steps;
  for (const auto &[step, times] : stats.setup_times) {
    steps[step] = of_times(times);
  }
  json::object endings;
  for (const auto &[how, by_whom] : stats.endings) {
    endings[how] = of_counts(by_whom);
  }
  return {{"tunnels_open", stats.tunnels_open},
          {"tunnels_ended", stats.tunnels_ended},
          {"tunnels_aborted", stats.tunnels_aborted},
          {"tunnels_dropped", stats.tunnels_dropped},
          {"endings", std::move(endings)},
          {"bytes_in", stats.bytes_in},
          {"bytes_out", stats.bytes_out},
          {"turns", stats.turns},
          {"setups_failed", stats.setups_failed},
          {"failures", of_counts(stats.failures)},
          {"setup_times", std::move(steps)}};
}

json::object of_relay(const RoleSnapshot &role) {
  json::array entities;
  for (const EntityStats &entity : role.entities) {
    entities.push_back(json::object{{"path", entity.path},
                                    {"listeners", entity.listeners},
                                    {"tunnels", entity.tunnels},
                                    {"pending", entity.pending}});
  }
  return {{"listeners", role.stats.listeners},
          {"pending", role.stats.pending},
          {"tunnels_moved", role.stats.tunnels_moved},
          {"certificate_expires", role.stats.certificate_expires_s},
          {"entities", std::move(entities)}};
}

json::object of_client(const RoleSnapshot &role) {
  json::object client{{"relay", role.relay}, {"entity", role.entity}};
  if (role.kind == RoleKind::kListener) {
    client["target"] = role.target;
    client["channels_registered"] = role.stats.channels_registered;
    client["channels_lost"] = role.stats.channels_lost;
    client["token_expires"] = role.stats.token_expires_s;
  }
  if (!role.endpoint.empty()) {
    client["endpoint"] = role.endpoint;
  }
  return client;
}

json::object of_role(const RoleSnapshot &role) {
  json::object one{{"id", role.id},
                   {"kind", word(role.kind)},
                   {"name", role.name},
                   {"state", word(role.stats.state)},
                   {"since", role.stats.since_s},
                   {"last_failure", ascii(role.stats.last_failure)}};
  if (!role.bound.empty()) {
    one["bound"] = role.bound;
  }
  for (const json::object &more :
       {of_stats(role.stats), role.kind == RoleKind::kRelay ? of_relay(role) : of_client(role)}) {
    one.insert(more.begin(), more.end());
  }
  return one;
}

json::object of_shard(const ShardSnapshot &shard) {
  if (!shard.answered) {
    return {{"answers", false}};
  }
  return {{"answers", true},
          {"operations", shard.stats.operations},
          {"held_bytes", shard.stats.held_bytes},
          {"held_bytes_peak", shard.stats.held_bytes_peak},
          {"entries", shard.stats.entries},
          {"completions", shard.stats.completions},
          {"calls", shard.stats.calls}};
}

} // namespace

std::string status_json(const Snapshot &snapshot) {
  json::array roles;
  for (const RoleSnapshot &role : snapshot.roles) {
    roles.push_back(of_role(role));
  }
  json::array shards;
  for (const ShardSnapshot &shard : snapshot.shards) {
    shards.push_back(of_shard(shard));
  }
  json::array calls;
  for (const PluginCallStats &of : snapshot.plugin_calls) {
    calls.push_back(json::object{
        {"plugin", of.plugin}, {"call", of.function}, {"outcomes", of_counts(of.outcomes)}});
  }
  const std::string why = ascii(snapshot.not_ready());
  return json::serialize(json::object{{"version", snapshot.version},
                                      {"backend", snapshot.backend},
                                      {"started", snapshot.started_s},
                                      {"time", snapshot.taken_s},
                                      {"ready", why.empty()},
                                      {"not_ready", why},
                                      {"roles", std::move(roles)},
                                      {"shards", std::move(shards)},
                                      {"plugin_calls", std::move(calls)}}) +
         "\n";
}

std::string reload_json(bool reloaded, const std::vector<std::string> &sentences) {
  return json::serialize(
             json::object{{"reloaded", reloaded},
                          {"sentences", json::array(sentences.begin(), sentences.end())}}) +
         "\n";
}

} // namespace culvert
