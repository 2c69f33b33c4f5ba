#include "role/sender.hpp"

#include "core/uuid.hpp"

namespace culvert {

Sender::Sender(const ClientKit &kit, const SenderOptions &options, RoleCounters &counters,
               Delegate<> stopped)
    : kit_(kit), options_(options), counters_(counters), stopped_(stopped),
      acceptor_(kit.shard, Delegate<Socket>::to<&Sender::on_accepted>(*this),
                Delegate<>::to<&Sender::on_acceptor_stopped>(*this)),
      tunnels_(kit.shard, counters, Delegate<>::to<&Sender::on_tunnels_empty>(*this)) {
  grace_.bind<&Sender::drop>(*this);
}

Sender::Waiting::Waiting(Sender &sender, Socket socket)
    : owner(sender), id(make_uuid(sender.kit_.shard.random)),
      app(std::make_unique<TcpLink>(sender.kit_.shard, socket)),
      outbound(sender.kit_, Delegate<Outbound &>::to<&Waiting::on_outbound>(*this)) {
  app->end_tunnel_here();
  dropping.bind<&Waiting::on_dropped>(*this);
}

void Sender::start(Socket listening) {
  counters_.parts_running.fetch_add(1, std::memory_order_relaxed);
  counters_.parts_accepting.fetch_add(1, std::memory_order_relaxed);
  listening_ = listening;
  acceptor_.start(listening);
}

void Sender::use(const ClientKit &kit, const SenderOptions &options) {
  kit_.become(kit);
  options_ = options;
}

void Sender::on_acceptor_stopped() {
  if (counters_.parts_accepting.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    kit_.shard.io.close(listening_);
  }
  check_stopped();
}

void Sender::on_accepted(Socket socket) {
  const bool room = waiting_.size() < kit_.limits->setups_per_shard;
  const auto handle =
      room && tunnels_.room() > waiting_.size() ? waiting_.make(*this, socket) : std::nullopt;
  if (!handle) {
    kit_.shard.log.write(LogLevel::kWarn, "too many connections; one is reset",
                         {{"entity", options_.entity.path},
                          {"tunnels", std::to_string(tunnels_.size())},
                          {"waiting", std::to_string(waiting_.size())}});
    kit_.shard.io.set_option(socket, SocketOption::kLingerZero, 1);
    kit_.shard.io.close(socket);
    return;
  }
  Waiting &waiting = *waiting_.find(*handle);
  waiting.handle = *handle;
  waiting.outbound.start(Purpose::kDial, options_.entity, waiting.id);
}

void Sender::Waiting::on_outbound(Outbound &done) {
  const Status &status = done.status();
  if (status.ok()) {
    owner.joined(*this);
    return;
  }
  const bool other_token = status.retry == Retry::kNewToken && done.has_other_token();
  if (other_token && !redialled && owner.phase_ == Phase::kRunning) {
    redialled = true;
    done.start(Purpose::kDial, owner.options_.entity, id);
    return;
  }
  owner.failed(*this);
}

void Sender::joined(Waiting &waiting) {
  tunnels_.join({std::move(waiting.app), "app", Source::kLocal},
                {waiting.outbound.take_link(), "relay", Source::kRelay}, options_.entity.path,
                waiting.id);
  gone(waiting.handle);
}

void Sender::failed(Waiting &waiting) {
  const Status &status = waiting.outbound.status();
  counters_.failed(status.message);
  kit_.shard.log.write(LogLevel::kWarn, "no tunnel for a connection; it is reset",
                       {{"entity", options_.entity.path},
                        {"id", waiting.id},
                        {"source", std::string(word(status.source))},
                        {"why", status.message}});
  waiting.app->drop(waiting.dropping);
}

void Sender::Waiting::on_dropped(Outcome) {
  owner.gone(handle);
}

void Sender::gone(SlabHandle handle) {
  waiting_.erase(handle);
  acceptor_.on_descriptor_freed();
  check_stopped();
}

void Sender::on_tunnels_empty() {
  acceptor_.on_descriptor_freed();
  check_stopped();
}

void Sender::drain() {
  if (phase_ != Phase::kRunning) {
    return;
  }
  phase_ = Phase::kDraining;
  acceptor_.stop();
  kit_.shard.io.arm_after_ms(grace_, options_.drain_grace_ms);
}

void Sender::drop() {
  if (phase_ == Phase::kDropping || phase_ == Phase::kStopped) {
    return;
  }
  if (phase_ == Phase::kRunning) {
    acceptor_.stop();
  }
  phase_ = Phase::kDropping;
  grace_.disarm();
  const Status why =
      Status::failure(Code::kShuttingDown, Source::kLocal, Retry::kNever, "dropped at shutdown");
  waiting_.for_each([&why](SlabHandle, Waiting &waiting) { waiting.outbound.cancel(why); });
  tunnels_.drop_all(why);
}

void Sender::check_stopped() {
  if (phase_ == Phase::kRunning || phase_ == Phase::kStopped || !acceptor_.stopped() ||
      waiting_.size() > 0 || !tunnels_.empty()) {
    return;
  }
  phase_ = Phase::kStopped;
  grace_.disarm();
  counters_.parts_running.fetch_sub(1, std::memory_order_relaxed);
  if (stopped_) {
    stopped_();
  }
}

} // namespace culvert
