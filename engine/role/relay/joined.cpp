#include "role/relay/joined.hpp"

#include "role/relay/relay_shard.hpp"

namespace culvert {

Joined::Joined(RelayShard &relay, JoinedNames names, std::unique_ptr<Link> sender,
               std::unique_ptr<Link> listener)
    : relay_(relay), names_(std::move(names)),
      tunnel_(relay.shard(), {std::move(sender), "sender", Source::kLocal},
              {std::move(listener), "listener", Source::kTarget},
              Delegate<Tunnel &>::to<&Joined::on_ended>(*this)) {}

void Joined::start(SlabHandle handle) {
  handle_ = handle;
  relay_.relay().counters().tunnels_open.fetch_add(1, std::memory_order_relaxed);
  relay_.relay().registry().tunnel_began(names_.entity, names_.channel);
  tunnel_.start();
}

void Joined::on_ended(Tunnel &tunnel) {
  const EndingRecord &record = tunnel.record();
  RelayCounters &counters = relay_.relay().counters();
  counters.tunnels_open.fetch_sub(1, std::memory_order_relaxed);
  if (record.how != EndingRecord::How::kFinished) {
    counters.tunnels_aborted.fetch_add(1, std::memory_order_relaxed);
  }
  counters.bytes_from_senders.fetch_add(record.bytes_from_first, std::memory_order_relaxed);
  counters.bytes_from_listeners.fetch_add(record.bytes_from_second, std::memory_order_relaxed);
  counters.tunnels_ended.fetch_add(1, std::memory_order_release); // last: with all of it
  relay_.relay().registry().tunnel_ended(names_.entity, names_.channel);
  log(record);
  relay_.on_tunnel_ended(handle_); // this is gone behind it
}

void Joined::log(const EndingRecord &record) {
  relay_.log(LogLevel::kInfo, "tunnel ended",
             {{"entity", names_.entity},
              {"sender", names_.sender_id},
              {"listener", names_.listener_id},
              {"how", std::string(word(record.how))},
              {"by", record.by},
              {"close_code", std::to_string(record.code)},
              {"why", loggable(record.status.message)},
              {"bytes_from_sender", std::to_string(record.bytes_from_first)},
              {"bytes_from_listener", std::to_string(record.bytes_from_second)},
              {"duration_ms", std::to_string(record.duration_ms)}});
}

} // namespace culvert
