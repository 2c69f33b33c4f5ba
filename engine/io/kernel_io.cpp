#include "io/kernel_io.hpp"

#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>

namespace culvert {

KernelIo::~KernelIo() {
  CULVERT_ASSERT(in_flight() == 0);
  while (visitors_.load(std::memory_order_acquire) != 0) {
    std::this_thread::yield();
  }
  ::close(wake_descriptor_);
}

void KernelIo::close(Socket socket) {
  CULVERT_ASSERT(socket.valid());
  ::close(socket.id);
}

void KernelIo::wake() {
  CULVERT_ASSERT(eventfd_write(wake_descriptor_, 1) == 0);
}

void KernelIo::start_deliver(Io *from, Mail &mail) {
  if (from == this) {
    mailbox_.push(mail); // the loop looks before it sleeps
    return;
  }
  // After the push, the receiving shard may run the mail and be destroyed.
  visitors_.fetch_add(1, std::memory_order_relaxed);
  if (mailbox_.push(mail)) {
    wake();
  }
  visitors_.fetch_sub(1, std::memory_order_release);
}

void KernelIo::lent_mail_done() {
  visitors_.fetch_add(1, std::memory_order_relaxed);
  end_mail();
  wake();
  visitors_.fetch_sub(1, std::memory_order_release);
}

void KernelIo::run_arrived_mail() {
  mailbox_.drain([this](Mail &mail) { run_mail(mail); });
}

} // namespace culvert
