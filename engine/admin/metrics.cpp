#include "admin/metrics.hpp"

#include <functional>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <utility>

namespace culvert {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr unsigned kRelays = 1U << static_cast<unsigned>(RoleKind::kRelay);
constexpr unsigned kListeners = 1U << static_cast<unsigned>(RoleKind::kListener);
constexpr unsigned kSenders = 1U << static_cast<unsigned>(RoleKind::kSender);
constexpr unsigned kClients = kListeners | kSenders;
constexpr unsigned kAll = kRelays | kClients;

/// Only of numbers below 2^53 exact, as everything in this format.
double number(std::uint64_t value) {
  return static_cast<double>(value);
}

class Page {
public:
  /// Later samples belong to it.
  void family(std::string name, std::string help, MetricType type) {
    families_.push_back({std::move(name), std::move(help), type, {}});
  }
  void sample(Labels labels, double value) {
    ClientMetric &metric = families_.back().metric.emplace_back();
    metric.label = std::move(labels);
    metric.counter.value = value;
    metric.gauge.value = value;
  }
  void histogram(Labels labels, const TimeClasses &times) {
    ClientMetric &metric = families_.back().metric.emplace_back();
    metric.label = std::move(labels);
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < times.bounds_s.size(); ++i) {
      so_far += times.counts[i];
      metric.histogram.bucket.push_back({so_far, times.bounds_s[i]});
    }
    metric.histogram.sample_count = so_far + times.counts.back();
    metric.histogram.sample_sum = times.sum_s;
  }
  [[nodiscard]] std::string text() const {
    std::vector<MetricFamily> filled;
    for (const MetricFamily &family : families_) {
      if (!family.metric.empty()) {
        filled.push_back(family);
      }
    }
    return prometheus::TextSerializer().Serialize(filled);
  }

private:
  std::vector<MetricFamily> families_;
};

/// Whose number it is. The id keeps two roles apart while one takes the other's place.
Labels labels_of(const RoleSnapshot &role) {
  Labels labels{
      {"role", std::string(word(role.kind))}, {"name", role.name}, {"id", std::to_string(role.id)}};
  if (role.kind != RoleKind::kRelay) {
    labels.push_back({"relay", role.relay});
    labels.push_back({"entity", role.entity});
  }
  return labels;
}

Labels with(Labels labels, std::string name, std::string value) {
  labels.push_back({std::move(name), std::move(value)});
  return labels;
}

using OfRole = std::function<double(const RoleStats &)>;

/// One sample for each role of these kinds.
void add_of_roles(Page &page, const Snapshot &snapshot, unsigned kinds, const OfRole &value) {
  for (const RoleSnapshot &role : snapshot.roles) {
    if ((kinds & (1U << static_cast<unsigned>(role.kind))) != 0) {
      page.sample(labels_of(role), value(role.stats));
    }
  }
}

struct RoleMetric {
  const char *name;
  const char *help;
  MetricType type;
  unsigned kinds;
  std::function<std::uint64_t(const RoleStats &)> value;
};

const std::vector<RoleMetric> &role_metrics() {
  using S = RoleStats;
  constexpr auto kGauge = MetricType::Gauge;
  constexpr auto kCounter = MetricType::Counter;
  static const std::vector<RoleMetric> rows{
      {"culvert_role_state_since_seconds", "When the role's state began, in Unix seconds", kGauge,
       kAll, [](const S &s) { return static_cast<std::uint64_t>(s.since_s); }},
      {"culvert_tunnels_open", "Tunnels now", kGauge, kAll,
       [](const S &s) { return s.tunnels_open; }},
      {"culvert_tunnels_started_total", "Tunnels that were joined", kCounter, kAll,
       [](const S &s) { return s.tunnels_open + s.tunnels_ended; }},
      {"culvert_tunnels_moved_total", "Tunnels whose connection moved to another shard", kCounter,
       kRelays, [](const S &s) { return s.tunnels_moved; }},
      {"culvert_turns_total", "Turns that moved payload", kCounter, kAll,
       [](const S &s) { return s.turns; }},
      {"culvert_setups_failed_total", "Set-ups and channels that failed", kCounter, kAll,
       [](const S &s) { return s.setups_failed; }},
      {"culvert_relay_listeners", "Control channels at this relay now", kGauge, kRelays,
       [](const S &s) { return s.listeners; }},
      {"culvert_relay_pending_senders", "Senders that wait for a listener now", kGauge, kRelays,
       [](const S &s) { return s.pending; }},
      {"culvert_listener_registrations_total", "Control channels that were registered at the relay",
       kCounter, kListeners, [](const S &s) { return s.channels_registered; }},
      {"culvert_listener_channels_lost_total", "Control channels that were lost", kCounter,
       kListeners, [](const S &s) { return s.channels_lost; }}};
  return rows;
}

void add_roles(Page &page, const Snapshot &snapshot) {
  for (const RoleMetric &row : role_metrics()) {
    page.family(row.name, row.help, row.type);
    add_of_roles(page, snapshot, row.kinds,
                 [&row](const RoleStats &stats) { return number(row.value(stats)); });
  }
  page.family("culvert_role_online",
              "1: serving; of a listener: registered at its relay. 0: another state",
              MetricType::Gauge);
  add_of_roles(page, snapshot, kAll, [](const RoleStats &stats) {
    return stats.state == RoleStats::State::kOnline ? 1.0 : 0.0;
  });
  page.family("culvert_tunnels_ended_total",
              "Tunnels that ended: finished, aborted, or dropped; by one of their sides, or by the "
              "host, which is this process",
              MetricType::Counter);
  for (const RoleSnapshot &role : snapshot.roles) {
    for (const auto &[how, by_whom] : role.stats.endings) {
      const Labels labels = with(labels_of(role), "how", how);
      for (const auto &[whom, count] : by_whom) {
        page.sample(with(labels, "by", whom), number(count));
      }
    }
  }
  page.family("culvert_payload_bytes_total",
              "Payload of tunnels; in: from the app towards the target", MetricType::Counter);
  for (const RoleSnapshot &role : snapshot.roles) {
    page.sample(with(labels_of(role), "direction", "in"), number(role.stats.bytes_in));
    page.sample(with(labels_of(role), "direction", "out"), number(role.stats.bytes_out));
  }
  page.family("culvert_failures_total", "Set-ups and channels that failed or were refused, by code",
              MetricType::Counter);
  for (const RoleSnapshot &role : snapshot.roles) {
    for (const auto &[code, count] : role.stats.failures) {
      page.sample(with(labels_of(role), "code", code), number(count));
    }
  }
  page.family("culvert_listener_token_expiry_seconds",
              "When the token of the control channel ends, in Unix seconds", MetricType::Gauge);
  for (const RoleSnapshot &role : snapshot.roles) {
    if (role.stats.token_expires_s > 0) {
      page.sample(labels_of(role), static_cast<double>(role.stats.token_expires_s));
    }
  }
}

void add_certificates(Page &page, const Snapshot &snapshot) {
  page.family("culvert_relay_certificate_expiry_seconds",
              "When the relay's certificate ends, in Unix seconds", MetricType::Gauge);
  add_of_roles(page, snapshot, kRelays, [](const RoleStats &stats) {
    return static_cast<double>(stats.certificate_expires_s);
  });
}

void add_setup_times(Page &page, const Snapshot &snapshot) {
  page.family("culvert_setup_seconds", "How long the steps of a tunnel's set-up took",
              MetricType::Histogram);
  for (const RoleSnapshot &role : snapshot.roles) {
    for (const auto &[step, times] : role.stats.setup_times) {
      page.histogram(with(labels_of(role), "step", step), times);
    }
  }
}

void add_entities(Page &page, const Snapshot &snapshot) {
  struct EntityMetric {
    const char *name;
    const char *help;
    std::function<double(const EntityStats &)> value;
  };
  const EntityMetric rows[] = {
      {"culvert_entity_listeners", "Listeners of the entity at this relay now",
       [](const EntityStats &entity) { return entity.listeners; }},
      {"culvert_entity_tunnels_open", "Tunnels of the entity through this relay now",
       [](const EntityStats &entity) { return number(entity.tunnels); }},
      {"culvert_entity_pending_senders", "Senders that wait for a listener of the entity now",
       [](const EntityStats &entity) { return entity.pending; }}};
  for (const EntityMetric &row : rows) {
    page.family(row.name, row.help, MetricType::Gauge);
    for (const RoleSnapshot &role : snapshot.roles) {
      for (const EntityStats &entity : role.entities) {
        page.sample(with(labels_of(role), "entity", entity.path), row.value(entity));
      }
    }
  }
}

void add_shards(Page &page, const Snapshot &snapshot) {
  struct ShardMetric {
    const char *name;
    const char *help;
    MetricType type;
    std::function<std::uint64_t(const ShardStats &)> value;
  };
  using S = ShardStats;
  constexpr auto kGauge = MetricType::Gauge;
  constexpr auto kCounter = MetricType::Counter;
  const ShardMetric rows[] = {
      {"culvert_shard_held_bytes", "Bytes that wait because the kernel has not taken them", kGauge,
       [](const S &s) { return s.held_bytes; }},
      {"culvert_shard_held_bytes_peak", "The most that culvert_shard_held_bytes has been", kGauge,
       [](const S &s) { return s.held_bytes_peak; }},
      {"culvert_shard_operations", "Operations in flight at the kernel", kGauge,
       [](const S &s) { return s.operations; }},
      {"culvert_shard_entries_total",
       "Entries submitted to the ring; with epoll: changes of what it watches", kCounter,
       [](const S &s) { return s.entries; }},
      {"culvert_shard_completions_total", "Completions taken from the ring; with epoll: events",
       kCounter, [](const S &s) { return s.completions; }},
      {"culvert_shard_calls_total",
       "System calls that submit or wait: io_uring_enter; with epoll: epoll_wait, epoll_ctl",
       kCounter, [](const S &s) { return s.calls; }}};
  for (const ShardMetric &row : rows) {
    page.family(row.name, row.help, row.type);
    for (std::size_t i = 0; i < snapshot.shards.size(); ++i) {
      if (snapshot.shards[i].answered) {
        page.sample({{"shard", std::to_string(i)}}, number(row.value(snapshot.shards[i].stats)));
      }
    }
  }
  page.family("culvert_shard_answers", "1: the shard answered in time, 0: it did not",
              MetricType::Gauge);
  for (std::size_t i = 0; i < snapshot.shards.size(); ++i) {
    page.sample({{"shard", std::to_string(i)}}, snapshot.shards[i].answered ? 1 : 0);
  }
}

void add_plugin_calls(Page &page, const Snapshot &snapshot) {
  page.family("culvert_plugin_calls_total",
              "Calls of plugins that were answered or given up: acquire (a token), verify (a "
              "token), resolve (a name)",
              MetricType::Counter);
  for (const PluginCallStats &calls : snapshot.plugin_calls) {
    for (const auto &[outcome, count] : calls.outcomes) {
      page.sample({{"plugin", calls.plugin}, {"call", calls.function}, {"outcome", outcome}},
                  number(count));
    }
  }
}

} // namespace

std::string metrics_text(const Snapshot &snapshot) {
  Page page;
  page.family("culvert_build_info", "The version of this process, always 1", MetricType::Gauge);
  page.sample({{"version", snapshot.version}, {"backend", snapshot.backend}}, 1);
  page.family("culvert_start_time_seconds", "When the engine started, in Unix seconds",
              MetricType::Gauge);
  page.sample({}, static_cast<double>(snapshot.started_s));
  add_roles(page, snapshot);
  add_certificates(page, snapshot);
  add_setup_times(page, snapshot);
  add_entities(page, snapshot);
  add_shards(page, snapshot);
  add_plugin_calls(page, snapshot);
  return page.text();
}

} // namespace culvert
