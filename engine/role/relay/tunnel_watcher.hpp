// What a relay does when a tunnel is joined or has ended: it tells the registry how busy the
// listener is, the sources who is known, and the log.
//
// Belongs to one shard's part of a relay.
#pragma once

#include "role/relay/listener_registry.hpp"
#include "role/relay/sources.hpp"

namespace culvert {

class TunnelWatcher final : public TunnelObserver {
public:
  TunnelWatcher(ListenerRegistry &registry, Sources &sources, Log &log)
      : registry_(registry), sources_(sources), log_(log) {}
  void joined(const TunnelFacts &facts) override;
  void ended(const TunnelFacts &facts, const EndingRecord &record) override;

private:
  ListenerRegistry &registry_;
  Sources &sources_;
  Log &log_;
};

} // namespace culvert
