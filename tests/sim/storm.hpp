// Crowds in a world without faults, with the real relay and plugins: listeners that all come back
// when their relay restarts, and apps that all connect to one sender at one moment.
//
// Used on one thread. What must hold is counted, not timed, but for bounds of virtual time.
#pragma once

#include "people.hpp"
#include "roles.hpp"

namespace culvert::simtest {

class Storm {
public:
  explicit Storm(std::uint64_t seed);

  /// What did not hold, a line each; "" when all did. Behind a failure it must be leaked.
  std::string run();

private:
  static constexpr std::size_t kListeners = 600;
  static constexpr std::size_t kApps = 1'500;

  void start_listeners();
  bool all_registered(const char *when);
  bool restart_relay();
  bool crowd();
  bool stop();
  bool until(const std::function<bool()> &done, std::uint64_t within_ms, const std::string &what);
  void on_listener_stopped() { ++listeners_stopped_; }

  SimWorld world_;
  Judge judge_;
  Services services_;
  RelayHost relay_;
  SimShard listener_shard_;
  std::unique_ptr<Transport> listener_transport_;
  ClientInstances listener_plugins_;
  ListenerOptions listener_options_;
  RoleCounters listener_counters_;
  std::deque<Listener> listeners_; // of one address, as the relay sees it
  std::size_t listeners_stopped_ = 0;
  SenderOptions sender_options_;
  ClientHost<Sender> sender_;
  std::vector<Session> sessions_;
  TalkWorld talk_{world_, judge_, sessions_, false};
  Target target_;
  SimIo &app_io_;
  std::deque<App> apps_;
};

} // namespace culvert::simtest
