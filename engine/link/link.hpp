// The contract of every link: a duplex sequence of chunks, each direction of which ends once.
//
// A link belongs to one shard and is used only there; it never moves in memory. It owns the links
// below it and is their only user. The completions passed to its operations belong to the caller
// and must not move until they have run; none runs inside a call of the caller. One suite
// (tests/unit/link) runs on every link.
//
// Receiving. receive() may be armed once at a time. It completes when a turn can begin. Inside that
// callback, and only there, the caller takes the chunks of the turn with take() until it returns
// false. The caller may also decline the turn by taking nothing: no byte is lost, and the next
// receive() completes again. A turn can have no chunk at all (half a record, half a frame header,
// only an end). All take() calls of a turn pass the same Take. A chunk is valid until the next
// take(); with Take::keep until the sink's flush() or the end of the callback, whichever is later.
// When the direction has ended, received_end() says how, but only after every byte in front of the
// end was taken. A receive() after that completes with an empty turn.
//
// Sending. Within a turn, send() encodes chunk after chunk and flush() gives all of them to the
// kernel in one send. If a turn needs more than its buffer, send() already sends what is in it.
// Bytes that the kernel does not take are copied and held (HeldBudget). The caller begins no turn
// while held() is not 0: it waits with drain(). A frame that a link owes its peer (a pong) is sent
// before anything that is sent later. When the sending direction breaks, broken() has the reason,
// held bytes are discarded, and send(), flush() and finish() do nothing any more.
//
// Ending. finish() ends the sending direction after everything accepted. It needs no drain() before
// it, and it may cut a message. abort() and close() end the whole link after everything accepted;
// drop() ends it at once. Each of these three first completes all armed operations with -ECANCELED
// (or their real outcome), and its own completion is the last one: after it nothing is in flight
// and the link may be destroyed. If abort() comes while a finish still waits for held bytes, the
// finish is taken back (-ECANCELED; not on a socket that can only send a FIN) and the direction
// ends as aborted. At most one of abort() and close() is called. drop() may follow it; the first
// then completes with -ECANCELED before drop() completes. A link drops an ending by itself when it
// makes no progress for abort_stall_ms (outcome -ETIMEDOUT).
//
//                 raw TCP that ends a tunnel          TCP, TLS, WebSocket that carry one
//   finish()      FIN                                 FIN; close_notify; Close
//   abort()       RST, once all sent bytes arrived    FIN without close_notify and without Close
//                                                     (except after a WebSocket's own error Close),
//                                                     then the same as close() after its finish()
//   close()       finish() if it was not called, then read and discard until the peer ends, at most
//                 linger_ms after the peer's kernel has acknowledged the last byte, then close
//   drop()        at once, linger 0
//
// In a stack, close() goes from the top down: the WebSocket exchanges Close, then the TLS link
// closes, then the socket. A WebSocket waits for the peer's Close and a socket for the peer's FIN,
// each for at most linger_ms; TLS waits for nothing. abort() goes down at once: only the socket
// waits, and a WebSocket after an error Close of its own. So close() towards
// a silent peer lasts linger_ms on a socket and on TLS, and twice as long on a WebSocket (after an
// error Close: error_close_ms and linger_ms).
//
// All links share one state machine for their ending: link_ending.cpp has its diagram and every
// transition. The machine asks each link a few questions (output_waits() and the functions after
// it).
//
// A Status of a link says what happened. Its source is a guess (the relay, for faults found by TLS
// and framing); code that knows the peer replaces it: a tunnel in its record, a role in its
// reports.
#pragma once

#include "io/completion.hpp"
#include "io/shard.hpp"
#include "link/chunk.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace culvert {

/// How the caller of take() wants a turn.
struct Take {
  std::size_t turn_bytes = kTurnBytes;    // the most to receive from the kernel in this turn
  std::size_t chunk_bytes = kRecordBytes; // the largest chunk to hand out
  bool keep = false; // chunks stay valid until the turn ends; they then come without headroom
};

struct LinkFacts {
  bool raw_socket = false;   // only a socket: chunks have no boundaries, splice is possible
  bool carries_ends = false; // the peer sees the code of an end and notices a message that is cut
  bool gathers = false;      // send() keeps references until flush(): the source must Take::keep
  std::size_t largest_first_frame = kTurnBytes; // the most payload of a message's first frame
};

class Link {
public:
  explicit Link(Shard &shard);
  Link(const Link &) = delete;
  Link &operator=(const Link &) = delete;
  /// Nothing of the link may be in flight.
  virtual ~Link() = default;

  // --- receiving ------------------------------------------------------------------------------
  /// Outcome 0: a turn is ready (it may have only an end); -ECANCELED: cancelled.
  void receive(Completion &completion);
  /// The next chunk of this turn; false when the turn is over.
  bool take(Chunk &chunk, const Take &how);
  /// Gives back bytes that were taken but not used. They are copied, and delivered again first,
  /// before a received end. Call it only after take() has returned false; kept chunks are invalid
  /// after it. For byte streams only.
  void unread(std::span<const std::byte> tail);
  /// How the direction ended, or nullptr.
  [[nodiscard]] const Ending *received_end() const {
    return received_end_ && !has_unread() ? &*received_end_ : nullptr;
  }
  /// Completes with 0 when the other side has ended or broken, without reading a byte. If its end
  /// was read already, only a break completes it. For a link that is not being read; never at the
  /// same time as receive(). A raw socket notices an end even behind unread bytes. A Close or
  /// close_notify is itself unread bytes, so on WebSocket and TLS only the end of the socket below
  /// is noticed.
  void watch(Completion &completion);

  // --- sending --------------------------------------------------------------------------------
  /// Encodes one chunk of a turn. A chunk may be empty only if it ends a message.
  virtual void send(const Chunk &chunk) = 0;
  /// Ends the turn: one send.
  virtual void flush() = 0;
  /// Bytes accepted and not yet taken by the kernel.
  [[nodiscard]] virtual std::size_t held() const = 0;
  /// As Io::silent_ms() of the socket below.
  [[nodiscard]] virtual std::uint64_t silent_ms() const { return 0; }
  /// Completes with 0 when held() is 0 or the direction broke; -ECANCELED: cancelled.
  void drain(Completion &completion);
  /// Why the sending direction broke, if it did.
  [[nodiscard]] const std::optional<Status> &broken() const { return broken_; }

  // --- ending ---------------------------------------------------------------------------------
  /// Completes with 0 when the kernel has the end or the direction broke. The ending must be a
  /// finish. A WebSocket that has received a Close answers with that Close's own code; a finish
  /// without a code (a FIN, a close_notify) becomes its Close 1000.
  void finish(const Ending &ending, Completion &completion);
  void abort(Completion &completion) { begin_ending(End::kAbort, completion); }
  void close(Completion &completion) { begin_ending(End::kClose, completion); }
  void drop(Completion &completion);

  // --- the rest -------------------------------------------------------------------------------
  /// Makes a receive, a watch, a drain or a handshake complete soon with -ECANCELED (or its real
  /// outcome). Does nothing if it is about to complete already.
  void cancel(Completion &completion);
  [[nodiscard]] virtual LinkFacts facts() const = 0;
  /// The addresses of the socket below, as the kernel reports them; empty if it has none or is
  /// closed.
  [[nodiscard]] virtual Address local_address() const { return {}; }
  [[nodiscard]] virtual Address peer_address() const { return {}; }
  /// Call it for the app's or the target's own socket, not for one that carries a tunnel. It sets
  /// linger 0, so that the app or target sees a reset if this process is killed. Does nothing on
  /// other links.
  virtual void end_tunnel_here() {}
  /// Call it before close() or abort(), for a peer that is not trusted: the ending discards at most
  /// so many bytes. What the peer sends after that stays with the kernel, until linger_ms has
  /// passed. Links pass it down to the socket.
  virtual void discard_at_most(std::size_t) {}
  /// After both directions finished: returns the link below, with the bytes that were read too far
  /// given back to it. nullptr if there is none. This link may then only be destroyed.
  virtual std::unique_ptr<Link> peel() { return nullptr; }
  /// Moves the link to another shard while nothing is in flight: leave() on the old shard's thread,
  /// then arrive() on the new one's. Held, unread and pending bytes move with it. Links pass both
  /// calls down. If held() is not 0, call leave() only inside the completion of a cancelled
  /// drain(): that cancel pauses held bytes and the link's own frames until arrive().
  virtual void leave();
  virtual void arrive(Shard &shard);

protected:
  /// How the owner has asked the link to end.
  enum class End : std::uint8_t { kNone, kAbort, kClose, kDrop, kPeel };
  /// The state of the link; link_ending.cpp has the diagram.
  enum class State : std::uint8_t {
    kOpen,
    kSendingEnd,   // accepted bytes, and the link's own end, are still to be sent
    kAwaitingPeer, // everything is sent; what arrives is discarded until the peer's end
    kEndingBelow,  // the link or socket below ends in the same way
    kLeaving,      // the link or socket below is dropped
    kGone,         // nothing is in flight
    kPeeled        // the link below has another owner
  };
  /// The sending direction. Its end (FIN, close_notify or Close) is first due, then sent.
  enum class Sending : std::uint8_t { kOpen, kEndDue, kEnded };

  // --- implemented by each link: the operations of the contract ---------------------------------
  virtual void start_receive() = 0;
  virtual bool take_own(Chunk &chunk, const Take &how) = 0;
  virtual void start_watch() = 0;
  /// Cancels receiving_ or watching_, which completes when nothing of it is in flight.
  virtual void cancel_reading() = 0;
  /// Makes draining_ complete later; if held() is 0, the caller completes it.
  virtual void start_drain() = 0;
  virtual void cancel_drain() = 0;
  virtual void start_finish(const Ending &ending) = 0;
  virtual void cancel_own(Completion &) {}

  // --- implemented by each link: the questions of the ending ------------------------------------
  /// After abort() or close(): queues the end, or takes a queued finish back. After drop(), or when
  /// the ending stalled (kDrop): nothing is sent any more.
  virtual void prepare_end(End end) = 0;
  /// True while accepted bytes or the link's own end have not been sent.
  [[nodiscard]] virtual bool output_waits() const = 0;
  /// Sends what waits, as far as there is room.
  virtual void send_output() = 0;
  /// Everything is sent: true if the link must still wait for the peer's end.
  [[nodiscard]] virtual bool awaits_peer() const = 0;
  /// How long to wait for the peer's end after the queue became empty.
  [[nodiscard]] virtual std::uint64_t peer_wait_ms() const = 0;
  /// Arms the operations that continue the ending: a drain, and a receive of bytes to discard. It
  /// is called repeatedly and must not arm twice.
  virtual void arm_ending() = 0;
  /// Bytes that have not reached the peer, as far as the link knows. The ending makes progress when
  /// this number gets smaller.
  [[nodiscard]] virtual std::size_t queue() const { return held(); }
  /// When to check queue() again if no event reports a change.
  [[nodiscard]] virtual std::uint64_t next_check_ms() { return UINT64_MAX; }
  /// Ends the link or socket below; kDrop may follow another end.
  virtual void release(End end) = 0;
  /// True if nothing of the link or socket below is in flight.
  [[nodiscard]] virtual bool released() const = 0;
  /// Frees what is left. Nothing is in flight.
  virtual void on_gone() {}
  /// Runs in a round of the loop after wake(): continues work that is due, and the ending
  /// (advance()).
  virtual void work() { advance(); }

  // --- for links --------------------------------------------------------------------------------
  /// Call it from a callback of the loop: continues the ending as far as possible. It may destroy
  /// `this`.
  void advance();
  void wake() { shard_->io.arm_after_ms(wake_, 0); }
  void sleep() { wake_.disarm(); }
  [[nodiscard]] bool open() const { return state_ == State::kOpen; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] End end_asked() const { return end_; }
  /// Called by peel().
  void become_peeled();
  /// The value of queue() at the last check.
  [[nodiscard]] std::size_t queue_seen() const { return queue_; }
  /// What abort() and close() complete with.
  void set_outcome(int outcome) { outcome_ = outcome; }
  /// A slot points to the caller's completion while that is armed; begin() fills it.
  static void begin(Completion *&slot, Completion &completion);
  /// Call it from a callback of the loop: empties the slot and runs the completion, which may
  /// destroy `this`.
  static void complete_now(Completion *&slot, int result);
  /// Call it inside a call of the caller: does the same in the shard's next round, in the order of
  /// these calls. An empty slot is ignored.
  void complete_later(Completion *&slot, int result);
  [[nodiscard]] bool has_unread() const { return unread_taken_ < unread_.size(); }

  Shard *shard_;
  Completion *receiving_ = nullptr; // the caller's, while armed; the same for the next three
  Completion *watching_ = nullptr;
  Completion *draining_ = nullptr;
  Completion *finishing_ = nullptr;
  std::optional<Ending> received_end_;
  std::optional<Status> broken_;
  Sending sending_ = Sending::kOpen;

private:
  struct Due {
    Completion *completion = nullptr;
    int result = 0;
  };
  /// The source of take() in this turn.
  enum class Turn : std::uint8_t { kOwn, kUnread, kNothing };
  /// One of each at a time: receive or watch, drain, finish, handshake, abort or close, drop.
  static constexpr std::size_t kMostDue = 6;
  void on_tick(Outcome outcome);

  void begin_ending(End end, Completion &completion);
  [[nodiscard]] State next_state() const;
  void enter(State next);
  void cancel_waiting();
  void note_queue();
  [[nodiscard]] bool stalled() const;
  [[nodiscard]] bool peer_wait_over() const;
  void arm_ending_timer();
  void on_wake();
  void complete_end();

  std::array<Due, kMostDue> due_;
  std::size_t due_count_ = 0;
  Completion tick_;
  std::vector<std::byte> unread_; // kHeadroom bytes, then the bytes that were given back
  std::size_t unread_taken_ = 0;
  std::size_t unread_turn_bytes_ = 0;
  Turn turn_ = Turn::kOwn;

  State state_ = State::kOpen;
  End end_ = End::kNone;
  int outcome_ = 0;
  Completion *ending_ = nullptr; // abort or close
  Completion *dropping_ = nullptr;
  Timer wake_;
  Timer ending_timer_;
  std::size_t queue_ = 0;         // at the last check
  std::uint64_t progress_ns_ = 0; // the last check that found fewer bytes
  std::uint64_t busy_ns_ = 0;     // the last check that found any
};

} // namespace culvert
