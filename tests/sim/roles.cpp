#include "roles.hpp"

#include <algorithm>

namespace culvert::simtest {

namespace {

constexpr std::string_view kTakenOver = "somebody else serves it";

} // namespace

void JoinEar::write(LogLevel level, std::string_view message,
                    std::initializer_list<LogField> fields) {
  if (message == "tunnel joined" && on_join) {
    std::string id;
    bool moved = false;
    for (const LogField &field : fields) {
      id = field.name == "listener" ? field.value : id;
      moved = moved || (field.name == "listener_moved_here" && field.value == "yes");
    }
    on_join(id, moved);
  }
  if (log_.enabled(level)) {
    log_.write(level, message, fields);
  }
}

RelayHost::RelayHost(Services &services) : services_(services) {
  for (unsigned i = 0; i < kShards; ++i) {
    shards_.push_back(std::make_unique<SimShard>(services.world, ear_, "relay-" + std::to_string(i),
                                                 kRelayHost, i, services.held_bytes));
  }
}

RelayParts RelayHost::parts_of(SimShard &shard, const std::shared_ptr<const RelayPolicy> &policy) {
  RelayParts parts;
  parts.policy = policy;
  TlsServerOptions options;
  options.credentials = &services_.certificates.server;
  for (const auto &unit : services_.relay_protocols) {
    parts.protocols.push_back(
        {std::string(unit->id()), std::move(unit->relay_protocol(shard.shard).value())});
    const std::vector<std::string> &words = parts.protocols.back().instance->alpn();
    options.alpn.insert(options.alpn.end(), words.begin(), words.end());
  }
  parts.auth = std::move(services_.relay_auth->auth(shard.shard).value());
  if (services_.tls) {
    parts.tls = std::move(TlsContext::server(shard.io, options).value());
  }
  return parts;
}

void RelayHost::start(const RelayLimits &limits) {
  RelayOptions options;
  options.limits = limits;
  options.names = {kRelayName};
  options.entities = {{kEntity, {}}};
  options.own_rules = {{"root", kRightManage, {services_.key}}};
  const auto policy = std::make_shared<const RelayPolicy>(options);
  relay_ = std::make_unique<Relay>(kShards);
  done_ = 0;
  for (const auto &shard : shards_) {
    parts_.push_back(std::make_unique<RelayShard>(*relay_, shard->shard, parts_of(*shard, policy),
                                                  Delegate<>::to<&RelayHost::on_done>(*this)));
  }
  // A relay that starts has descriptors left: this world's faults begin behind that.
  const SimFaults faults = std::exchange(services_.world.faults(), {});
  const Socket socket =
      shards_.front()->io.listen(*Address::from_literal(kRelayHost, kRelayPort)).value();
  services_.world.faults() = faults;
  for (const auto &part : parts_) {
    part->start({socket});
  }
}

void RelayHost::drain() {
  for (const auto &part : parts_) {
    part->drain();
  }
}

void RelayHost::drop() {
  for (const auto &part : parts_) {
    part->drop();
  }
}

std::size_t RelayHost::held() const {
  std::size_t sum = 0;
  for (const auto &shard : shards_) {
    sum += shard->shard.held.held();
  }
  return sum;
}

std::size_t RelayHost::most_held() const {
  std::size_t most = 0;
  for (const auto &shard : shards_) {
    most = std::max(most, shard->shard.held.peak());
  }
  return most;
}

std::string RelayHost::bury() {
  const RelayCounters &counters = relay_->counters();
  sums_.moved += counters.tunnels.moved();
  sums_.joined += counters.tunnels.ended();
  const bool clean = counters.tunnels.open() == 0 && counters.listeners == 0 &&
                     counters.unauthenticated == 0 && counters.pending == 0 &&
                     counters.tunnels.aborted() <= counters.tunnels.ended() &&
                     counters.tunnels.moved() <= counters.tunnels.ended() &&
                     relay_->registry().size() == 0 && held() == 0;
  parts_.clear();
  relay_.reset();
  return clean ? "" : "a counter of the relay is wrong\n";
}

Result<LinkDescription> TappedTransport::accept(std::string_view offer) {
  Result<LinkDescription> description = real_.accept(offer);
  if (on_accept && description.ok()) {
    on_accept(description.value());
  }
  if (takes_over && description.ok() && takes_over(description.value())) {
    return Status::failure(Code::kGone, Source::kLocal, Retry::kNever, std::string(kTakenOver));
  }
  return description;
}

Result<LinkDescription> TappedTransport::reject(std::string_view offer, const Status &why) {
  if (why.message == kTakenOver) {
    return why; // whoever took it over needs the capability
  }
  return real_.reject(offer, why);
}

} // namespace culvert::simtest
