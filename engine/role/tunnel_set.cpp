#include "role/tunnel_set.hpp"

namespace culvert {

TunnelSet::TunnelSet(Shard &shard, RoleCounters &counters, Delegate<> emptied)
    : shard_(shard), counters_(counters), emptied_(emptied) {}

TunnelSet::Entry::Entry(TunnelSet &set, TunnelSide app_side, TunnelSide target_side,
                        std::string entity_of_it, std::string id_of_it)
    : owner(set), entity(std::move(entity_of_it)), id(std::move(id_of_it)),
      tunnel(set.shard_, std::move(app_side), std::move(target_side),
             Delegate<Tunnel &>::to<&Entry::on_ended>(*this)) {}

void TunnelSet::Entry::on_ended(Tunnel &) {
  owner.ended(*this);
}

void TunnelSet::join(TunnelSide app_side, TunnelSide target_side, std::string entity,
                     std::string id) {
  const auto handle = tunnels_.make(*this, std::move(app_side), std::move(target_side),
                                    std::move(entity), std::move(id));
  CULVERT_ASSERT(handle);
  Entry &entry = *tunnels_.find(*handle);
  entry.handle = *handle;
  counters_.tunnels_open.fetch_add(1, std::memory_order_relaxed);
  entry.tunnel.start();
}

void TunnelSet::ended(Entry &entry) {
  const EndingRecord &record = entry.tunnel.record();
  counters_.tunnels_open.fetch_sub(1, std::memory_order_relaxed);
  if (record.how != EndingRecord::How::kFinished) {
    counters_.tunnels_aborted.fetch_add(1, std::memory_order_relaxed);
  }
  counters_.bytes_in.fetch_add(record.bytes_from_first, std::memory_order_relaxed);
  counters_.bytes_out.fetch_add(record.bytes_from_second, std::memory_order_relaxed);
  counters_.tunnels_ended.fetch_add(1, std::memory_order_release); // last: with all of it
  shard_.log.write(LogLevel::kInfo, "tunnel ended",
                   {{"entity", entry.entity},
                    {"id", entry.id},
                    {"how", std::string(word(record.how))},
                    {"by", record.by},
                    {"why", record.status.message},
                    {"bytes_in", std::to_string(record.bytes_from_first)},
                    {"bytes_out", std::to_string(record.bytes_from_second)},
                    {"duration_ms", std::to_string(record.duration_ms)}});
  tunnels_.erase(entry.handle);
  if (tunnels_.size() == 0) {
    emptied_();
  }
}

void TunnelSet::drop_all(const Status &why) {
  tunnels_.for_each([&why](SlabHandle, Entry &entry) { entry.tunnel.drop(why); });
}

} // namespace culvert
