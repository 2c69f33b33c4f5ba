#include "storm.hpp"

#include "core/uuid.hpp"

namespace culvert::simtest {

namespace {

constexpr std::uint64_t kLaterMs = 30'000;
constexpr std::uint64_t kStopMs = 200'000;
const Address kTarget = *Address::from_literal("10.0.4.1", 5432);
const Address kSender = *Address::from_literal("10.0.2.1", 5432);

RelayLimits relay_limits() {
  RelayLimits limits;
  limits.listeners_per_entity = 1'000;
  return limits;
}

} // namespace

Storm::Storm(std::uint64_t seed)
    : world_(seed), services_(world_, false, "transport_azure", ShardLimits{}.held_bytes, 3'600),
      relay_(services_),
      listener_shard_(world_, services_.log, "listeners", "10.0.1.1", 0, ShardLimits{}.held_bytes),
      listener_transport_(std::move(services_.transport->transport(listener_shard_.shard).value())),
      listener_plugins_(services_, listener_shard_, relay_.client_of(kFirstListenerRule)),
      sender_(services_, "sender", "10.0.2.1", false), sessions_(kApps),
      target_(talk_, world_.make_io("target", "10.0.4.1"), kTarget),
      app_io_(world_.make_io("apps", "10.0.3.1")) {
  sender_options_.entity = listener_options_.entity = {kRelayName, kRelayPort, kEntity};
  listener_options_.target = {kTarget.host(), kTarget.port, ""};
  relay_.settings().limits = relay_limits();
  sender_.make(relay_.client_of(kSenderRule), sender_options_);
  for (Session &session : sessions_) {
    session.number = static_cast<std::uint64_t>(&session - sessions_.data());
    session.up.key = session.number;
    session.down.key = session.number + kApps;
    session.up.planned = session.down.planned = 100;
    apps_.emplace_back(talk_, app_io_, kSender, std::vector<Session *>{&session});
  }
}

std::string Storm::run() {
  relay_.start();
  sender_.role().start({sender_.io().listen(kSender).value()});
  start_listeners();
  const bool held = all_registered("at the start") && restart_relay() &&
                    all_registered("when the relay has restarted") && crowd() && stop();
  const std::string leaks = held ? sender_.left() + world_.leaks() : "";
  if (!leaks.empty()) {
    judge_.fail(leaks);
  }
  std::string text;
  for (const std::string &failure : judge_.failures()) {
    text += failure + "\n";
  }
  return text;
}

void Storm::start_listeners() {
  for (std::size_t i = 0; i < kListeners; ++i) {
    listeners_.emplace_back(listener_plugins_.kit(listener_shard_, *listener_transport_),
                            listener_options_, make_uuid(*services_.random), listener_counters_,
                            Delegate<>::to<&Storm::on_listener_stopped>(*this));
    listeners_.back().start();
  }
}

bool Storm::all_registered(const char *when) {
  return until(
      [this] {
        return relay_.registered() == kListeners &&
               listener_counters_.channels_online == kListeners;
      },
      kLaterMs, std::string("every listener is registered ") + when);
}

bool Storm::restart_relay() {
  relay_.drop();
  if (!until([this] { return relay_.done(); }, kStopMs, "the killed relay ends")) {
    return false;
  }
  const std::string left = relay_.bury();
  if (!left.empty()) {
    judge_.fail(left);
  }
  relay_.start();
  return left.empty();
}

bool Storm::crowd() {
  for (App &app : apps_) {
    app.start();
  }
  if (!until(
          [this] {
            return target_.idle() && std::all_of(apps_.begin(), apps_.end(),
                                                 [](const App &app) { return app.idle(); });
          },
          kLaterMs, "every session is over")) {
    return false;
  }
  const auto whole = std::count_if(sessions_.begin(), sessions_.end(),
                                   [](const Session &session) { return session.whole(); });
  if (whole != static_cast<std::ptrdiff_t>(kApps)) {
    judge_.fail(std::to_string(whole) + " of " + std::to_string(kApps) + " sessions are whole");
  }
  if (sender_.counters().setups_failed != 0) {
    judge_.fail("a set-up failed: " + sender_.counters().last_failure());
  }
  return judge_.failures().empty();
}

bool Storm::stop() {
  sender_.role().drop();
  for (Listener &listener : listeners_) {
    listener.drop();
  }
  relay_.drop();
  target_.stop();
  for (App &app : apps_) {
    app.stop();
  }
  return until(
             [this] {
               return relay_.done() && sender_.stopped() && listeners_stopped_ == kListeners &&
                      target_.stopped();
             },
             kStopMs, "all roles are stopped") &&
         relay_.bury().empty();
}

bool Storm::until(const std::function<bool()> &done, std::uint64_t within_ms,
                  const std::string &what) {
  if (world_.run_until(done, within_ms)) {
    return true;
  }
  judge_.fail(what + " within " + std::to_string(within_ms) + " ms");
  return false;
}

} // namespace culvert::simtest
