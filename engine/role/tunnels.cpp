#include "role/tunnels.hpp"

#include "core/text.hpp"

namespace culvert {
namespace {

std::size_t whom(const EndingRecord &record, const TunnelFacts &facts) {
  const std::string_view by = record.by;
  const TunnelCounts::Whom whom = by == facts.first.name    ? TunnelCounts::Whom::kFirst
                                  : by == facts.second.name ? TunnelCounts::Whom::kSecond
                                                            : TunnelCounts::Whom::kHost;
  return static_cast<std::size_t>(whom);
}

} // namespace

Tunnels::Tunnels(Shard &shard, TunnelCounts &counts, std::vector<TunnelObserver *> observers,
                 Delegate<> ended)
    : shard_(shard), counts_(counts.row(shard.index)), setup_times_(counts.setup_times()),
      observers_(std::move(observers)), ended_(ended) {}

Tunnels::Entry::Entry(Tunnels &tunnels, TunnelSide first, TunnelSide second,
                      TunnelFacts facts_of_it)
    : owner(tunnels), facts(std::move(facts_of_it)),
      tunnel(tunnels.shard_, std::move(first), std::move(second),
             Delegate<Tunnel &>::to<&Entry::on_ended>(*this),
             {&tunnels.counts_.bytes_in, &tunnels.counts_.bytes_out, &tunnels.counts_.turns}) {}

void Tunnels::join(TunnelSide first, TunnelSide second, TunnelFacts facts) {
  facts.shard = shard_.index;
  facts.first = {first.name, first.link->peer_address().text()};
  facts.second = {second.name, second.link->peer_address().text()};
  const auto handle = tunnels_.make(*this, std::move(first), std::move(second), std::move(facts));
  CULVERT_ASSERT(handle);
  Entry &entry = *tunnels_.find(*handle);
  entry.handle = *handle;
  counts_.joined.add(1);
  setup_times_.add(entry.facts.setup);
  counts_.moved.add(entry.facts.moved ? 1 : 0);
  for (TunnelObserver *observer : observers_) {
    observer->joined(entry.facts);
  }
  entry.tunnel.start();
}

void Tunnels::ended(Entry &entry) {
  const EndingRecord &record = entry.tunnel.record();
  counts_.endings[static_cast<std::size_t>(record.how)][whom(record, entry.facts)].add(1);
  counts_.ended.add(1); // last: whoever reads it sees all of the tunnel
  for (TunnelObserver *observer : observers_) {
    observer->ended(entry.facts, record);
  }
  tunnels_.erase(entry.handle);
  ended_();
}

void Tunnels::drop_all(const Status &why) {
  tunnels_.for_each([&why](SlabHandle, Entry &entry) { entry.tunnel.drop(why); });
}

void Tunnels::drop_entity(std::string_view entity, const Status &why) {
  tunnels_.for_each([&](SlabHandle, Entry &entry) {
    if (lower_case(entry.facts.entity) == lower_case(entity)) {
      entry.tunnel.drop(why);
    }
  });
}

void TunnelLog::joined(const TunnelFacts &facts) {
  const auto write = [&](const auto &...app) {
    log_.write(LogLevel::kInfo, "tunnel joined",
               {{"entity", facts.entity},
                {"id", facts.id},
                app...,
                {facts.first.name, facts.first.address},
                {facts.second.name, facts.second.address},
                {log_field(facts.setup[0].step), facts.setup[0].ms()},
                {log_field(facts.setup[1].step), facts.setup[1].ms()}});
  };
  facts.app.empty() ? write() : write(LogField{"app", facts.app});
}

void TunnelLog::ended(const TunnelFacts &facts, const EndingRecord &record) {
  log_.write(LogLevel::kInfo, "tunnel ended",
             {{"entity", facts.entity},
              {"id", facts.id},
              {"how", std::string(word(record.how))},
              {"by", record.by},
              {"why", record.status.message},
              {"bytes_in", std::to_string(record.bytes_from_first)},
              {"bytes_out", std::to_string(record.bytes_from_second)},
              {"duration_ms", std::to_string(record.duration_ms)}});
}

} // namespace culvert
