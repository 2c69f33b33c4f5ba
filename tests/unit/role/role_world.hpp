// Listener and sender in a simulated world, between services that a test scripts: a relay of words,
// a target, an app.
//
// Used by one thread. It owns everything; end() drops what is left and shows that nothing remains.
#pragma once

#include "link/link.hpp"
#include "role/acceptor.hpp"
#include "role/listener.hpp"
#include "role/sender.hpp"
#include "support/sim/sim_world.hpp"
#include "unit/relay/raw_peer.hpp"
#include "unit/role/doubles.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace culvert::test {

/// One accepted connection of a Service.
class Session {
public:
  Session(Shard &shard, Socket socket, std::function<void(Session &)> on_bytes);
  ~Session();
  void raw(std::string bytes);
  /// One message behind its length.
  void say(const std::string &words);
  /// The next whole message that was heard, or nothing.
  std::optional<std::string> message();
  void finish();
  void drop();

  std::string heard;
  std::string last; // what the script keeps here
  bool heard_end = false;
  bool aborted = false;
  bool gone = false;
  bool stop_reading = false; // what arrives from now on stays with the kernel

private:
  void on_receive(Outcome outcome);
  void on_finish(Outcome) {}
  void on_gone(Outcome) { gone = true; }

  std::function<void(Session &)> on_bytes_;
  std::unique_ptr<Link> link_;
  Completion receive_;
  Completion finish_;
  Completion dropping_;
};

/// Listens on a host of its own and gives every connection to the script.
class Service {
public:
  Service(SimWorld &world, Log &log, const std::string &host, std::uint16_t port,
          std::function<void(Session &)> on_bytes);
  /// Accepts again, after close().
  void open();
  /// Refuses connections from now on.
  void close();
  void drop_all();
  [[nodiscard]] bool closed() const { return !acceptor_ || acceptor_->stopped(); }
  [[nodiscard]] bool ended();

  std::deque<Session> sessions;

private:
  void on_socket(Socket socket) { sessions.emplace_back(*shard_, socket, on_bytes_); }
  void on_stopped() { shard_->io.close(listening_); }

  std::unique_ptr<Random> random_;
  std::unique_ptr<Shard> shard_;
  const Address address_;
  std::function<void(Session &)> on_bytes_;
  Socket listening_;
  bool open_ = false;
  std::optional<Acceptor> acceptor_;
};

struct TimedLine {
  std::uint64_t at_ms;
  LogLevel level;
  std::string text;
};

class TimedLog final : public Log {
public:
  [[nodiscard]] bool enabled(LogLevel) const override { return true; }
  void write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) override;
  [[nodiscard]] std::size_t count(std::string_view text) const;
  [[nodiscard]] std::string text() const;

  SimWorld *world = nullptr;
  std::vector<TimedLine> lines;
};

class RoleWorld {
public:
  explicit RoleWorld(std::uint64_t seed = 1, std::size_t keys = 1);
  ~RoleWorld();

  void start_listener(std::vector<std::string> rendezvous_hosts = {});
  void start_sender() { start_sender(app_address_); }
  void start_sender(const Address &at);
  RawPeer &app(std::string bytes = "", bool finishes = false);
  bool run_until(const std::function<bool()> &done, std::uint64_t within_ms = 60'000) {
    return world.run_until(done, within_ms);
  }
  [[nodiscard]] bool online() const { return counters.channels_online == 1; }
  /// The relay's session with a control channel that is open now.
  Session *channel();
  std::string end();
  [[nodiscard]] ClientKit kit() {
    return {*shard,  transport, auth,    resolver, nullptr,
            digests, &limits,   nullptr, {},       proxy ? &*proxy : nullptr};
  }

  SimWorld world;
  TimedLog log;
  std::function<void(Session &)> relay_script; // nothing: answers "ok" to every head
  std::function<void(Session &)> target_script;
  Service relay;  // 10.0.0.1:4430
  Service target; // 10.0.0.3:80
  std::unique_ptr<Random> random;
  std::unique_ptr<Shard> shard; // of the role, on 10.0.0.2
  WordTransport transport;
  TableAuth auth;
  TableResolver resolver;
  Digests digests;
  RoleCounters counters;
  std::optional<Proxy> proxy;
  ClientLimits limits; // of the role that is started next
  ListenerOptions listener_options;
  SenderOptions sender_options;
  bool stopped = false;
  std::optional<Listener> listener;
  std::optional<Sender> sender;

private:
  void on_stopped() { stopped = true; }
  std::unique_ptr<Random> app_random_;
  std::unique_ptr<Shard> app_shard_; // on 10.0.0.4
  Address app_address_;
  std::deque<RawPeer> apps_;
};

/// A relay script: offers `words` once the channel is there, and answers every other head with
/// "ok".
std::function<void(Session &)> offering(std::vector<std::string> words);

/// A relay script: takes each head and ends that session at once.
void lets_in_and_out(Session &session);

/// The relay's first session whose head begins so, or nullptr.
Session *head_of(RoleWorld &world, const std::string &beginning);

} // namespace culvert::test
