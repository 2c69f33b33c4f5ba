// Who uses the tunnels: apps that connect to a sender, one session after another, and a target that
// accepts what a listener dials.
//
// Used on the one thread of their world; each owns its talkers and must be closed before it dies.
#pragma once

#include "talker.hpp"

#include <algorithm>
#include <deque>
#include <memory>

namespace culvert::simtest {

/// Runs its sessions one after the other against one sender.
class App {
public:
  App(TalkWorld &shared, Io &io, const Address &sender, std::vector<Session *> sessions);
  void start() { next(); }
  void stop();
  [[nodiscard]] bool idle() const {
    return at_ == sessions_.size() && !connect_.in_flight() && (!talker_ || talker_->closed());
  }

private:
  void next();
  void dial();
  void on_connected(Outcome outcome);
  void over();

  TalkWorld &shared_;
  Io &io_;
  const Address sender_;
  std::vector<Session *> sessions_;
  std::size_t at_ = 0;
  Socket socket_;
  Completion connect_;
  Timer gap_;
  std::unique_ptr<Talker> talker_;
};

/// Accepts on one address and lets a talker find out which session each connection is.
class Target {
public:
  Target(TalkWorld &shared, Io &io, const Address &address);
  /// Takes no more and ends what is left.
  void stop();
  [[nodiscard]] bool idle() const {
    return std::all_of(talkers_.begin(), talkers_.end(),
                       [](const auto &talker) { return talker->closed(); });
  }
  [[nodiscard]] bool stopped() const { return stopping_ && !listening_.valid() && idle(); }

private:
  void arm() { io_.accept(listening_, accept_); }
  void on_accept(Outcome outcome);
  void on_cancelled(Outcome) { close_if_joined(); }
  void close_if_joined();

  TalkWorld &shared_;
  Io &io_;
  Socket listening_;
  bool stopping_ = false;
  Completion accept_;
  Completion cancel_;
  Timer again_;
  std::deque<std::unique_ptr<Talker>> talkers_;
};

} // namespace culvert::simtest
