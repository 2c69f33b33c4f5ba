// Renews the token of a listener's control channel before it ends.
//
// Belongs to its listener, on one shard. From start() on it asks the auth plugin for another token
// when three quarters of the time left have passed, or earlier if the plugin said so. A token that
// differs goes to `renewed`. When there is none, `failed` runs and the plugin is asked again after
// a pause; the channel stays open as long as the relay lets it.
#pragma once

#include "io/wall_timer.hpp"
#include "role/outbound.hpp"

#include <cstdint>
#include <optional>

namespace culvert {

class Renewal {
public:
  /// `kit`: the listener's, which it may change; each question goes to the auth plugin that is in
  /// it at that time. `settled`: see stop().
  Renewal(const ClientKit &kit, Delegate<const Token &> renewed, Delegate<const Status &> failed,
          Delegate<> settled);
  Renewal(const Renewal &) = delete;
  Renewal &operator=(const Renewal &) = delete;

  /// `first`: the token that the channel was opened with; its text is not used. A token without an
  /// end is not renewed. Nothing may be in flight.
  void start(const EntityAddress &entity, const Token &first);
  /// The kit has another auth plugin. Each numbers its own tokens, so the relay has none of this
  /// one's: it is asked for one at once, because the relay may soon refuse the key of the token
  /// that it has. A token without an end stays.
  void use_other_auth();
  /// The relay has refused the token that it has: the plugin that made it should make another one.
  void refused();
  /// The channel ends. If a plugin was asked, `settled` runs when it has let go.
  void stop();
  [[nodiscard]] bool in_flight() const { return acquire_.in_flight(); }

private:
  enum class State : std::uint8_t { kStopped, kWaiting, kAsking };

  void has(const Token &token);
  void ask_at(std::int64_t wall_s);
  void ask();
  void give_up() { acquire_.abandon(); }
  void on_token(Outcome outcome);
  void not_renewed(const Status &why);

  const ClientKit &kit_;
  const Delegate<const Token &> renewed_;
  const Delegate<const Status &> failed_;
  const Delegate<> settled_;
  EntityAddress entity_;
  State state_ = State::kStopped;
  std::optional<std::uint64_t> id_; // of the token that the relay has, if this plugin made it
  std::int64_t expires_s_ = 0;
  std::shared_ptr<const void> asked_of_; // what the plugin that is asked needs
  WallTimer timer_;
  Timer deadline_; // of the plugin's answer
  AcquireToken acquire_;
};

} // namespace culvert
