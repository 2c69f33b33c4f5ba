// A listener's control channel: messages in, offers out.
//
// Belongs to one shard, embedded in its relay part, never moves. It owns its link and the messages
// that wait for it. It is registered before it sends its first byte. It leaves the registry when
// its Close or its end is read, or when the relay drains; then it tells every shard and ends its
// link.
#pragma once

#include "culvert/log.hpp"
#include "link/link.hpp"
#include "plugin/intent.hpp"
#include "role/failure_count.hpp"
#include "role/relay/channel_token.hpp"
#include "role/relay/listener_registry.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace culvert {

class RelayShard;

struct ChannelSeed {
  std::shared_ptr<const RelayParts> parts; // those that its connection began with
  const NamedProtocol *protocol = nullptr; // of them
  RegisteredListener listener;             // its channel is filled in by the shard
  std::string path;                        // as the listener asked for it
  Secret token;
  std::int64_t expires_s = 0; // of the token
  std::string facts;
  std::string loggable_id;
  std::string peer;
  std::string source;
  std::string opening; // the answer to the listener, before framing begins
  FramingOptions framing;
};

class Channel {
public:
  Channel(RelayShard &relay, ChannelSeed seed);
  Channel(const Channel &) = delete;
  Channel &operator=(const Channel &) = delete;

  /// Registers it; a failure says why the entity takes no other listener.
  Status enroll(SlabHandle handle);
  /// Answers the listener. Called once, after enroll().
  void start(std::unique_ptr<Link> link);
  [[nodiscard]] const std::string &entity() const { return listener_.entity; }
  /// For a sender that waits on the shard `from`. False if it cannot be written: the channel is
  /// ending, or its queue is full.
  bool offer(Message message, unsigned from);
  /// Sends the listener the reason, then ends.
  void close(const Status &why);
  /// Leaves the registry; the channel stays open.
  void leave();
  /// The relay's rules have changed: judges its token by the new ones.
  void judge_again() { token_.judge_again(); }
  void drop();

private:
  enum class Phase : std::uint8_t { kOpen, kEnding, kDropping };

  void on_receive(Outcome outcome);
  void take_turn();
  void on_message(const Message &message);
  void answer(Answer answer);
  void close_with(const Status &why, LogLevel level);
  void close_with(Answer answer, LogLevel level, std::string_view reason);
  bool enqueue(Message message);
  void write();
  void on_drain(Outcome outcome);
  void on_finish(Outcome) {}
  void on_ended(Outcome outcome);
  void lost(ChannelEnd end, LogLevel level, std::string_view reason);
  void malformed(const Status &why);
  void on_judged(const Status &status);
  void on_token_over(const Status &why) { close_with(why, LogLevel::kWarn); }
  void check_gone();

  RelayShard &relay_;
  const std::shared_ptr<const RelayParts> parts_;
  RelayProtocol &protocol_; // of them
  std::unique_ptr<Link> link_;
  RegisteredListener listener_;
  const std::string facts_;
  const std::string loggable_id_;
  const std::string peer_;
  const std::string source_; // known while this channel is online
  const std::size_t largest_message_;
  std::string opening_;
  const FramingOptions framing_;
  SlabHandle handle_;
  Phase phase_ = Phase::kOpen;
  std::uint64_t word_ = 0;         // the plugin's state of this channel
  std::vector<bool> offered_from_; // by shard: it has offered here, and hears of the channel's loss

  ChannelToken token_;
  FailureCount renewals_; // and tokens that were not judged

  Message message_; // that is being received
  std::deque<Message> queue_;
  std::size_t queued_bytes_ = 0;

  Completion receive_;
  Completion drain_;
  Completion finish_;
  Completion ending_;
  Completion dropping_;
};

} // namespace culvert
