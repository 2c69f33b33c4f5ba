// An operation of the kernel and its cancel, completed as one.
//
// A cancel is an operation of its own and may complete before or after its target. The owner hears
// of both once, when both have left the kernel: the operation can then be armed again, or the
// socket closed, without a further join. Used on one shard only; it owns its two completions.
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
  /// Inside the callback: whether a cancel was asked for, whatever the outcome says.
  [[nodiscard]] bool cancelled() const { return cancelled_; }
  /// Streams whose last turn was full wait behind the others.
  void set_bulk(bool bulk) { operation_.bulk = bulk; }

  void poll(Io &io, Socket socket, Interest interest) { io.poll(socket, interest, arm(io)); }
  void connect(Io &io, Socket socket, const Address &address) {
    io.connect(socket, address, arm(io));
  }
  /// Asks that it complete soon; nothing happens when it is not armed or is asked already.
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
