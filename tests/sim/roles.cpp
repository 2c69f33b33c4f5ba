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
  settings_.rules = {{"sender", kRightSend, {services.make_key()}},
                     {"listener-0", kRightListen, {services.make_key()}},
                     {"listener-1", kRightListen, {services.make_key()}}};
  make_shards();
}

void RelayHost::make_shards() {
  for (unsigned i = 0; i < kShards; ++i) {
    shards_.push_back(std::make_unique<SimShard>(services_.world, ear_,
                                                 "relay-" + std::to_string(i), services_.relay_host,
                                                 i, services_.held_bytes));
  }
}

void RelayHost::move_to(const std::string &host) {
  CULVERT_ASSERT(relay_ == nullptr);
  services_.relay_host = host;
  make_shards();
}

RelayParts RelayHost::parts_of(SimShard &shard, const std::shared_ptr<const RelayPolicy> &policy) {
  RelayParts parts;
  parts.policy = policy;
  TlsServerOptions options;
  options.credentials = &services_.certificates[settings_.certificate].server;
  for (const auto &unit : services_.relay_protocols) {
    parts.protocols.push_back(
        {std::string(unit->id()), std::move(unit->relay_protocol(shard.shard).value())});
    const std::vector<std::string> &words = parts.protocols.back().instance->alpn();
    options.alpn.insert(options.alpn.end(), words.begin(), words.end());
  }
  parts.auth = std::move(services_.relay_auth->auth(shard.shard).value());
  if (services_.wrap_auth) {
    parts.auth = services_.wrap_auth(std::move(parts.auth), shard.io);
  }
  if (services_.tls) {
    parts.tls = std::move(TlsContext::server(shard.io, options).value());
  }
  return parts;
}

std::shared_ptr<const RelayPolicy> RelayHost::make_policy() const {
  RelayOptions options;
  options.limits = settings_.limits;
  options.names = {kRelayName};
  options.entities = settings_.entities;
  options.own_rules = settings_.rules;
  CULVERT_ASSERT(RelayPolicy::check(options).ok());
  return std::make_shared<const RelayPolicy>(options);
}

void RelayHost::start() {
  const auto policy = make_policy();
  relay_ = std::make_unique<Relay>(kShards);
  done_ = 0;
  for (unsigned i = 0; i < kShards; ++i) {
    parts_.push_back(std::make_unique<RelayShard>(*relay_, shard(i).shard,
                                                  parts_of(shard(i), policy),
                                                  Delegate<>::to<&RelayHost::on_done>(*this)));
  }
  // A relay that starts has descriptors left: this world's faults begin behind that.
  const SimFaults faults = std::exchange(services_.world.faults(), {});
  const Socket socket =
      shard(0).io.listen(*Address::from_literal(services_.relay_host, kRelayPort)).value();
  services_.world.faults() = faults;
  for (const auto &part : parts_) {
    part->start({socket});
  }
}

void RelayHost::reload() {
  const auto policy = make_policy();
  for (unsigned i = 0; i < kShards; ++i) {
    parts_[i]->use(parts_of(shard(i), policy));
    services_.world.run_for(services_.random->below(2)); // the next one is not told at once
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
