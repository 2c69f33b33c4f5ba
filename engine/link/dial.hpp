// A step: a connection to the first of some addresses that answers.
//
// Used on its shard only. start() is followed by exactly one call of the bound method, never inside
// start() or cancel(); the step may be destroyed in it, or used again. A socket it hands out
// belongs to the receiver; every other one it opened is closed by then.
//
// The addresses race as in RFC 8305: the next one is tried when the one before has failed, or has
// been silent for next_address_ms; the first that answers wins. An address that answered where an
// earlier one did not is tried first next time (Shard::good_addresses).
#pragma once

#include "io/shard.hpp"
#include "link/cancellable.hpp"

#include <memory>
#include <vector>

namespace culvert {

class Dial {
public:
  explicit Dial(Shard &shard);
  Dial(const Dial &) = delete;
  Dial &operator=(const Dial &) = delete;

  /// Method is void(Result<Socket>).
  template <auto Method, typename Owner> void bind(Owner &owner) {
    callback_ = Delegate<Result<Socket>>::to<Method>(owner);
  }
  /// Tries them in this order, and ends all tries at the deadline. The failure that came last is
  /// reported.
  void start(std::vector<Address> addresses, std::uint64_t deadline_ms);
  /// It completes soon, with kCancelled unless it was connected already.
  void cancel();
  [[nodiscard]] bool running() const { return state_ != State::kIdle; }
  /// Of the connection just handed out.
  [[nodiscard]] const Address &address() const { return answered_; }

private:
  enum class State : std::uint8_t {
    kIdle,
    kTrying,
    kTimedOut, // kTimedOut to kWon: the tries that are left are being cancelled
    kCancelled,
    kWon
  };
  struct Try {
    Try(Dial &dial, Socket socket, Address address);
    void on_connect(Outcome outcome) { owner.on_connect(*this, outcome); }

    Dial &owner;
    Socket socket;
    const Address address;
    Cancellable connect;
  };

  void on_turn(Outcome outcome);
  void on_connect(Try &ended, Outcome outcome);
  void on_deadline() { end_tries(State::kTimedOut); }
  void try_next();
  void won(const Try &by);
  void end_tries(State why);
  void check_over();

  Shard &shard_;
  Delegate<Result<Socket>> callback_;
  State state_ = State::kIdle;
  std::vector<Address> addresses_;
  std::size_t next_ = 0;
  Address preferred_; // by whoever gave the addresses
  std::vector<std::unique_ptr<Try>> tries_;
  Socket socket_; // of the one that answered
  Address answered_;
  Status failure_;
  Completion turn_; // the first try, outside the caller's call
  Timer next_later_;
  Timer deadline_;
};

} // namespace culvert
