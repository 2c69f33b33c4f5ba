// The roles of a simulated world, each as its engine would hold it: a relay of two shards that can
// be killed and started again, listeners, senders.
//
// Used on the one thread of their world, which outlives them. Each must be stopped before it dies.
#pragma once

#include "services.hpp"

#include "role/listener.hpp"
#include "role/relay/relay_shard.hpp"
#include "role/sender.hpp"

#include <functional>
#include <optional>

namespace culvert::simtest {

/// Sums over the relay's lives.
struct RelaySums {
  std::uint64_t moved = 0;
  std::uint64_t joined = 0; // tunnels, moved ones too
};

/// The relay's log, with an ear at what it joins.
class JoinEar final : public Log {
public:
  explicit JoinEar(Log &log) : log_(log) {}
  [[nodiscard]] bool enabled(LogLevel level) const override { return level <= LogLevel::kDebug; }
  void write(LogLevel level, std::string_view message,
             std::initializer_list<LogField> fields) override;

  /// The id that the listener's connection said, and whether it moved between shards.
  std::function<void(const std::string &id, bool moved)> on_join;

private:
  Log &log_;
};

/// The relay's configuration, of its next start or reload.
struct RelaySettings {
  std::vector<EntityOptions> entities = {{kEntity, {}}};
  std::vector<Rule> rules;  // one key each, at first
  unsigned certificate = 0; // of Services::certificates
  RelayLimits limits;
};

class RelayHost {
public:
  static constexpr unsigned kShards = 2;

  explicit RelayHost(Services &services);
  [[nodiscard]] RelaySettings &settings() { return settings_; }
  /// The settings of a client that signs with this rule.
  [[nodiscard]] ClientSettings client_of(unsigned rule) const {
    return {settings_.rules[rule].name, settings_.rules[rule].secrets.front()};
  }
  /// Listens; its port must be free.
  void start();
  /// While it is stopped: it starts on another host.
  void move_to(const std::string &host);
  /// Applies the settings to the running relay, to one shard after the other.
  void reload();
  void drain();
  void drop();
  [[nodiscard]] bool done() const { return done_ == kShards; }
  /// Forgets the stopped relay; "" when nothing of it is left.
  std::string bury();
  [[nodiscard]] std::size_t registered() { return relay_ ? relay_->registry().size() : 0; }
  [[nodiscard]] const RelaySums &sums() const { return sums_; }
  [[nodiscard]] std::size_t held() const;
  /// The most that a shard ever held.
  [[nodiscard]] std::size_t most_held() const;
  [[nodiscard]] JoinEar &ear() { return ear_; }

private:
  void on_done() { ++done_; }
  void make_shards();
  [[nodiscard]] SimShard &shard(unsigned index) {
    return *shards_[shards_.size() - kShards + index];
  }
  [[nodiscard]] std::shared_ptr<const RelayPolicy> make_policy() const;
  RelayParts parts_of(SimShard &shard, const std::shared_ptr<const RelayPolicy> &policy);

  Services &services_;
  RelaySettings settings_;
  JoinEar ear_{services_.log};
  std::vector<std::unique_ptr<SimShard>> shards_; // the last ones are in use
  std::unique_ptr<Relay> relay_;
  std::vector<std::unique_ptr<RelayShard>> parts_;
  unsigned done_ = 0;
  RelaySums sums_;
};

/// The rules of every world's relay.
inline constexpr unsigned kSenderRule = 0;
inline constexpr unsigned kFirstListenerRule = 1;

/// The real transport, with an ear at the descriptions it gives for offers.
class TappedTransport final : public Transport {
public:
  explicit TappedTransport(std::unique_ptr<Transport> real) : owned_(std::move(real)) {}
  Result<std::string> audience(const EntityAddress &entity) override {
    return real_.audience(entity);
  }
  Result<LinkDescription> listen(const EntityAddress &entity, std::string_view token,
                                 std::string_view id) override {
    ++listens;
    last_token = token;
    return real_.listen(entity, token, id);
  }
  Result<LinkDescription> dial(const EntityAddress &entity, std::string_view token,
                               std::string_view id, std::string_view app) override {
    return real_.dial(entity, token, id, app);
  }
  ReplyResult on_reply(Purpose purpose, const Reply &reply) override {
    ReplyResult result = real_.on_reply(purpose, reply);
    refusals += result.status.retry == Retry::kNewToken ? 1 : 0;
    return result;
  }
  Result<ChannelResult> on_message(std::uint64_t &word, const Message &message) override {
    Result<ChannelResult> result = real_.on_message(word, message);
    refusals += !result.ok() && result.status().retry == Retry::kNewToken ? 1 : 0;
    return result;
  }
  Result<LinkDescription> accept(std::string_view offer) override;
  Result<LinkDescription> reject(std::string_view offer, const Status &why) override;
  Result<Message> renew(std::uint64_t &channel_word, std::string_view token) override {
    ++renewals;
    last_token = token;
    return real_.renew(channel_word, token);
  }

  std::function<void(const LinkDescription &)> on_accept;
  std::uint64_t listens = 0;
  std::uint64_t renewals = 0;
  std::uint64_t refusals = 0; // of a token
  std::string last_token;     // that listen() or renew() was given
  /// True: somebody else serves that offer.
  std::function<bool(const LinkDescription &)> takes_over;

private:
  const std::unique_ptr<Transport> owned_;
  Transport &real_ = *owned_;
};

/// A listener or sender on one shard of a host of its own.
template <typename Role> class ClientHost {
public:
  /// `log`: its own, or nullptr for the one of all.
  ClientHost(Services &services, const std::string &label, const std::string &host, bool by_proxy,
             Log *log = nullptr)
      : services_(services), by_proxy_(by_proxy),
        shard_(services.world, log != nullptr ? *log : services.log, label, host, 0,
               services.held_bytes),
        tapped_(std::move(services.transport->transport(shard_.shard).value())) {}

  /// `arguments`: the role's options, and what else it is made of.
  template <typename... Arguments>
  void make(const ClientSettings &settings, Arguments &&...arguments) {
    stopped_ = false;
    role_.emplace(kit(settings), std::forward<Arguments>(arguments)..., counters_,
                  Delegate<>::to<&ClientHost::on_stopped>(*this));
  }
  /// For what the role begins from now on.
  template <typename Options> void reload(const ClientSettings &settings, const Options &options) {
    role_->use(kit(settings), options);
  }
  [[nodiscard]] Role &role() { return *role_; }
  [[nodiscard]] SimIo &io() { return shard_.io; }
  [[nodiscard]] SimShard &shard() { return shard_; }
  [[nodiscard]] TappedTransport &transport() { return tapped_; }
  [[nodiscard]] const RoleCounters &counters() const { return counters_; }
  [[nodiscard]] bool stopped() const { return stopped_; }
  [[nodiscard]] std::size_t held() const { return shard_.shard.held.held(); }
  [[nodiscard]] std::size_t most_held() const { return shard_.shard.held.peak(); }
  [[nodiscard]] bool online() const { return counters_.channels_online == 1; }
  /// "" when a stopped role has left nothing behind.
  [[nodiscard]] std::string left() const {
    const bool clean = stopped_ && counters_.tunnels.open() == 0 &&
                       counters_.channels_online == 0 && counters_.parts_running == 0 &&
                       held() == 0 && counters_.tunnels.aborted() <= counters_.tunnels.ended();
    return clean ? "" : "a counter of " + shard_.io.label() + " is wrong\n";
  }

private:
  ClientKit kit(const ClientSettings &settings) {
    const auto made = std::make_shared<ClientInstances>(services_, shard_, settings, by_proxy_);
    ClientKit kit = made->kit(shard_, tapped_);
    kit.held = made;
    return kit;
  }
  void on_stopped() { stopped_ = true; }

  Services &services_;
  const bool by_proxy_;
  SimShard shard_;
  TappedTransport tapped_;
  RoleCounters counters_;
  std::optional<Role> role_;
  bool stopped_ = false;
};

} // namespace culvert::simtest
