// A message to another shard, embedded in its owner: posting cannot fail and allocates nothing.
//
// From post() until its callback has run, the mail belongs to the receiving shard; the owner must
// not touch or destroy it in between (asserted). To answer, the receiver posts the same mail back.
// Mail from one shard to another arrives in the order of the posts.
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
  Io *from_ = nullptr; // the sender's shard; nullptr: a thread that drives no shard
  bool under_way_ = false;
};

} // namespace culvert
