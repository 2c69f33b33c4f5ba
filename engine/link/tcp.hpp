// The link of a raw socket, TCP or unix: the bottom of every stack, and the end of every tunnel.
//
// Used on its shard only. It owns the socket. A chunk given to send() is kept by reference until
// flush() (facts().gathers), so a turn leaves in one gathering send without a copy of ours; only
// what the kernel refuses is copied, into HeldBytes. Chunks it hands out are views of the shard's
// receive buffer.
//
// What is held flows on by itself. A cancelled drain() stops it until the next drain(), flush(),
// finish() or ending, so that nothing is in flight and the link can move; arrive() lets it flow.
//
// A unix socket cannot carry an abort: there abort() is a close(), and reads as a finish.
//
// tcp.cpp moves bytes, tcp_ending.cpp answers what the ending asks.
#pragma once

#include "link/cancellable.hpp"
#include "link/held_bytes.hpp"
#include "link/link.hpp"

namespace culvert {

class TcpLink final : public Link {
public:
  /// Takes the connected socket over.
  TcpLink(Shard &shard, Socket socket);
  /// An unended link closes its socket as it is.
  ~TcpLink() override;

  void send(const Chunk &chunk) override;
  void flush() override { push_out(); }
  [[nodiscard]] std::size_t held() const override { return held_.size(); }
  [[nodiscard]] std::uint64_t silent_ms() const override { return shard_->io.silent_ms(socket_); }
  [[nodiscard]] LinkFacts facts() const override;
  [[nodiscard]] Address local_address() const override;
  [[nodiscard]] Address peer_address() const override;
  void end_tunnel_here() override;
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
  [[nodiscard]] bool word_waits() const override;
  void say_word() override;
  [[nodiscard]] bool awaits_peer() const override;
  [[nodiscard]] std::uint64_t patience_ms() const override { return shard_->limits.linger_ms; }
  void arm_ending() override;
  [[nodiscard]] std::size_t queue() const override;
  [[nodiscard]] std::uint64_t next_look_ms() override;
  void release(End end) override;
  [[nodiscard]] bool released() const override { return !readable_.armed() && !writable_.armed(); }
  void on_gone() override;

private:
  /// Whether a killed process reads as a reset here.
  enum class LingerZero : std::uint8_t {
    kNever, // the socket carries a tunnel, or cannot reset
    kOn,    // a tunnel's end
    kOff    // a tunnel's end where nothing is left that a reset could truncate
  };
  /// Where the turn stands that receive() announced.
  enum class TurnStage : std::uint8_t { kNone, kDue, kReceived };
  /// How the socket ends, once its end was asked for.
  enum class Exit : std::uint8_t {
    kFin,           // a FIN, then what arrives is discarded
    kReset,         // a reset behind all that was sent
    kResetBehindFin // the same, but the FIN of a finish has left already
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
  void let_flow();
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
  std::uint64_t look_ms_ = kAbortProbeMs; // until the next look at unsent bytes
  std::size_t looked_at_ = 0;             // how many there were at the last

  Cancellable readable_; // of receive(), watch(), or the ending's own
  Interest awaited_ = Interest::kReadable;
  Timer receive_retry_;
  bool receive_later_ = false; // the kernel had no memory: wait before the next poll
  TurnStage turn_ = TurnStage::kNone;
  std::size_t turn_size_ = 0;
  std::size_t turn_taken_ = 0;

  HeldBytes held_;
  Cancellable writable_;
  Timer send_retry_;
  bool paused_ = false;         // by a cancelled drain
  bool end_is_suspect_ = false; // a send consumed the socket's error: its end will look clean
};

} // namespace culvert
