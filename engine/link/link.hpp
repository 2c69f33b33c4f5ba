// The contract of every link: a duplex sequence of chunks, each direction of which ends once.
//
// A link belongs to one shard and is used only there; it never moves in memory. It owns the links
// below it and is their only user. The completions given to its operations belong to the caller,
// who keeps them in place until they have run; none runs inside a call of the caller. One suite
// (tests/unit/link) runs on every link.
//
// Receiving. receive() is armed once at a time and completes when a turn can begin: inside that
// callback, and only there, the caller takes the turn's chunks with take() until it returns false,
// or declines the turn by taking none: nothing is lost then, and the next receive() completes
// again. A turn may hold no chunk at all (half a record, half a frame header, nothing but an end).
// The same Take goes with every take of a turn. A chunk is valid until the next take(), or, with
// Take::keep, until the later of the sink's flush() and the end of the callback. Once the direction
// has ended, received_end() tells how, never before every byte in front of the end was taken; a
// receive() after that completes with an empty turn.
//
// Sending. Within a turn, send() encodes chunk after chunk and flush() gives all of them to the
// kernel in one send; where a turn outgrows its buffer, send() itself sends what there is. What the
// kernel refuses is copied and held (HeldBudget). A turn is not begun while held() is not 0: the
// caller waits with drain(). What a link owes its peer (a pong) leaves in front of what is sent
// after it. When the sending direction breaks, broken() has the reason, what was held is discarded,
// and send(), flush() and finish() do nothing more.
//
// Ending. finish() ends the sending direction behind everything accepted; it needs no drain()
// before it, and a message may be left unfinished by it. abort() and close() end the link behind
// everything accepted, drop() at once. Each first completes what is armed with -ECANCELED (or its
// real outcome) and has the link's last completion; after it nothing is in flight and the link may
// be destroyed. A finish that waits behind held bytes when abort() comes is taken back (-ECANCELED,
// unless a FIN is all there is to say): the direction ends as aborted. Of abort() and close() at
// most one is started; drop() may follow either, which then completes with -ECANCELED before
// drop()'s own. An ending that makes no progress for abort_stall_ms is dropped by the link itself
// (outcome -ETIMEDOUT).
//
//                 raw TCP that ends a tunnel          TCP, TLS, WebSocket that carry one
//   finish()      FIN                                 FIN; close_notify; Close
//   abort()       RST, once all sent bytes arrived    FIN without close_notify and without Close
//                                                     (but behind a WebSocket's own error Close),
//                                                     then as close() goes on behind its finish()
//   close()       finish() if that was not done, then read and discard until the peer's end, at
//                 most linger_ms from the moment the queue ran empty, then close
//   drop()        at once, linger 0
//
// In a stack, close() is Close both ways, then the close() of the TLS link, then that of the
// socket; abort() goes down the same way. Each layer that waits for an end of its own has its own
// linger_ms: a WebSocket for the Close, a socket for the FIN; TLS waits for nothing. So a close()
// on a peer that says nothing lasts linger_ms on a socket and on TLS, and twice that on a WebSocket
// (1 s, error_close_ms, and linger_ms behind an error Close).
//
// The way there is one machine for all links: link_ending.cpp has its diagram and every transition;
// a link answers a few questions (word_waits() and those behind it).
//
// A Status of a link says what happened, not to whom: its source is the link's best guess (a relay,
// for what TLS and framings find wrong). The owner that knows the other side puts its own source
// in: a tunnel for the record, a role for what it reports.
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

/// How the taker wants a turn.
struct Take {
  std::size_t turn_bytes = kTurnBytes;    // received from the kernel in this turn, at the most
  std::size_t chunk_bytes = kRecordBytes; // the largest chunk to hand out
  bool keep = false; // chunks stay valid until the turn ends; they then come without headroom
};

struct LinkFacts {
  bool raw_socket = false; // nothing but a socket: chunks have no borders, splice is possible
  bool tells_ends = false; // its peer sees the code of an end, and a message that it cuts
  bool gathers = false;    // send() keeps references until flush(): the source must Take::keep
  std::size_t largest_first_frame = kTurnBytes; // payload of a message's first frame, at the most
};

class Link {
public:
  explicit Link(Shard &shard);
  Link(const Link &) = delete;
  Link &operator=(const Link &) = delete;
  /// Nothing of the link may be in flight.
  virtual ~Link() = default;

  // --- receiving ------------------------------------------------------------------------------
  /// Outcome 0: a turn is ready (perhaps only an end); -ECANCELED: cancelled.
  void receive(Completion &completion);
  /// The next chunk of this turn; false when the turn is over.
  bool take(Chunk &chunk, const Take &how);
  /// Gives back bytes taken but not used; they come first again, before a received end. Copies
  /// them. Only once take() has returned false; ends the validity of kept chunks. Byte streams
  /// only.
  void unread(std::span<const std::byte> tail);
  /// How the direction ended, or nullptr.
  [[nodiscard]] const Ending *received_end() const {
    return received_end_ && !has_unread() ? &*received_end_ : nullptr;
  }
  /// Outcome 0: the other side ended or broke (after its end was read: broke) without a byte being
  /// read. For a link that is not read now; never beside receive(). A raw socket sees an end past
  /// unread bytes; a Close or close_notify is itself such bytes: there only the socket's own end
  /// or break is seen.
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
  /// Outcome 0 when held() is 0 or the direction broke; -ECANCELED: cancelled.
  void drain(Completion &completion);
  /// Why the sending direction broke, if it did.
  [[nodiscard]] const std::optional<Status> &broken() const { return broken_; }

  // --- ending ---------------------------------------------------------------------------------
  /// Outcome 0 when the end is with the kernel or the direction broke. The ending is a finish. A
  /// WebSocket that has received a Close answers with that Close's own code; a finish without a
  /// code (a FIN, a close_notify) becomes its Close 1000.
  void finish(const Ending &ending, Completion &completion);
  void abort(Completion &completion) { begin_ending(End::kAbort, completion); }
  void close(Completion &completion) { begin_ending(End::kClose, completion); }
  void drop(Completion &completion);

  // --- the rest -------------------------------------------------------------------------------
  /// Asks that a receive, watch, drain, or operation of a link's own (a handshake) complete soon
  /// with -ECANCELED (or its real outcome). Does nothing when it is due already.
  void cancel(Completion &completion);
  [[nodiscard]] virtual LinkFacts facts() const = 0;
  /// The addresses of the socket below, asked of the kernel; empty where it has none or is gone.
  [[nodiscard]] virtual Address local_address() const { return {}; }
  [[nodiscard]] virtual Address peer_address() const { return {}; }
  /// This socket is the app's or the target's own, not one that carries a tunnel: linger 0 from
  /// now on, so that a killed process reads as an abort there. A no-op on other links.
  virtual void end_tunnel_here() {}
  /// After both directions finished: gives out the link below, what was read too far unread into
  /// it. nullptr where there is none. This link is then empty and may only be destroyed.
  virtual std::unique_ptr<Link> peel() { return nullptr; }
  /// Moving to another shard with nothing in flight: leave() on the old shard's thread, then
  /// arrive() on the new one's. Held, unread and pending bytes go along. Links pass both down.
  /// While held() is not 0, only inside the completion of a cancelled drain(): it stops what is
  /// held, and words of the link's own behind it, until they arrive.
  virtual void leave();
  virtual void arrive(Shard &shard);

protected:
  /// How the link is to end, as its owner asked.
  enum class End : std::uint8_t { kNone, kAbort, kClose, kDrop, kPeel };
  /// Where the link stands between its use and its end; link_ending.cpp has the diagram.
  enum class State : std::uint8_t {
    kOpen,
    kLastWord,     // what was accepted, and a word of the link's own, have to leave
    kAwaitingPeer, // all is said; what arrives is discarded until the peer's end
    kEndingBelow,  // what is below ends the same way
    kLeaving,      // what is below is dropped
    kGone,         // nothing is in flight
    kPeeled        // the link below has another owner
  };
  /// The sending direction: its end, a FIN, close_notify or Close, is asked for before it is said.
  enum class Sending : std::uint8_t { kOpen, kEndDue, kEnded };

  // --- asked of each link, by the contract's operations -----------------------------------------
  virtual void start_receive() = 0;
  virtual bool take_own(Chunk &chunk, const Take &how) = 0;
  virtual void start_watch() = 0;
  /// Of receiving_ or watching_; it completes when nothing of it is in flight.
  virtual void cancel_reading() = 0;
  /// Sees to it that draining_ completes; where held() is 0 the caller does.
  virtual void start_drain() = 0;
  virtual void cancel_drain() = 0;
  virtual void start_finish(const Ending &ending) = 0;
  virtual void cancel_own(Completion &) {}

  // --- asked of each link, by the ending --------------------------------------------------------
  /// abort() or close() was called: the end is put in the queue, or a finish taken out of it.
  /// drop() was called, or the ending stalled: nothing is said any more.
  virtual void prepare_end(End end) = 0;
  /// Something in front of the end has not left, or is not said.
  [[nodiscard]] virtual bool word_waits() const = 0;
  /// Says what waits, where there is room for it.
  virtual void say_word() = 0;
  /// All is said: the peer's end is still to come, and matters.
  [[nodiscard]] virtual bool awaits_peer() const = 0;
  /// So long it is awaited, from when the queue ran empty.
  [[nodiscard]] virtual std::uint64_t patience_ms() const = 0;
  /// Arms what the state goes on by: room for the word, or bytes to discard. Called again and
  /// again.
  virtual void arm_ending() = 0;
  /// Bytes that have not arrived, as far as the link can tell: progress is when they become fewer.
  [[nodiscard]] virtual std::size_t queue() const { return held(); }
  /// When to ask for queue() again where no event tells.
  [[nodiscard]] virtual std::uint64_t next_look_ms() { return UINT64_MAX; }
  /// Ends what is below; kDrop may follow another end.
  virtual void release(End end) = 0;
  /// Nothing of what is below is in flight.
  [[nodiscard]] virtual bool released() const = 0;
  /// Frees what is left; nothing is in flight.
  virtual void on_gone() {}
  /// In a round of the loop after wake(): what is due goes on, and the ending (advance()).
  virtual void work() { advance(); }

  // --- for links --------------------------------------------------------------------------------
  /// From a callback of the loop: the ending goes on as far as it can. `this` may be gone after.
  void advance();
  void wake() { shard_->io.arm_after_ms(wake_, 0); }
  void sleep() { wake_.disarm(); }
  [[nodiscard]] bool open() const { return state_ == State::kOpen; }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] End end_asked() const { return end_; }
  /// peel() gives the link below away.
  void become_peeled();
  /// What queue() said when the ending last looked.
  [[nodiscard]] std::size_t queue_seen() const { return queue_; }
  /// What abort() and close() complete with.
  void set_outcome(int outcome) { outcome_ = outcome; }
  /// A slot holds the caller's completion while it is armed; begin() fills it.
  static void begin(Completion *&slot, Completion &completion);
  /// From a callback of the loop: empties the slot and runs the completion. `this` may be gone
  /// after.
  static void complete_now(Completion *&slot, int result);
  /// From a call of the caller: the same, in the shard's next round, in the order of these calls.
  /// An empty slot stays so.
  void complete_later(Completion *&slot, int result);
  [[nodiscard]] bool has_unread() const { return unread_taken_ < unread_.size(); }

  Shard *shard_;
  Completion *receiving_ = nullptr; // the caller's, while armed; so are those below
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
  /// What take() serves in this turn.
  enum class Turn : std::uint8_t { kOwn, kUnread, kNothing };
  /// receive or watch, drain, finish, a link's own, abort or close, drop: one of each at a time.
  static constexpr std::size_t kMostDue = 6;
  void on_tick(Outcome outcome);

  void begin_ending(End end, Completion &completion);
  [[nodiscard]] State next_state() const;
  void enter(State next);
  void cancel_waiting();
  void note_queue();
  [[nodiscard]] bool stalled() const;
  [[nodiscard]] bool patience_over() const;
  void arm_ending_timer();
  void on_wake();
  void complete_end();

  std::array<Due, kMostDue> due_;
  std::size_t due_count_ = 0;
  Completion tick_;
  std::vector<std::byte> unread_; // kHeadroom bytes, then what was given back
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
  std::size_t queue_ = 0;         // when it was last looked at
  std::uint64_t progress_ns_ = 0; // when it was last seen to have become shorter
  std::uint64_t busy_ns_ = 0;     // when it was last seen filled
};

} // namespace culvert
