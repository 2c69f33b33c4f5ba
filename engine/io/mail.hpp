// A message to another shard, embedded in its owner: posting cannot fail and allocates nothing.
//
// Mail is lent to the receiving shard from post() until its callback there has run; the owner must
// not touch or destroy it in between (asserted). A receiver that owes an answer posts the same mail
// back. Order holds for each pair of shards.
#pragma once

#include "core/assert.hpp"
#include "core/delegate.hpp"

namespace culvert {

class Io;

class Mail {
public:
  Mail() = default;
  Mail(const Mail &) = delete;
  Mail &operator=(const Mail &) = delete;
  ~Mail() { CULVERT_ASSERT(!under_way_); }

  /// Method is void(Mail &) of an object that lives on the receiving shard. A subclass carries the
  /// letter's content.
  template <auto Method, typename Receiver> void address_to(Receiver &receiver) {
    CULVERT_ASSERT(!under_way_);
    callback_ = Delegate<Mail &>::to<Method>(receiver);
  }
  [[nodiscard]] bool under_way() const { return under_way_; }

private:
  friend class Io;
  friend class MailStack;
  Delegate<Mail &> callback_;
  Mail *next_ = nullptr;
  Io *from_ = nullptr; // whose shard lent it; nullptr: a thread that drives none
  bool under_way_ = false;
};

} // namespace culvert
