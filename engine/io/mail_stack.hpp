// The mailbox of one shard: a lock-free intrusive stack, many writers, one reader.
//
// push() may be called from any thread, drain() by the reader's alone. The stack does not own the
// mail in it. The reader takes the whole stack at once and reverses it, so mail of one writer
// arrives in order.
#pragma once

#include "io/mail.hpp"

#include <atomic>

namespace culvert {

class MailStack {
public:
  /// True if the stack was empty: the reader may be asleep, and the caller must wake it.
  bool push(Mail &mail) {
    Mail *first = first_.load(std::memory_order_relaxed);
    do {
      mail.next_ = first;
    } while (!first_.compare_exchange_weak(first, &mail, std::memory_order_release,
                                           std::memory_order_relaxed));
    return first == nullptr;
  }

  [[nodiscard]] bool empty() const { return first_.load(std::memory_order_acquire) == nullptr; }

  /// Calls visit(mail) for all mail there is, oldest first. Mail pushed meanwhile waits for the
  /// next call; the visitor may post the mail again or destroy it.
  template <typename Visit> void drain(Visit visit) {
    Mail *oldest = nullptr;
    for (Mail *mail = first_.exchange(nullptr, std::memory_order_acquire); mail != nullptr;) {
      Mail *const next = mail->next_;
      mail->next_ = oldest;
      oldest = mail;
      mail = next;
    }
    while (oldest != nullptr) {
      Mail &mail = *oldest;
      oldest = mail.next_;
      visit(mail);
    }
  }

private:
  std::atomic<Mail *> first_ = nullptr;
};

} // namespace culvert
