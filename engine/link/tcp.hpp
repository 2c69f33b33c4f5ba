// The link of a raw socket, TCP or unix: the bottom of every stack, and the end of every tunnel.
//
// Used on its shard only. It owns the socket. A chunk given to send() is kept by reference until
// flush() (facts().gathers), so a turn is sent in one gathering send without a copy; only bytes
// that the kernel does not take are copied, into HeldBytes. Received chunks are views of the
// shard's receive buffer.
//
// Held bytes are sent as soon as the kernel has room. A cancelled drain() pauses that until the
// next drain(), flush(), finish() or ending, so that nothing is in flight and the link can move;
// arrive() resumes it.
//
// A unix socket cannot carry an abort: there abort() does the same as close(), and the peer reads a
// finish.
//
// tcp.cpp moves bytes; tcp_ending.cpp has the ending.
#pragma once

#include "link/cancellable.hpp"
#include "link/held_bytes.hpp"
#include "link/link.hpp"

namespace culvert {

class TcpLink final : public Link {
public:
  /// Takes the connected socket over.
  TcpLink(Shard &shard, Socket socket);
  /// If the link was not ended, the socket is closed without waiting.
  ~TcpLink() override;

  void send(const Chunk &chunk) override;
  void flush() override { push_out(); }
  [[nodiscard]] std::size_t held() const override { return held_.size(); }
  [[nodiscard]] std::uint64_t silent_ms() const override { return shard_->io.silent_ms(socket_); }
  [[nodiscard]] LinkFacts facts() const override;
  [[nodiscard]] Address local_address() const override;
  [[nodiscard]] Address peer_address() const override;
  void end_tunnel_here() override;
  void discard_at_most(std::size_t bytes) override { discards_ = bytes; }
  void leave() override;
  void arrive(Shard &shard) override;

protected:
  void start_receive() override { await(Interest::kReadable); }
  bool take_own(Chunk &chunk, const Take &how) override;
  void start_watch() override;
  void cancel_reading() override;
  void start_drain() override;
  void cancel_drain() override;
  void start_finish(const Ending &ending) override;

  void prepare_end(End end) override;
  [[nodiscard]] bool output_waits() const override;
  void send_output() override;
  [[nodiscard]] bool awaits_peer() const override;
  [[nodiscard]] std::uint64_t peer_wait_ms() const override { return shard_->limits.linger_ms; }
  void arm_ending() override;
  [[nodiscard]] std::size_t queue() const override;
  [[nodiscard]] std::uint64_t next_check_ms() override;
  void release(End end) override;
  [[nodiscard]] bool released() const override { return !readable_.armed() && !writable_.armed(); }
  void on_gone() override;

private:
  /// Whether the peer sees a reset if this process is killed.
  enum class LingerZero : std::uint8_t {
    kNever, // the socket carries a tunnel, or cannot reset
    kOn,    // a tunnel's end
    kOff    // a tunnel's end that has no bytes left that a reset could destroy
  };
  /// The stage of the turn that receive() announced.
  enum class TurnStage : std::uint8_t { kNone, kDue, kReceived };
  /// How the socket ends, after abort(), close() or drop().
  enum class Exit : std::uint8_t {
    kFin,           // a FIN, then what arrives is discarded
    kReset,         // a reset after everything sent has arrived
    kResetBehindFin // the same, but the FIN of a finish was sent already
  };

  void await(Interest interest);
  void arm_readable();
  void run_turn(int result);
  void receive_turn(std::size_t most_bytes);
  void received_error(int error);
  void on_readable(Outcome outcome);
  void on_readable_ending(Outcome outcome);

  void push_out();
  void push_held();
  void hold(std::size_t from_byte);
  void resume_held();
  void held_done();
  void send_failed(int error);
  void forget_parts();
  void send_end();
  void note_ends();
  void on_writable(Outcome outcome);
  [[nodiscard]] bool broke() const;
  [[nodiscard]] bool resets() const;

  Socket socket_;
  bool unix_ = false;
  LingerZero linger_zero_ = LingerZero::kNever;
  Exit exit_ = Exit::kFin;
  std::uint64_t check_ms_ = kAbortProbeMs; // until the next check for unsent bytes
  std::size_t checked_ = 0;                // unsent bytes at the last check
  std::size_t discards_ = SIZE_MAX;        // bytes that the ending may still read

  Cancellable readable_; // of receive(), watch() or the ending
  Interest awaited_ = Interest::kReadable;
  Timer receive_retry_;
  bool receive_later_ = false; // the kernel had no memory: wait before the next poll
  TurnStage turn_ = TurnStage::kNone;
  std::size_t turn_size_ = 0;
  std::size_t turn_taken_ = 0;

  HeldBytes held_;
  Cancellable writable_;
  Timer send_retry_;
  bool paused_ = false;            // by a cancelled drain
  bool error_was_cleared_ = false; // a send cleared the socket's error: a clean end then is a reset
};

} // namespace culvert
