// The class behind make_epoll_io(); see epoll_io.hpp for its rules. Private to this folder.
//
// The kernel has one entry for each descriptor, the engine has any number of operations. So each
// descriptor has a list of its operations here, and what the kernel is to report follows from it.
// The kernel is told late, just before the shard looks for events or may sleep: an operation that
// completes and is armed again in the same round costs no system call.
#pragma once

#include "core/limits.hpp"
#include "io/kernel_io.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <sys/epoll.h>
#include <vector>

namespace culvert::epoll {

/// What an operation waits for (Completion::Note::stage).
enum Stage : std::uint8_t {
  kNone, // for nothing: it has completed, or is a cancel
  kReadable,
  kWritable,
  kHangup,
  kBroken,
  kGone,
  kConnect,
  kCrowdedConnect, // to a unix socket whose backlog is full: tried again by a timer
  kAccept
};

class EpollIo final : public KernelIo {
public:
  /// Takes over both; the epoll instance watches the wake descriptor already.
  EpollIo(int epoll, int wake_descriptor);
  ~EpollIo() override;

  void close(Socket socket) override;
  void leave(Socket socket) override;
  void wait(std::uint64_t deadline_ns) override;
  [[nodiscard]] int descriptor() override { return epoll_; }
  [[nodiscard]] const char *name() const override { return "epoll"; }

protected:
  void start_accept(Socket socket, Completion &completion) override;
  void start_connect(Socket socket, const Address &address, Completion &completion) override;
  void start_poll(Socket socket, Interest interest, Completion &completion) override;
  void start_cancel(Completion &target, Completion &with) override;
  void reap() override;
  bool anything_new() override;
  void look() override { reap(); }

private:
  struct Entry {
    Completion *first = nullptr; // of its operations, linked by their notes
    /// The events that the kernel has; 0: it has no entry. EPOLLONESHOT without an event: the
    /// kernel has reported once, and reports nothing until it is told again.
    std::uint32_t registered = 0;
    bool changed = false; // it is in changed_
  };
  struct CrowdedConnect {
    Completion *completion;
    socket_calls::KernelAddress address;
  };

  // operations.cpp
  void connect_now(Completion &completion, const socket_calls::KernelAddress &address);
  void try_crowded();
  void dispatch(int socket, std::uint32_t events);
  bool happened(Completion &completion, std::uint32_t events);
  bool accept_waiting(Completion &completion);

  // registrations.cpp
  Entry &entry_of(int socket);
  void add(int socket, Stage stage, Completion &completion);
  void remove(Completion &completion);
  void note_change(int socket, Entry &entry);
  [[nodiscard]] static std::uint32_t wanted_by(Completion *first);
  bool submit();
  bool submit_entry(int socket, Entry &entry);
  int control(int operation, int socket, std::uint32_t events);
  void unregister(int socket, Entry &entry);
  void fail_all(Entry &entry, int error);

  // epoll_io.cpp
  void collect(int timeout_ms);

  const int epoll_;
  bool collected_ = false;     // wait() has looked for events since the last reap()
  std::vector<Entry> entries_; // by descriptor; grows, never shrinks
  std::vector<int> changed_;   // descriptors whose entry the kernel may not have as it is now
  std::vector<CrowdedConnect> crowded_;
  Timer crowded_retry_;
  std::array<epoll_event, kEpollEvents> events_;
};

} // namespace culvert::epoll
