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

class RelayHost {
public:
  static constexpr unsigned kShards = 2;

  explicit RelayHost(Services &services);
  /// Listens; its port must be free.
  void start(const RelayLimits &limits = {});
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
  RelayParts parts_of(SimShard &shard, const std::shared_ptr<const RelayPolicy> &policy);

  Services &services_;
  JoinEar ear_{services_.log};
  std::vector<std::unique_ptr<SimShard>> shards_;
  std::unique_ptr<Relay> relay_;
  std::vector<std::unique_ptr<RelayShard>> parts_;
  unsigned done_ = 0;
  RelaySums sums_;
};

/// The real transport, with an ear at the descriptions it gives for offers.
class TappedTransport final : public Transport {
public:
  explicit TappedTransport(Transport &real) : real_(real) {}
  Result<std::string> audience(const EntityAddress &entity) override {
    return real_.audience(entity);
  }
  Result<LinkDescription> listen(const EntityAddress &entity, std::string_view token,
                                 std::string_view id) override {
    ++listens;
    return real_.listen(entity, token, id);
  }
  Result<LinkDescription> dial(const EntityAddress &entity, std::string_view token,
                               std::string_view id, std::string_view app) override {
    return real_.dial(entity, token, id, app);
  }
  ReplyResult on_reply(Purpose purpose, const Reply &reply) override {
    return real_.on_reply(purpose, reply);
  }
  Result<ChannelResult> on_message(std::uint64_t &word, const Message &message) override {
    return real_.on_message(word, message);
  }
  Result<LinkDescription> accept(std::string_view offer) override;
  Result<LinkDescription> reject(std::string_view offer, const Status &why) override;
  Result<Message> renew(std::uint64_t &channel_word, std::string_view token) override {
    ++renewals;
    return real_.renew(channel_word, token);
  }

  std::function<void(const LinkDescription &)> on_accept;
  std::uint64_t listens = 0;
  std::uint64_t renewals = 0;
  /// True: somebody else serves that offer.
  std::function<bool(const LinkDescription &)> takes_over;

private:
  Transport &real_;
};

/// A listener or sender on one shard of a host of its own.
template <typename Role> class ClientHost {
public:
  ClientHost(Services &services, const std::string &label, const std::string &host)
      : shard_(services.world, services.log, label, host, 0, services.held_bytes),
        instances_(services, shard_), tapped_(*instances_.transport) {}

  template <typename... Arguments> void make(Arguments &&...arguments) {
    role_.emplace(instances_.kit(shard_, tapped_), std::forward<Arguments>(arguments)..., counters_,
                  Delegate<>::to<&ClientHost::on_stopped>(*this));
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
  void on_stopped() { stopped_ = true; }

  SimShard shard_;
  ClientInstances instances_;
  TappedTransport tapped_;
  RoleCounters counters_;
  std::optional<Role> role_;
  bool stopped_ = false;
};

} // namespace culvert::simtest
