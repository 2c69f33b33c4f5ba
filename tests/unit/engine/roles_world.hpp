// Relay, listener and sender in one engine, and the mistakes that an update of each may have.
//
// Used by the test's thread; what blocks runs on one of its own (meanwhile()).
#pragma once

#include "unit/engine/embedder.hpp"

#include <algorithm>
#include <functional>
#include <poll.h>
#include <tuple>

namespace culvert::test {

using State = RoleStats::State;

template <typename Config> Config with_key(Config config, const std::string &key) {
  config.connection.key = Secret(std::string_view(key));
  return config;
}

/// A mistake, and what the answer says of it.
struct Mistake {
  const char *part;
  std::function<Status()> update;
};

/// Relay, listener and sender in one engine that a host drives or that has threads.
class RolesTest : public testing::TestWithParam<std::tuple<bool, Backend>> {
protected:
  RolesTest() {
    EngineConfig config = engine_config(driven_by_host, driven_by_host ? 1 : 2, backend);
    config.limits.drain_grace_ms = 200;
    Result<std::unique_ptr<Engine>> made = Engine::create(config, log);
    EXPECT_TRUE(made.ok()) << made.status().message;
    engine = std::move(made.value());
    relay = engine->start_relay(setting.relay()).value();
    port = engine->bound(relay).port;
    listener = engine->start_listener(setting.listener(port, echo.port())).value();
    sender = engine->start_sender(setting.sender(port)).value();
    EXPECT_TRUE(engine->wait_for(listener, State::kOnline, kPatienceMs));
  }

  /// Runs what blocks on a thread of its own, and the engine meanwhile.
  void meanwhile(const std::function<void()> &work) {
    if (!driven_by_host) {
      work();
      return;
    }
    std::atomic<bool> over = false;
    std::thread thread([&] {
      work();
      over = true;
    });
    while (!over) {
      while (engine->run_ready()) {
      }
      constexpr std::uint64_t kLookMs = 5;
      pollfd descriptor{engine->descriptor(), POLLIN, 0};
      ::poll(&descriptor, 1, static_cast<int>(std::min(engine->nearest_deadline_ms(), kLookMs)));
    }
    thread.join();
  }
  /// What comes back for the text, through this sender.
  std::string answer(RoleId through, const std::string &text = "question") {
    const std::uint16_t at = engine->bound(through).port;
    std::string got;
    meanwhile([&] {
      App app(at);
      app.send(text);
      app.finish();
      got = app.receive(text.size());
    });
    return got;
  }
  std::string answer(App &app, const std::string &text) {
    std::string got;
    meanwhile([&] {
      app.send(text);
      got = app.receive(text.size());
    });
    return got;
  }
  RelayConfig relay_with_key(const std::string &key) {
    RelayConfig config = setting.relay();
    config.rules[0].primary = Secret(std::string_view(key));
    return config;
  }

  std::vector<Mistake> relay_mistakes() {
    const auto row = [this](const std::function<void(RelayConfig &)> &change) {
      return [this, change] {
        RelayConfig config = relay_with_key("another key");
        change(config);
        return engine->update(relay, config);
      };
    };
    return {
        {"bind cannot be changed", row([](RelayConfig &c) { c.bind.port = 1; })},
        {"bind_mode cannot be changed", row([](RelayConfig &c) { c.bind_mode = 0600; })},
        {"no entity", row([](RelayConfig &c) { c.entities.clear(); })},
        {"relay.pem", row([](RelayConfig &c) { c.tls_certificate_file = "/no/relay.pem"; })},
        {"nowhere", row([](RelayConfig &c) { c.protocols = {"nowhere"}; })},
        {"limit 'unauthenticated' is 0; write 1 to",
         row([](RelayConfig &c) { c.limits.unauthenticated = 0; })},
        {"is no listener",
         [this] { return engine->update(relay, setting.listener(port, echo.port())); }},
    };
  }
  std::vector<Mistake> listener_mistakes() {
    const auto row = [this](const std::function<void(ListenerConfig &)> &change) {
      return [this, change] {
        ListenerConfig config = setting.listener(port, other_echo.port());
        change(config);
        return engine->update(listener, config);
      };
    };
    return {
        {"the relay of a listener cannot", row([](ListenerConfig &c) { c.connection.port = 1; })},
        {"the entity of a listener cannot",
         row([](ListenerConfig &c) { c.connection.entity_path = "other"; })},
        {"port 0", row([](ListenerConfig &c) { c.target.port = 0; })},
        {"transport cannot", row([](ListenerConfig &c) { c.transport = "example_relay"; })},
        {"ca.pem", row([](ListenerConfig &c) { c.ca_file = "/no/ca.pem"; })},
        {"limit 'handshake_ms' is 1 ms", row([](ListenerConfig &c) { c.limits.handshake_ms = 1; })},
        {"is no sender", [this] { return engine->update(listener, setting.sender(port)); }},
    };
  }
  std::vector<Mistake> sender_mistakes() {
    const auto row = [this](const std::function<void(SenderConfig &)> &change) {
      return [this, change] {
        SenderConfig config = with_key(setting.sender(port), "another key");
        change(config);
        return engine->update(sender, config);
      };
    };
    return {
        {"bind cannot be changed", row([](SenderConfig &c) { c.bind.port = 1; })},
        {"bind_mode cannot be changed", row([](SenderConfig &c) { c.bind_mode = 0600; })},
        {"transport cannot", row([](SenderConfig &c) { c.transport = "example_relay"; })},
        {"nowhere", row([](SenderConfig &c) { c.auth = "nowhere"; })},
        {"is no relay", [this] { return engine->update(sender, setting.relay()); }},
    };
  }

  const bool driven_by_host = std::get<0>(GetParam());
  const Backend backend = std::get<1>(GetParam());
  Setting setting;
  SilentLog log;
  EchoService echo;
  EchoService other_echo;
  std::unique_ptr<Engine> engine;
  RoleId relay = 0, listener = 0, sender = 0;
  std::uint16_t port = 0;
};

} // namespace culvert::test
