#include "role/relay/tunnel_watcher.hpp"

#include "role/relay/text.hpp"

namespace culvert {

void TunnelWatcher::joined(const TunnelFacts &facts) {
  registry_.tunnel_began(facts.entity, facts.channel);
  sources_.came(facts.sender_source);
  sources_.came(facts.listener_source);
  log_.write(LogLevel::kInfo, "tunnel joined",
             {{"entity", facts.entity},
              {"sender", facts.id},
              {"listener", facts.listener_id},
              {"sender_address", facts.first.address},
              {"listener_address", facts.second.address},
              {"shard", std::to_string(facts.shard)},
              {"listener_moved_here", facts.moved ? "yes" : "no"},
              {log_field(facts.setup[0].step), facts.setup[0].ms()},
              {log_field(facts.setup[1].step), facts.setup[1].ms()}});
}

void TunnelWatcher::ended(const TunnelFacts &facts, const EndingRecord &record) {
  registry_.tunnel_ended(facts.entity, facts.channel);
  sources_.went(facts.sender_source);
  sources_.went(facts.listener_source);
  log_.write(LogLevel::kInfo, "tunnel ended",
             {{"entity", facts.entity},
              {"sender", facts.id},
              {"listener", facts.listener_id},
              {"how", std::string(word(record.how))},
              {"by", record.by},
              {"close_code", std::to_string(record.code)},
              {"why", loggable(record.status.message)},
              {"bytes_from_sender", std::to_string(record.bytes_from_first)},
              {"bytes_from_listener", std::to_string(record.bytes_from_second)},
              {"duration_ms", std::to_string(record.duration_ms)}});
}

} // namespace culvert
