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
// tcp.cpp moves bytes, tcp_ending.cpp ends the link.
#pragma once

#include "link/held_bytes.hpp"
#include "link/joint.hpp"
#include "link/link.hpp"

namespace culvert {

class TcpLink final : public Link {
public:
  /// Takes the connected socket over.
  TcpLink(Shard &shard, Socket socket);
  /// An unended link closes its socket as it is.
  ~TcpLink() override;

  void watch(Completion &completion) override;
  void send(const Chunk &chunk) override;
  void flush() override { push_out(); }
  [[nodiscard]] std::size_t held() const override { return held_.size(); }
  [[nodiscard]] std::uint64_t silent_ms() const override { return shard_->io.silent_ms(socket_); }
  void drain(Completion &completion) override;
  void finish(const Ending &ending, Completion &completion) override;
  void abort(Completion &completion) override;
  void close(Completion &completion) override;
  void drop(Completion &completion) override;
  void cancel(Completion &completion) override;
  [[nodiscard]] LinkFacts facts() const override;
  void end_tunnel_here() override;
  void leave() override;
  void arrive(Shard &shard) override;

protected:
  void start_receive() override;
  bool take_own(Chunk &chunk, const Take &how) override;

private:
  enum class Phase : std::uint8_t {
    kOpen,
    kAborting, // what is held and unsent goes out, then a reset
    kClosing,  // the same, then a FIN; what arrives is discarded
    kLeaving,  // the outcome is known: cancel, join, close
    kClosed
  };

  void await(Interest interest);
  void run_turn(int result);
  void receive_turn(std::size_t most_bytes);
  void received_error(int error);
  void on_readable(Outcome outcome);
  void on_receive_retry();

  void push_out();
  void push_held();
  void hold(std::size_t from_byte);
  void let_flow();
  void held_done();
  void send_failed(int error);
  void send_end();
  void note_ends();
  void on_writable(Outcome outcome);
  void on_send_retry();

  void begin_ending(Completion *&slot, Completion &completion, Phase phase);
  void on_step(Outcome outcome);
  void on_probe();
  void arm_probe();
  void advance();
  void advance_abort();
  void advance_close();
  void leave_socket(int outcome, bool reset);
  void try_close();
  void cancel_waiting();
  void cancel_readable();
  void ending_readable(Outcome outcome);
  [[nodiscard]] std::size_t unsent() const;

  Socket socket_;
  bool unix_ = false;
  bool tunnel_end_ = false;
  bool linger_zero_ = false;

  Joint readable_; // of receive(), watch(), or the ending's own
  Interest awaited_ = Interest::kReadable;
  Timer receive_retry_;
  bool receive_later_ = false; // the kernel had no memory: wait before the next poll
  std::size_t turn_size_ = 0;
  std::size_t turn_taken_ = 0;
  bool turn_open_ = false; // inside the callback of receive()
  bool turn_received_ = false;

  std::array<std::span<const std::byte>, kGatherParts> parts_;
  std::size_t part_count_ = 0;
  HeldBytes held_;
  Joint writable_;
  Timer send_retry_;
  bool paused_ = false; // by a cancelled drain
  bool end_wanted_ = false;
  bool end_sent_ = false;
  bool end_is_suspect_ = false; // a send consumed the socket's error: its end will look clean

  Phase phase_ = Phase::kOpen;
  Completion step_; // an ending's first look, outside the caller's call
  Timer probe_;
  std::uint64_t linger_ns_ = 0;
  std::uint64_t progress_ns_ = 0; // when the queue last grew shorter
  std::uint64_t busy_ns_ = 0;     // when it was last seen filled
  std::size_t queue_ = 0;         // held and unsent at that time
  int outcome_ = 0;
  bool reset_ = false;

  Completion *watching_ = nullptr;
  Completion *draining_ = nullptr;
  Completion *finishing_ = nullptr;
  Completion *ending_ = nullptr; // abort or close
  Completion *dropping_ = nullptr;
};

} // namespace culvert
