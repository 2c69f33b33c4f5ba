// The contract of every link: a duplex sequence of chunks, each direction of which ends once.
//
// A link belongs to one shard and is used only there; it never moves in memory. It owns the links
// below it. The completions given to its operations belong to the caller, who keeps them in place
// until they have run; none runs inside a call of the caller. One suite (tests/unit/link) runs on
// every link.
//
// Receiving. receive() is armed once at a time and completes when a turn can begin: inside that
// callback, and only there, the caller takes the turn's chunks with take() until it returns false.
// A chunk is valid until the next take(), or, with Take::keep, until the callback returns. After
// the turn, unread() gives back what was taken but not used. Once the direction has ended,
// received_end() tells how, never before every byte in front of the end was taken; receive() is not
// armed again after that.
//
// Sending. Within a turn, send() encodes chunk after chunk and flush() gives all of them to the
// kernel in one send. What the kernel refuses is copied and held (HeldBudget); while held() is not
// 0 the caller sends nothing more and waits with drain(). When the sending direction breaks,
// broken() has the reason, what was held is discarded, and send() becomes a no-op.
//
// Ending. finish() ends the sending direction, abort(), close() and drop() end the link; each goes
// behind everything accepted before (drop() excepted). At most one of abort() and close() is
// started, drop() may follow either and then the earlier one completes with -ECANCELED. After the
// completion of abort(), close() or drop() the link has nothing in flight and may be destroyed.
//
//                 raw TCP that ends a tunnel          TCP, TLS, WebSocket that carry one
//   finish()      shutdown(SHUT_WR)                   FIN; close_notify; Close
//   abort()       RST, once all sent bytes arrived    FIN without close_notify and without Close
//   close()       after both ends: close; before that: finish(), then read and discard until the
//   peer's
//                 end, at most kLingerMs, then close
//   drop()        at once, linger 0
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
  bool gathers = false;    // send() keeps references until flush(): the source must Take::keep
  std::size_t largest_first_frame = kTurnBytes; // payload of a message's first frame, at the most
  Address local;
  Address peer;
};

class Link {
public:
  explicit Link(Shard &shard) : shard_(&shard) { tick_.bind<&Link::on_tick>(*this); }
  Link(const Link &) = delete;
  Link &operator=(const Link &) = delete;
  /// Nothing of the link may be in flight.
  virtual ~Link() = default;

  // --- receiving ------------------------------------------------------------------------------
  /// Outcome 0: a turn is ready (perhaps only an end); -ECANCELED: cancelled.
  void receive(Completion &completion);
  /// The next chunk of this turn; false when the turn is over.
  bool take(Chunk &chunk, const Take &how);
  /// Gives back bytes taken but not used; they come first again. Copies them. Never within a turn.
  void unread(std::span<const std::byte> tail);
  [[nodiscard]] const std::optional<Ending> &received_end() const { return received_end_; }

  // --- sending --------------------------------------------------------------------------------
  /// Encodes one chunk of a turn. A chunk may be empty only if it ends a message.
  virtual void send(const Chunk &chunk) = 0;
  /// Ends the turn: one send.
  virtual void flush() = 0;
  /// Bytes accepted and not yet taken by the kernel.
  [[nodiscard]] virtual std::size_t held() const = 0;
  /// Outcome 0 when held() is 0 or the direction broke; -ECANCELED: cancelled.
  virtual void drain(Completion &completion) = 0;
  /// Why the sending direction broke, if it did.
  [[nodiscard]] const std::optional<Status> &broken() const { return broken_; }

  // --- ending ---------------------------------------------------------------------------------
  /// Outcome 0 when the end is with the kernel or the direction broke.
  virtual void finish(const Ending &ending, Completion &completion) = 0;
  virtual void abort(Completion &completion) = 0;
  virtual void close(Completion &completion) = 0;
  virtual void drop(Completion &completion) = 0;

  // --- the rest -------------------------------------------------------------------------------
  /// Asks that a receive() or drain() in flight complete now with -ECANCELED (or its real outcome).
  virtual void cancel(Completion &completion) = 0;
  [[nodiscard]] virtual LinkFacts facts() const = 0;
  /// After both directions finished: gives out the link below, what was read too far unread into
  /// it. nullptr where there is none. This link is then empty and may only be destroyed.
  virtual std::unique_ptr<Link> peel() { return nullptr; }
  /// Moves to another shard, with nothing in flight: called by the old shard, used by the new one.
  virtual void move_to(Shard &shard);

protected:
  /// Arms the receive of the link itself, for receiving_.
  virtual void start_receive() = 0;
  virtual bool take_own(Chunk &chunk, const Take &how) = 0;

  /// For links. A slot holds the caller's completion while it is armed; begin() fills it.
  static void begin(Completion *&slot, Completion &completion);
  /// From a callback of the loop: empties the slot and runs the completion. `this` may be gone
  /// after.
  static void complete_now(Completion *&slot, int result);
  /// From a call of the caller: the same, in the shard's next round, in the order of these calls.
  void complete_later(Completion *&slot, int result);
  [[nodiscard]] bool later_pending() const { return due_count_ > 0; }

  Shard *shard_;
  Completion *receiving_ = nullptr; // the caller's, while armed
  std::optional<Ending> received_end_;
  std::optional<Status> broken_;

private:
  struct Due {
    Completion *completion = nullptr;
    int result = 0;
  };
  /// receive, drain, finish, abort or close, drop: one of each at a time.
  static constexpr std::size_t kMostDue = 5;
  void on_tick(Outcome outcome);

  std::array<Due, kMostDue> due_;
  std::size_t due_count_ = 0;
  Completion tick_;
  std::vector<std::byte> unread_; // kHeadroom bytes, then what was given back
  std::size_t unread_taken_ = 0;
  bool unread_turn_ = false; // this turn serves unread bytes only
};

} // namespace culvert
