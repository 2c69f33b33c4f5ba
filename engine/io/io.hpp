// The only interface to the kernel: a closed set of operations and the loop that completes them.
//
// One Io belongs to one shard and is used only by the thread that drives it; deliver() alone may be
// called from any thread. Its backends are uring (the engine), epoll (the engine where io_uring is
// forbidden) and sim (a deterministic world).
// receive() and send() are immediate and never block; poll() completes when it is time to try them.
//
// The caller that got a Socket from listen(), open(), adopt() or the outcome of an accept owns it
// until close(). Closing has three steps: cancel the operations, wait until they have completed
// (join), close. Calling close() while an operation of the socket is in flight is a fault of the
// caller. Only the simulation detects it.
#pragma once

#include "culvert/status.hpp"
#include "io/address.hpp"
#include "io/completion.hpp"
#include "io/mail.hpp"
#include "io/ready_queue.hpp"
#include "io/timers.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace culvert {

/// A kernel or simulated socket. The number is valid in every Io of the process (or simulated
/// world), so a connection with nothing in flight can continue on another shard, see Io::leave().
struct Socket {
  int id = -1;
  [[nodiscard]] bool valid() const { return id >= 0; }
};

enum class Interest : std::uint8_t {
  kReadable, // bytes, an end or an error can be received
  kWritable, // room in the send buffer, or an error
  kHangup,   // the other side ended or broke; unread bytes do not trigger it
  kBroken,   // the socket broke; neither bytes nor the other side's end trigger it
  kGone,     // the socket broke, or both directions have ended; a unix socket that the other side
             // closed has no direction left
};

enum class SocketOption : std::uint8_t {
  kNoDelay,      // 1: small sends are not delayed
  kLingerZero,   // 1: close() resets; 0: close() ends cleanly. An accepted socket has that of the
                 // listening one
  kUrgentInline, // 1: a byte of TCP's urgent data stays in the stream, in its place
  kKeepAliveSec, // idle seconds before TCP probes begin; 0 turns them off
  kSendBuffer,   // bytes
  kReceiveBuffer // bytes
};

/// What an Io has asked of the kernel since it was made; all 0 in sim.
struct KernelCounts {
  std::uint64_t entries = 0;     // submitted to the ring; epoll: changes of what it watches
  std::uint64_t completions = 0; // taken from the ring; epoll: events
  std::uint64_t calls = 0;       // system calls that submit or wait
};

class Io {
public:
  Io() = default;
  Io(const Io &) = delete;
  Io &operator=(const Io &) = delete;
  virtual ~Io() = default;

  // --- time ---------------------------------------------------------------------------------
  /// Monotonic nanoseconds; every deadline counts on this clock.
  [[nodiscard]] virtual std::uint64_t now_ns() const = 0;
  /// Unix seconds, for tokens and certificates only.
  [[nodiscard]] virtual std::int64_t wall_s() const = 0;
  void arm(Timer &timer, std::uint64_t deadline_ns) { timers_.arm(timer, deadline_ns); }
  void arm_after_ms(Timer &timer, std::uint64_t delay_ms) {
    timers_.arm(timer, now_ns() + delay_ms * 1'000'000U);
  }

  // --- immediate operations -------------------------------------------------------------------
  /// A bound, listening socket. Port 0 picks a free one; local_address() returns it. Several shards
  /// may accept() on one listening socket; the last of them closes it.
  virtual Result<Socket> listen(const Address &address) = 0;
  /// A new socket for connect() to an address of this family.
  virtual Result<Socket> open(const Address &address) = 0;
  /// A duplicate of this descriptor, for poll() and close() only; the caller keeps its own, so the
  /// file stays open after close(). A file that cannot be waited for is ready at once. A backend
  /// without real descriptors fails.
  virtual Result<Socket> adopt(int descriptor);
  /// Bytes received (> 0), 0 at the end of the stream, or the negated errno; -EAGAIN when nothing
  /// is there yet.
  virtual int receive(Socket socket, std::span<std::byte> into) = 0;
  /// Bytes taken in order from the parts (it may be fewer than given), or the negated errno;
  /// -EAGAIN when there is no room. At most kGatherParts parts. -ECONNRESET clears the socket's
  /// error. A receive() after it returns the bytes that had arrived and then 0, as if the stream
  /// had ended cleanly.
  virtual int send(Socket socket, std::span<const std::span<const std::byte>> parts) = 0;
  /// Ends the sending direction (FIN after everything sent). 0 or the negated errno.
  virtual int shutdown_send(Socket socket) = 0;
  virtual int set_option(Socket socket, SocketOption option, int value) = 0;
  virtual Result<Address> local_address(Socket socket) = 0;
  virtual Result<Address> peer_address(Socket socket) = 0;
  /// Bytes sent that the peer's kernel has not acknowledged; 0 if this kind of socket does not
  /// report it.
  virtual int unsent_bytes(Socket socket) = 0;
  /// How long, in ms, the peer's kernel has acknowledged nothing although bytes are in flight to
  /// it; 0 when none are. A peer with a full receive window still answers, so it is not silent.
  virtual std::uint64_t silent_ms(Socket socket) = 0;
  /// Nothing of the socket may be in flight.
  virtual void close(Socket socket) = 0;
  /// The socket goes on at another shard, which will close it. Nothing of it may be in flight. A
  /// backend that has registered the socket in the kernel ends that here.
  virtual void leave(Socket) {}

  // --- operations with a completion -----------------------------------------------------------
  /// Multishot: each outcome is an accepted socket's id (the receiver of the callback owns it, also
  /// after a cancel) or the negated errno; `more` false means it must be armed again.
  void accept(Socket socket, Completion &completion);
  /// Outcome 0 once connected.
  void connect(Socket socket, const Address &address, Completion &completion);
  /// One-shot. Outcome >= 0: try now.
  void poll(Socket socket, Interest interest, Completion &completion);
  /// Completes with 0 after everything that is ready now. For work that must run later without
  /// waiting for an event.
  void yield(Completion &completion);
  /// Requests that `target` complete early. Both complete, in either order: the target with
  /// -ECANCELED or its real outcome, the cancel with 0, -ENOENT or -EALREADY.
  void cancel(Completion &target, Completion &with);

  // --- other shards ---------------------------------------------------------------------------
  /// Sends the mail to the shard of `target`. The mail belongs to that shard until its callback has
  /// run.
  void post(Io &target, Mail &mail);
  /// The same from a thread that drives no shard; safe from any thread.
  void deliver(Mail &mail);

  // --- the loop -------------------------------------------------------------------------------
  /// Runs what is ready, at most kRunBudget callbacks. Returns true if the host must call it again
  /// before it sleeps: more callbacks are ready, or new operations have not been submitted yet.
  bool run_ready();
  /// The same answer without running anything.
  [[nodiscard]] bool must_run() { return has_ready() || anything_new(); }
  /// Submits new operations and sleeps until a callback can run, or until a timer or `deadline_ns`
  /// is due; it does not sleep while something is ready. A thread that only drives this shard calls
  /// run_ready() and wait() in turn, whatever run_ready() returns.
  virtual void wait(std::uint64_t deadline_ns) = 0;
  /// For a host's own loop: polls readable when run_ready() has work other than a timer. Valid
  /// after run_ready() has returned false, if nothing was started or posted since then. -1 in sim,
  /// or when the system has no descriptor left. Owned by the Io.
  [[nodiscard]] virtual int descriptor() = 0;
  /// When run_ready() must be called at the latest, or Timers::kNever.
  [[nodiscard]] std::uint64_t nearest_deadline_ns() const { return timers_.nearest_ns(); }

  /// Operations and mail begun and not yet completed; 0 means that nothing is left on the shard.
  /// Mail counts on its sender's shard and on its receiver's shard, until its callback has
  /// returned.
  [[nodiscard]] std::size_t in_flight() const {
    return in_flight_ + mail_.load(std::memory_order_acquire);
  }
  [[nodiscard]] const KernelCounts &kernel_counts() const { return kernel_counts_; }
  /// The backend's name: "uring", "epoll" or "sim".
  [[nodiscard]] virtual const char *name() const = 0;

protected:
  virtual void start_accept(Socket socket, Completion &completion) = 0;
  virtual void start_connect(Socket socket, const Address &address, Completion &completion) = 0;
  virtual void start_poll(Socket socket, Interest interest, Completion &completion) = 0;
  virtual void start_cancel(Completion &target, Completion &with) = 0;
  virtual void start_deliver(Io *from, Mail &mail) = 0;
  /// Copies every finished operation out of the kernel into the ready queue, passes arrived mail to
  /// run_mail(), and submits new operations. Runs callbacks of mail, but no others.
  virtual void reap() = 0;
  /// True if the shard must not sleep yet: a reap would find something, or submit something, that
  /// does not wake it. It is cheap: the loop calls it in each round.
  virtual bool anything_new() = 0;
  /// Called by the loop after every bulk turn: a reap, unless the backend knows without a system
  /// call that it would find nothing.
  virtual void look() {
    if (anything_new()) {
      reap();
    }
  }

  /// For backends: this operation completed with this outcome.
  void complete(Completion &completion, Outcome outcome) { ready_.push(completion, outcome); }
  /// For backends: their part of the record, valid while the operation is in flight.
  static Completion::Note &note_of(Completion &completion) { return completion.note_; }
  /// For backends: this mail arrived at this shard.
  void run_mail(Mail &mail);
  /// For backends: a callback can run without a reap.
  [[nodiscard]] bool has_ready() const { return !ready_.empty(); }
  /// Called by the other shard's thread when it has run mail from this shard. A sleeping backend
  /// must wake up, so that it notices in_flight() getting smaller.
  virtual void lent_mail_done() { end_mail(); }
  void end_mail() { mail_.fetch_sub(1, std::memory_order_acq_rel); }

  KernelCounts kernel_counts_; // for backends: they add to it

private:
  void run(ReadyQueue::Entry entry);
  void begin_mail(Io *from, Mail &mail);

  Timers timers_;
  ReadyQueue ready_;
  std::size_t in_flight_ = 0;
  std::atomic<std::size_t> mail_ = 0; // sent by this shard, and received by it
};

} // namespace culvert
