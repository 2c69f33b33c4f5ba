// A step: a connection to the first of some addresses that answers.
//
// Used on its shard only. start() is followed by exactly one call of the bound method, never inside
// start() or cancel(); the step may be destroyed in it, or used again. A socket it hands out
// belongs to the receiver; every other one it opened is closed by then.
#pragma once

#include "io/shard.hpp"
#include "link/cancellable.hpp"

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
  /// Tries them in order. Each gets an even share of the time that is left, so that one that
  /// swallows packets does not use up the others' chance. The last address's failure is reported.
  void start(std::vector<Address> addresses, std::uint64_t deadline_ms);
  /// It completes soon, with kCancelled unless it was connected already.
  void cancel();
  [[nodiscard]] bool running() const { return running_; }
  /// Of the connection just handed out.
  [[nodiscard]] const Address &address() const { return addresses_[next_ - 1]; }

private:
  void on_turn(Outcome outcome);
  void on_connect(Outcome outcome);
  void on_timeout();
  void try_next();
  void complete(Result<Socket> result);

  Shard &shard_;
  Delegate<Result<Socket>> callback_;
  std::vector<Address> addresses_;
  std::size_t next_ = 0;
  std::uint64_t deadline_ns_ = 0;
  Socket socket_;
  Cancellable connect_;
  Completion turn_; // the first try, outside the caller's call
  Timer timeout_;
  Status failure_;
  bool timed_out_ = false;
  bool cancelled_ = false;
  bool running_ = false;
};

} // namespace culvert
