// A sender and a listener, joined: their tunnel, and who they are.
//
// Belongs to one shard, embedded in its relay part.
#pragma once

#include "role/relay/registry.hpp"
#include "tunnel/tunnel.hpp"

#include <string>

namespace culvert {

class RelayShard;

struct JoinedNames {
  std::string entity;
  std::string sender_id; // loggable
  std::string listener_id;
  ChannelRef channel; // whose listener this is
};

class Joined {
public:
  Joined(RelayShard &relay, JoinedNames names, std::unique_ptr<Link> sender,
         std::unique_ptr<Link> listener);

  void start(SlabHandle handle);
  void drop(Status why) { tunnel_.drop(std::move(why)); }

private:
  void on_ended(Tunnel &tunnel);
  void log(const EndingRecord &record);

  RelayShard &relay_;
  const JoinedNames names_;
  SlabHandle handle_;
  Tunnel tunnel_;
};

} // namespace culvert
