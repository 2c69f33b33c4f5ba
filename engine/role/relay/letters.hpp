// The letters that the shards of one relay send to each other.
//
// A letter belongs to its home shard. It is sent to another shard (or to the same one), acts there,
// always comes back, and acts once more at home. When no letter is out, nothing of this shard is in
// flight elsewhere.
#pragma once

#include "io/io.hpp"
#include "link/http.hpp"
#include "link/link.hpp"
#include "plugin/intent.hpp"
#include "role/relay/listener_registry.hpp"
#include "role/relay/policy.hpp"
#include "role/relay/sources.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace culvert {

class RelayShard;

class Letter : public Mail {
public:
  virtual ~Letter() = default;
  /// On the shard it was sent to.
  virtual void deliver(RelayShard &there) = 0;
  /// At home again.
  virtual void returned(RelayShard &home) = 0;

private:
  friend class RelayShard;
  RelayShard *home_ = nullptr;
};

/// A parked sender is offered to a listener.
class OfferLetter final : public Letter {
public:
  void deliver(RelayShard &there) override;
  void returned(RelayShard &home) override;

  ChannelRef channel;
  Message message;
  SlabHandle pending;
  unsigned from = 0; // the shard where it waits

private:
  bool written_ = false;
};

/// A control channel is gone: its offers are made again to other listeners.
class LostLetter final : public Letter {
public:
  LostLetter(const ChannelRef &channel, ChannelEnd end) : channel_(channel), end_(end) {}
  void deliver(RelayShard &there) override;
  void returned(RelayShard &) override {}

private:
  ChannelRef channel_;
  ChannelEnd end_;
};

/// A newer registration took this channel's place.
class ReplacedLetter final : public Letter {
public:
  explicit ReplacedLetter(const ChannelRef &channel) : channel_(channel) {}
  void deliver(RelayShard &there) override;
  void returned(RelayShard &) override {}

private:
  ChannelRef channel_;
};

/// A connection that enters a shard: just accepted, or moved after its head was read and before it
/// is answered, with nothing in flight.
struct Guest {
  std::unique_ptr<Link> link;
  std::shared_ptr<const RelayPolicy> policy; // the one that it began with
  std::string protocol;                      // the plugin's id; empty: not known yet
  Intent intent;
  RequestHead request; // of HeadForm::kHttp
  std::string peer;    // as logs name it
  Origin origin;
  Seat seat = Seat::kNone;
  bool moved = false;
};

/// Moves a listener's connection to the shard that its capability names.
class MoveLetter final : public Letter {
public:
  void deliver(RelayShard &there) override;
  void returned(RelayShard &home) override;

  Guest guest; // empty after the other shard has taken it in
  SlabHandle connection;

private:
  Status refusal_;
};

} // namespace culvert
