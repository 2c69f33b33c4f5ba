// What a link that frames a byte link has in common, whatever its frames are: the plumbing down to
// the link below, words of its own (pings, pongs, a Close), liveness, and the order of endings.
//
// Used on its shard only. It owns the link below and is its only user. Words of its own leave from
// callbacks of the loop, never inside a call of the caller, so never in the middle of a turn.
#pragma once

#include "link/link.hpp"

#include <algorithm>
#include <memory>

namespace culvert {

struct PingOptions {
  std::uint32_t interval_ms = 0; // 0: no pings of ours
  /// A pong, or anything else, must come within kPongMs while the link is read; else it is aborted.
  /// For a control channel, which its peer always reads. In a tunnel a ping may stand behind bytes
  /// that a slow reader leaves unread for hours: there a ping keeps the path open, and it is the
  /// peer's kernel that must answer, within kSilentPeerMs.
  bool awaits_pong = false;
};

class FramedLink : public Link {
public:
  void watch(Completion &completion) final;
  void flush() final;
  [[nodiscard]] std::size_t held() const final { return below_->held(); }
  void drain(Completion &completion) final;
  void abort(Completion &completion) final { begin_end(End::kAbort, completion); }
  void close(Completion &completion) final { begin_end(End::kClose, completion); }
  void drop(Completion &completion) final;
  void cancel(Completion &completion) final;
  void leave() override;
  void arrive(Shard &shard) override;

protected:
  enum class End : std::uint8_t { kNone, kAbort, kClose };
  /// What an ending waits for before the link below can end.
  enum class Wait : std::uint8_t {
    kNothing,
    kWord, // our last word has to leave
    kPeer  // the peer has to end
  };

  FramedLink(Shard &shard, std::unique_ptr<Link> below, const PingOptions &pings);

  // --- of the framing ---------------------------------------------------------------------------
  /// Words of its own wait to be sent.
  [[nodiscard]] virtual bool word_due() const = 0;
  /// Gives all of them to the link below, whose held() is 0.
  virtual void send_words() = 0;
  virtual void queue_ping() = 0;
  /// close() was called and nothing was finished yet.
  virtual void finish_unasked() = 0;
  /// abort() was called: a finish that waits behind held bytes is not said.
  virtual void take_back_finish() = 0;
  [[nodiscard]] virtual Wait wait_for(End end) const = 0;
  /// kPeer lasts so long at the most.
  [[nodiscard]] virtual std::uint64_t patience_ms() const = 0;

  // --- for the framing --------------------------------------------------------------------------
  void start_receive() final;
  /// A piece of the turn of the link below; false when that turn is over.
  bool take_below(Chunk &piece, const Take &how);
  /// The link below ended, and the framing had not.
  virtual void on_end_below(const Ending &ending) = 0;
  /// word_due() has become true, or nothing stands still any more.
  void wake() {
    paused_ = false;
    shard_->io.arm_after_ms(word_timer_, 0);
  }
  void stop_pings() { ping_timer_.disarm(); }
  [[nodiscard]] std::uint32_t pong_ms() const { return std::min(kPongMs, pings_.interval_ms); }
  /// The direction broke below, or every accepted byte has left.
  [[nodiscard]] bool clear() const { return below_->broken() || below_->held() == 0; }
  void note_broken();
  /// One frame: the header goes into the payload's headroom where the link below takes bytes at
  /// once, else in front of it as a piece of its own.
  void send_frame_below(std::span<const std::byte> header, const Chunk &payload);
  /// From a callback of the loop: sends, completes and ends what can be.
  void work();
  virtual void settle_finish() = 0;

  std::unique_ptr<Link> below_;
  const bool gathers_; // the link below keeps references until flush()
  Completion *finishing_ = nullptr;
  End end_ = End::kNone;
  bool ending_below_ = false; // the link below ends, or has

private:
  using HeaderSlot = std::array<std::byte, kHeadroom>;

  void begin_end(End end, Completion &completion);
  void advance_end();
  void cancel_armed();
  void on_below_receive(Outcome outcome);
  void on_below_watch(Outcome outcome);
  void on_below_drain(Outcome outcome);
  void on_below_end(Outcome outcome);
  void on_below_drop(Outcome outcome);
  void on_word_timer() { work(); }
  void on_ping_timer();
  void give_up(std::string why);
  void on_end_timer();

  Completion below_receive_;
  Completion below_watch_;
  Completion below_drain_;
  Completion below_end_;
  Completion below_drop_;
  Completion *watching_ = nullptr;
  Completion *draining_ = nullptr;
  Completion *ending_ = nullptr;
  Completion *dropping_ = nullptr;
  Timer word_timer_;
  std::unique_ptr<std::array<HeaderSlot, kGatherParts>> slots_; // where the link below gathers
  std::size_t next_slot_ = 0;

  const PingOptions pings_;
  Timer ping_timer_;                // of the next ping, or of the pong to the last
  bool alive_ = true;               // bytes came, or the receive was armed, since the last ping
  bool pong_due_ = false;           // the timer runs for an awaited pong
  bool cancel_asked_ = false;       // of the receive, by the caller
  std::string given_up_;            // why; the receive below is being cancelled for this
  bool turn_without_below_ = false; // this turn has nothing but the end that follows from it

  bool paused_ = false; // by a cancelled drain, as the socket's own queue is: it may move

  Wait waiting_ = Wait::kNothing;
  Timer end_timer_;
  std::size_t end_held_ = 0; // when the timer was armed, to see progress
  bool patience_over_ = false;
  bool timed_out_ = false;
};

} // namespace culvert
