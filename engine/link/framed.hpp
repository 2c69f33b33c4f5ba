// What a link that frames a byte link has in common, whatever its frames are: the plumbing down to
// the link below, words of its own (pings, pongs, a Close), liveness, and the order of endings.
//
// Used on its shard only. It owns the link below and is its only user. Words of its own leave from
// callbacks of the loop, never inside a call of the caller, so never in the middle of a turn.
#pragma once

#include "link/layered.hpp"

#include <algorithm>
#include <memory>
#include <string>

namespace culvert {

struct PingOptions {
  std::uint32_t interval_ms = 0; // 0: no pings of ours
  /// A pong, or anything else, must come within pong_ms while the link is read; else it is aborted.
  /// For a control channel, which its peer always reads. In a tunnel a ping may stand behind bytes
  /// that a slow reader leaves unread for hours: there a ping keeps the path open, and it is the
  /// peer's kernel that must answer, within kSilentPeerMs.
  bool awaits_pong = false;
};

class FramedLink : public LayeredLink {
public:
  void flush() final;
  void leave() override;
  void arrive(Shard &shard) override;

protected:
  FramedLink(Shard &shard, std::unique_ptr<Link> below, const PingOptions &pings);

  // --- of the framing ---------------------------------------------------------------------------
  /// Words of its own wait to be sent.
  [[nodiscard]] virtual bool word_due() const = 0;
  /// Gives all of them to the link below, whose held() is 0.
  virtual void send_words() = 0;
  virtual void queue_ping() = 0;
  /// The link below ended, and the framing had not.
  virtual void on_end_below(const Ending &ending) = 0;
  /// Completes finishing_ once its word has left.
  virtual void settle_finish() {}
  /// As prepare_end().
  virtual void queue_end(End) {}

  // --- for the framing --------------------------------------------------------------------------
  void start_receive() final;
  void start_drain() final;
  void cancel_reading() final;
  void cancel_drain() final;
  void on_below_receive(Outcome outcome) final;
  void on_below_drain(Outcome outcome) final;
  void work() final;
  void prepare_end(End end) final;
  void say_word() final { say_owed(); }
  void arm_ending() final;

  /// A piece of the turn of the link below; false when that turn is over.
  bool take_below(Chunk &piece, const Take &how);
  /// What is owed leaves in front of what is sent next.
  void say_owed();
  /// word_due() has become true, or nothing stands still any more.
  void wake_words() {
    paused_ = false;
    wake();
  }
  void stop_pings() { ping_timer_.disarm(); }
  [[nodiscard]] std::uint64_t pong_ms() const {
    return std::min<std::uint64_t>(shard_->limits.pong_ms, pings_.interval_ms);
  }
  /// One frame: the header goes into the payload's headroom where the link below takes bytes at
  /// once, else in front of it as a piece of its own.
  void send_frame_below(std::span<const std::byte> header, const Chunk &payload);

private:
  using HeaderSlot = std::array<std::byte, kHeadroom>;
  /// What the ping timer runs for.
  enum class Beat : std::uint8_t { kPing, kPong };

  void on_ping_timer();
  void give_up(std::string why);

  const bool gathers_; // the link below keeps references until flush()
  std::unique_ptr<std::array<HeaderSlot, kGatherParts>> slots_; // for headers, where it does
  std::size_t slots_used_ = 0;                                  // since the last flush

  const PingOptions pings_;
  Timer ping_timer_;
  Beat beat_ = Beat::kPing;
  bool alive_ = true;         // bytes came, or the receive was armed, since the last ping
  bool cancel_asked_ = false; // of the receive, by the caller
  std::string given_up_;      // why; the receive below is being cancelled for this

  bool paused_ = false; // by a cancelled drain, as the socket's own queue is: it may move
};

} // namespace culvert
