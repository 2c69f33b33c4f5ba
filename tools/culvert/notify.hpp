// What the process tells a service manager, as sd_notify(3) does: datagrams to the socket that
// $NOTIFY_SOCKET names. Without that variable nothing is sent.
//
// One thread. A failure is logged once; the process goes on.
#pragma once

#include "culvert/log.hpp"

#include <chrono>
#include <string>
#include <sys/un.h>

namespace culvert::command {

class Notify {
public:
  /// Reads the environment: NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
  explicit Notify(Log &log);
  Notify(const Notify &) = delete;
  Notify &operator=(const Notify &) = delete;
  ~Notify();

  /// Not ready yet, and why. The same text is sent once.
  void waiting(const std::string &why);
  void ready(const std::string &status);
  void reloading();
  void stopping();
  /// Whether half of the watchdog's time has passed since this was true before.
  bool watchdog_due();
  void watchdog() { send("WATCHDOG=1"); }

private:
  void send(const std::string &text);
  void failed();

  Log &log_;
  const std::string name_; // of the socket, as in the environment
  int socket_ = -1;
  sockaddr_un address_{};
  bool failed_ = false;
  std::string waited_for_;
  std::chrono::microseconds watchdog_half_{0}; // 0: none
  std::chrono::steady_clock::time_point watchdog_at_;
};

} // namespace culvert::command
