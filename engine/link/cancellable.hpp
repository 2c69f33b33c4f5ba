// An operation together with its cancel: the owner is told once, when both have completed.
//
// A cancel is an operation of its own and may complete before or after its target. The owner's
// callback runs once, when neither is in the kernel any more: then the owner can arm the operation
// again or close the socket without waiting for anything else. Used on one shard only; it owns its
// two completions.
#pragma once

#include "io/io.hpp"

#include <cerrno>

namespace culvert {

class Cancellable {
public:
  Cancellable() {
    operation_.bind<&Cancellable::on_operation>(*this);
    cancel_.bind<&Cancellable::on_cancel>(*this);
  }

  /// Method is void(Outcome) of the owner.
  template <auto Method, typename Owner> void bind(Owner &owner) {
    callback_ = Delegate<Outcome>::to<Method>(owner);
  }
  [[nodiscard]] bool armed() const { return armed_; }
  /// Inside the callback: true if a cancel was requested, whatever the outcome is.
  [[nodiscard]] bool cancelled() const { return cancelled_; }
  /// True for a stream whose last turn was full (Completion::bulk).
  void set_bulk(bool bulk) { operation_.bulk = bulk; }

  void poll(Io &io, Socket socket, Interest interest) { io.poll(socket, interest, arm(io)); }
  void connect(Io &io, Socket socket, const Address &address) {
    io.connect(socket, address, arm(io));
  }
  /// Makes it complete soon. Does nothing if it is not armed or a cancel is in flight.
  void cancel() {
    if (operation_.in_flight() && !cancel_.in_flight()) {
      cancelled_ = true;
      io_->cancel(operation_, cancel_);
    }
  }

private:
  Completion &arm(Io &io) {
    CULVERT_ASSERT(!armed_);
    io_ = &io;
    armed_ = true;
    cancelled_ = false;
    return operation_;
  }
  void on_operation(Outcome outcome) {
    outcome_ = outcome;
    settle();
  }
  void on_cancel(Outcome) { settle(); }
  void settle() {
    if (!operation_.in_flight() && !cancel_.in_flight()) {
      armed_ = false;
      callback_(outcome_);
    }
  }

  Io *io_ = nullptr;
  Completion operation_;
  Completion cancel_;
  Delegate<Outcome> callback_;
  Outcome outcome_;
  bool armed_ = false;
  bool cancelled_ = false;
};

} // namespace culvert
