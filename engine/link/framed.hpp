// The common part of all links that add frames to a byte link: passing calls down, sending its own
// control frames (ping, pong, Close), liveness, and the order of endings.
//
// Used on its shard only. It owns the link below and is its only user. Its own frames are sent from
// callbacks of the loop, never inside a call of the caller, so never in the middle of a turn.
#pragma once

#include "link/layered.hpp"

#include <algorithm>
#include <memory>
#include <string>

namespace culvert {

struct PingOptions {
  std::uint32_t interval_ms = 0; // 0: we send no pings
  /// On a control channel a pong, or any other byte, must arrive within pong_ms while the link is
  /// read; otherwise the link is aborted. A tunnel cannot use this rule: a slow reader may leave
  /// the ping unread for hours. There a ping only keeps the path open, and the peer's kernel must
  /// acknowledge within kSilentPeerMs.
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
  /// True if frames of its own wait to be sent.
  [[nodiscard]] virtual bool own_frame_due() const = 0;
  /// Gives all of them to the link below, whose held() must be 0.
  virtual void send_own_frames() = 0;
  virtual void queue_ping() = 0;
  /// The link below ended before the framing had ended.
  virtual void on_end_below(const Ending &ending) = 0;
  /// Completes finishing_ once its end has been sent.
  virtual void settle_finish() {}
  /// Called by prepare_end() with the same end.
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
  void send_output() final { send_due_frames(); }

  /// Takes a piece of the turn of the link below; false when that turn is over.
  bool take_below(Chunk &piece, const Take &how);
  /// Sends the frames of its own that wait, before anything else is sent.
  void send_due_frames();
  /// Call it when own_frame_due() has become true, or when the link is no longer paused for a move.
  void wake_for_own_frames() {
    paused_ = false;
    wake();
  }
  void stop_pings() { ping_timer_.disarm(); }
  [[nodiscard]] std::uint64_t pong_ms() const {
    return std::min<std::uint64_t>(shard_->limits.pong_ms, pings_.interval_ms);
  }
  /// Sends one frame. The header is written into the payload's headroom. If the link below keeps
  /// references, the header is sent in front of the payload as a separate piece.
  void send_frame_below(std::span<const std::byte> header, const Chunk &payload);

private:
  using HeaderSlot = std::array<std::byte, kHeadroom>;
  /// What the ping timer waits for.
  enum class Beat : std::uint8_t { kPing, kPong };

  void on_ping_timer();
  void give_up(std::string why);

  const bool gathers_; // the link below keeps references until flush()
  std::unique_ptr<std::array<HeaderSlot, kGatherParts>> slots_; // for headers, if it does
  std::size_t slots_used_ = 0;                                  // since the last flush

  const PingOptions pings_;
  Timer ping_timer_;
  Beat beat_ = Beat::kPing;
  bool alive_ = true;         // bytes arrived, or the receive was armed, since the last ping
  bool cancel_asked_ = false; // of the receive, by the caller
  std::string given_up_;      // why the peer is declared dead; the receive below is being cancelled

  bool paused_ = false; // by a cancelled drain, like the held bytes: the link can then move
};

} // namespace culvert
