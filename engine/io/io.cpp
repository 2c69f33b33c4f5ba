#include "io/io.hpp"

#include "core/limits.hpp"

namespace culvert {

Result<Socket> Io::adopt(int) {
  return Status::failure(Code::kUnsupported, Source::kLocal, Retry::kNever,
                         "there are no descriptors here");
}

void Io::accept(Socket socket, Completion &completion) {
  completion.begin();
  ++in_flight_;
  start_accept(socket, completion);
}

void Io::connect(Socket socket, const Address &address, Completion &completion) {
  completion.begin();
  ++in_flight_;
  start_connect(socket, address, completion);
}

void Io::poll(Socket socket, Interest interest, Completion &completion) {
  completion.begin();
  ++in_flight_;
  start_poll(socket, interest, completion);
}

void Io::yield(Completion &completion) {
  completion.begin();
  ++in_flight_;
  ready_.push(completion, {});
}

void Io::cancel(Completion &target, Completion &with) {
  with.begin();
  ++in_flight_;
  start_cancel(target, with);
}

void Io::begin_mail(Io *from, Mail &mail) {
  CULVERT_ASSERT(!mail.under_way_ && mail.callback_);
  mail.under_way_ = true;
  mail.from_ = from;
  mail_.fetch_add(1, std::memory_order_relaxed);
  if (from != nullptr) {
    from->mail_.fetch_add(1, std::memory_order_relaxed);
  }
  start_deliver(from, mail);
}

void Io::post(Io &target, Mail &mail) {
  target.begin_mail(this, mail);
}

void Io::deliver(Mail &mail) {
  begin_mail(nullptr, mail);
}

void Io::run_mail(Mail &mail) {
  CULVERT_ASSERT(mail.under_way_);
  const Delegate<Mail &> callback = mail.callback_;
  Io *const from = mail.from_;
  mail.under_way_ = false; // the receiver may use it again from here on
  callback(mail);
  end_mail();
  if (from == this) {
    end_mail();
  } else if (from != nullptr) {
    from->lent_mail_done(); // its shard may be destroyed once this returns
  }
}

void Io::run(ReadyQueue::Entry entry) {
  if (!entry.outcome.more) {
    CULVERT_ASSERT(in_flight_ > 0);
    --in_flight_;
  }
  entry.completion->run(entry.outcome);
}

bool Io::run_ready() {
  reap();
  timers_.fire(now_ns());
  for (int budget = kRunBudget; budget > 0 && has_ready(); --budget) {
    const bool bulk = ready_.bulk_is_next();
    run(ready_.pop());
    if (bulk) { // a short stream that became ready in between runs before the next bulk turn
      look();
      timers_.fire(now_ns()); // links wake themselves with timers that are due at once
    }
  }
  return must_run();
}

} // namespace culvert
