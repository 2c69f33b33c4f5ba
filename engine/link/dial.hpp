// A step that connects to the first address of a list that answers.
//
// Used on its shard only. Each start() leads to exactly one call of the bound method, never inside
// start() or cancel(). Inside that call the step may be destroyed or started again. The receiver
// owns the socket that it gets; all other sockets are closed by then.
//
// The addresses race as in RFC 8305: the next one is tried when the one before has failed or has
// not answered within next_address_ms; the first that answers wins. Each attempt has the same
// deadline, counted from its own start. An address that answered when
// an earlier one did not is tried first next time (Shard::good_addresses), and so is the one after
// an address that was of no use.
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
  /// Tries them in this order, each for at most `deadline_ms`. If none answers, the last failure is
  /// reported.
  void start(std::vector<Address> addresses, std::uint64_t deadline_ms);
  /// Makes it complete soon, with kCancelled unless it had already connected.
  void cancel();
  [[nodiscard]] bool running() const { return state_ != State::kIdle; }
  /// The address of the connection that was just passed to the receiver.
  [[nodiscard]] const Address &address() const { return answered_; }
  /// That connection was of no use: the next dial begins with another address, if there is one.
  /// Returns whether there is.
  bool pass_over_address();

private:
  enum class State : std::uint8_t {
    kIdle,
    kTrying,
    kCancelled, // kCancelled and kWon: the other attempts are being cancelled
    kWon
  };
  struct Try {
    Try(Dial &dial, Socket socket, Address address);
    void on_connect(Outcome outcome) { owner.on_connect(*this, outcome); }
    void on_deadline() {
      late = true;
      connect.cancel();
    }

    Dial &owner;
    Socket socket;
    const Address address;
    bool late = false;
    Timer deadline;
    Cancellable connect;
  };

  void on_turn(Outcome outcome);
  void on_connect(Try &ended, Outcome outcome);
  void try_next();
  void won(const Try &by);
  void end_tries(State why);
  void check_over();

  Shard &shard_;
  Delegate<Result<Socket>> callback_;
  State state_ = State::kIdle;
  std::vector<Address> addresses_;
  std::size_t next_ = 0;
  Address preferred_; // the caller's first address
  std::vector<std::unique_ptr<Try>> tries_;
  Socket socket_; // of the one that answered
  Address answered_;
  Status failure_;
  Completion turn_; // the first try, outside the caller's call
  Timer next_later_;
  std::uint64_t deadline_ms_ = 0; // of each attempt
};

} // namespace culvert
