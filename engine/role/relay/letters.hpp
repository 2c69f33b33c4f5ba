// What the shards of one relay write to each other.
//
// A letter is made on its home shard, which owns it; it is lent to another (or to the same) shard,
// acts there, is always sent back, and acts at home once more before it dies. So a shard knows that
// nothing of its own is under way when no letter is out.
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

/// A control channel is gone: a shard that offered to it offers elsewhere.
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

/// A connection on its way into a shard: just accepted, or moved between "head read" and "answer
/// sent" with nothing in the kernel.
struct Guest {
  std::unique_ptr<Link> link;
  std::shared_ptr<const RelayPolicy> policy; // it began with
  std::string protocol;                      // the plugin's id; empty: not known yet
  Intent intent;
  RequestHead request; // of HeadForm::kHttp
  std::string peer;    // as logs name it
  Origin origin;
  Seat seat = Seat::kNone;
  bool moved = false;
};

/// A listener's connection goes on at the shard its capability names.
class MoveLetter final : public Letter {
public:
  void deliver(RelayShard &there) override;
  void returned(RelayShard &home) override;

  Guest guest; // empty once it was taken in
  SlabHandle connection;

private:
  Status refusal_;
};

} // namespace culvert
