#include "role/sender.hpp"

#include "core/uuid.hpp"
#include "link/tcp.hpp"
#include "role/repeat.hpp"

#include <algorithm>
#include <cerrno>

namespace culvert {
namespace {

Status dropped() {
  return Status::failure(Code::kShuttingDown, Source::kLocal, Retry::kNever, "dropped at shutdown");
}

} // namespace

Sender::Sender(const ClientKit &kit, const SenderOptions &options, RoleCounters &counters,
               Delegate<> stopped)
    : kit_(kit), options_(options), counters_(counters), stopped_(stopped),
      acceptor_(kit.shard, Delegate<Socket>::to<&Sender::on_accepted>(*this),
                Delegate<>::to<&Sender::on_acceptor_stopped>(*this)),
      pacer_(*kit.limits), tunnel_log_(kit.log()),
      tunnels_(kit.shard, counters.tunnels, {&tunnel_log_},
               Delegate<>::to<&Sender::on_tunnel_ended>(*this)) {
  grace_.bind<&Sender::drop>(*this);
  ending_.bind<&Sender::on_stopped>(*this);
}

Sender::Waiting::Waiting(Sender &sender, Socket socket)
    : owner(sender), id(make_uuid(sender.kit_.shard.random)), app(socket),
      accepted_ns(sender.kit_.shard.io.now_ns()),
      outbound(sender.kit_, Delegate<Outbound &>::to<&Waiting::on_outbound>(*this)) {
  pause.bind<&Waiting::on_pause>(*this);
  watch.bind<&Waiting::on_watch>(*this);
}

// --- accepting -----------------------------------------------------------------------------------

void Sender::start(std::vector<Socket> listening) {
  counters_.parts_running.fetch_add(1, std::memory_order_relaxed);
  counters_.parts_accepting.fetch_add(1, std::memory_order_relaxed);
  listening_ = std::move(listening);
  // A killed process reads as a reset at an app, not as an empty answer, from the moment on at
  // which the kernel accepts the app.
  for (const Socket socket : listening_) {
    kit_.shard.io.set_option(socket, SocketOption::kLingerZero, 1);
  }
  acceptor_.start(listening_);
}

void Sender::use(const ClientKit &kit, const SenderOptions &options) {
  kit_.become(kit);
  options_ = options;
  pacer_.use(*kit.limits);
}

void Sender::on_acceptor_stopped() {
  if (counters_.parts_accepting.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    for (const Socket socket : listening_) {
      kit_.shard.io.close(socket);
    }
  }
  check_stopped();
}

void Sender::on_accepted(Socket socket) {
  const bool room = waiting_.size() < kit_.limits->setups_per_shard;
  const auto handle = room && tunnels_.room(kit_.limits->tunnels_per_shard) > waiting_.size()
                          ? waiting_.make(*this, socket)
                          : std::nullopt;
  if (!handle) {
    const FailureCount::Failure failure = count_failure(Code::kOverload);
    kit_.log().write(failure.level(LogLevel::kWarn), "too many connections; one is reset",
                     {{"entity", options_.entity.path},
                      {"tunnels", std::to_string(tunnels_.size())},
                      {"waiting", std::to_string(waiting_.size())},
                      {"failures", std::to_string(failure.count)}});
    reset(socket);
    return;
  }
  Waiting &waiting = *waiting_.find(*handle);
  waiting.handle = *handle;
  const Result<Address> peer = kit_.shard.io.peer_address(socket);
  if (peer.ok() && peer.value().family != Address::Family::kUnix) {
    waiting.app_address = peer.value().text();
  }
  if (kit_.log().enabled(LogLevel::kDebug)) {
    kit_.log().write(
        LogLevel::kDebug, "an app has connected",
        {{"entity", options_.entity.path}, {"id", waiting.id}, {"app", waiting.app_address}});
  }
  if (options_.tcp_health) {
    probe(waiting);
  } else {
    admit(waiting);
  }
}

/// Until its first byte, its end or health_wait_ms, whatever is first.
void Sender::probe(Waiting &waiting) {
  waiting.state = Waiting::State::kProbing;
  kit_.shard.io.arm_after_ms(waiting.pause, kit_.limits->health_wait_ms);
  waiting.watch.poll(kit_.shard.io, waiting.app, Interest::kReadable);
}

void Sender::on_probed(Waiting &waiting) {
  waiting.pause.disarm();
  std::byte byte{};
  const int size = kit_.shard.io.receive(waiting.app, {&byte, 1});
  if (size == 1) {
    waiting.first_byte = byte;
  } else if (size != -EAGAIN) {
    if (kit_.log().enabled(LogLevel::kDebug)) {
      kit_.log().write(
          LogLevel::kDebug, "a connection ended without a byte: it was a probe",
          {{"entity", options_.entity.path}, {"id", waiting.id}, {"app", waiting.app_address}});
    }
    reset(waiting.app);
    gone(waiting);
    return;
  }
  admit(waiting);
}

void Sender::admit(Waiting &waiting) {
  // An end of the app's sending direction does not end the wait: an app may say all it has to say,
  // half-close and wait for the answer (`echo x | nc`). Over TCP one that has closed its socket
  // looks the same until something is sent to it.
  waiting.watch.poll(kit_.shard.io, waiting.app, Interest::kGone);
  enqueue(waiting);
}

void Sender::reset(Socket socket) {
  kit_.shard.io.set_option(socket, SocketOption::kLingerZero, 1);
  kit_.shard.io.close(socket);
  acceptor_.on_descriptor_freed();
}

/// No more than a window's worth waits here; the kernel keeps the others.
void Sender::pace_accepts() {
  if (phase_ != Phase::kRunning) {
    return;
  }
  const std::uint32_t idle = waiting_.size() - pacer_.running();
  if (idle >= pacer_.window()) {
    acceptor_.hold();
  } else if (idle <= pacer_.window() / 2) {
    acceptor_.release();
  }
}

// --- set-up --------------------------------------------------------------------------------------

void Sender::enqueue(Waiting &waiting) {
  waiting.state = Waiting::State::kQueued;
  queue_.push_back(waiting);
  dial_queued();
}

void Sender::dial_queued() {
  if (dialling_) {
    return; // a set-up that failed inside its start: the loop below goes on
  }
  dialling_ = true;
  while (pacer_.may_start() && !queue_.empty()) {
    Waiting &waiting = *queue_.pop_front();
    waiting.state = Waiting::State::kDialling;
    waiting.began_in_round = pacer_.begin();
    if (waiting.first_dial_ns == 0) {
      waiting.first_dial_ns = kit_.shard.io.now_ns();
    }
    dial(waiting);
  }
  dialling_ = false;
  pace_accepts();
}

/// With the keys and the entity of this moment, whatever an update changed while it waited.
void Sender::dial(Waiting &waiting) {
  waiting.outbound.use(kit_);
  waiting.outbound.start(Purpose::kDial, options_.entity, waiting.id,
                         options_.tell_app_address ? waiting.app_address : "");
}

void Sender::on_outbound(Waiting &waiting) {
  const Status &status = waiting.outbound.status();
  if (waiting.state == Waiting::State::kLeaving) {
    pacer_.ended();
    end_watch(waiting, Waiting::State::kLeaving);
  } else if (status.ok()) {
    pacer_.succeeded();
    end_watch(waiting, Waiting::State::kJoining);
  } else if (status.retry == Retry::kNewToken && waiting.outbound.has_other_token() &&
             !waiting.other_key_tried && phase_ == Phase::kRunning) {
    waiting.other_key_tried = true;
    dial(waiting);
    return;
  } else if (may_repeat(waiting)) {
    pacer_.refused(waiting.began_in_round);
    repeat_later(waiting);
  } else {
    pacer_.ended();
    give_up(waiting, status);
  }
  dial_queued();
}

bool Sender::may_repeat(const Waiting &waiting) const {
  const Status &status = waiting.outbound.status();
  const bool crowded = status.source == Source::kRelay &&
                       (status.code == Code::kOverload || status.code == Code::kReset);
  return crowded && phase_ == Phase::kRunning &&
         kit_.shard.io.now_ns() - waiting.first_dial_ns < kit_.limits->setup_repeat_ms * 1'000'000U;
}

void Sender::on_pause(Waiting &waiting) {
  if (waiting.state == Waiting::State::kProbing) {
    waiting.watch.cancel();
  } else {
    enqueue(waiting);
  }
}

/// After a random part of a pause that doubles.
void Sender::repeat_later(Waiting &waiting) {
  waiting.state = Waiting::State::kPausing;
  waiting.pause_ms = kit_.limits->next_pause_ms(waiting.pause_ms);
  kit_.shard.io.arm_after_ms(waiting.pause, part_of_pause_ms(waiting.pause_ms, kit_.shard.random));
  if (kit_.log().enabled(LogLevel::kDebug)) {
    kit_.log().write(LogLevel::kDebug, "the relay is too busy; a set-up is repeated",
                     {{"entity", options_.entity.path},
                      {"id", waiting.id},
                      {"why", waiting.outbound.status().message},
                      {"window", std::to_string(pacer_.window())}});
  }
}

// --- out of the set-up ---------------------------------------------------------------------------

/// Goes on in on_watch(), with nothing of the app's socket in flight.
void Sender::end_watch(Waiting &waiting, Waiting::State state) {
  waiting.state = state;
  if (waiting.watch.armed()) {
    waiting.watch.cancel();
  } else {
    on_watch(waiting, {});
  }
}

void Sender::on_watch(Waiting &waiting, Outcome outcome) {
  switch (waiting.state) {
  case Waiting::State::kJoining:
    joined(waiting);
    return;
  case Waiting::State::kLeaving:
    if (!waiting.outbound.running()) {
      reset(waiting.app);
      gone(waiting);
    }
    return;
  case Waiting::State::kProbing:
    on_probed(waiting);
    return;
  case Waiting::State::kQueued:
  case Waiting::State::kPausing:
  case Waiting::State::kDialling:
    break;
  }
  if (outcome.result < 0) {
    return; // the kernel had no memory for the watch: it waits without one
  }
  const FailureCount::Failure failure = count_failure(Code::kGone);
  kit_.log().write(failure.level(LogLevel::kInfo), "an app left before its tunnel was there",
                   {{"entity", options_.entity.path},
                    {"id", waiting.id},
                    {"app", waiting.app_address},
                    {"failures", std::to_string(failure.count)}});
  const bool dialling = waiting.state == Waiting::State::kDialling;
  waiting.state = Waiting::State::kLeaving;
  waiting.unlink();
  waiting.pause.disarm();
  if (dialling) {
    waiting.outbound.cancel(
        Status::failure(Code::kGone, Source::kLocal, Retry::kNever, "the app has left"));
  } else {
    on_watch(waiting, {});
    dial_queued();
  }
}

void Sender::give_up(Waiting &waiting, const Status &why) {
  counters_.failed(why);
  const FailureCount::Failure failure = count_failure(why.code);
  kit_.log().write(failure.level(LogLevel::kWarn), "no tunnel for a connection; it is reset",
                   {{"entity", options_.entity.path},
                    {"id", waiting.id},
                    {"app", waiting.app_address},
                    {"source", std::string(word(why.source))},
                    {"why", why.message},
                    {"failures", std::to_string(failure.count)}});
  waiting.unlink();
  waiting.pause.disarm();
  end_watch(waiting, Waiting::State::kLeaving);
}

FailureCount::Failure Sender::count_failure(Code why) {
  return failures_.add(why, *kit_.limits, kit_.shard.io.now_ns());
}

void Sender::joined(Waiting &waiting) {
  auto app = std::make_unique<TcpLink>(kit_.shard, waiting.app);
  app->end_tunnel_here();
  if (waiting.first_byte) {
    app->unread({&*waiting.first_byte, 1});
  }
  TunnelFacts facts;
  facts.setup = step_times(SetupStep::kQueued, waiting.accepted_ns, waiting.first_dial_ns,
                           SetupStep::kDialled, kit_.shard.io.now_ns());
  facts.entity = options_.entity.path;
  facts.id = waiting.id;
  tunnels_.join({std::move(app), kSenderEnds.first, Source::kLocal},
                {waiting.outbound.take_link(), kSenderEnds.second, Source::kRelay},
                std::move(facts));
  if (phase_ == Phase::kDropping) {
    tunnels_.drop_all(dropped());
  }
  gone(waiting);
}

void Sender::gone(Waiting &waiting) {
  waiting_.erase(waiting.handle);
  pace_accepts();
  check_stopped();
}

void Sender::on_tunnel_ended() {
  acceptor_.on_descriptor_freed();
  check_stopped();
}

// --- the end -------------------------------------------------------------------------------------

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
  const Status why = dropped();
  waiting_.for_each([&](SlabHandle, Waiting &waiting) {
    if (waiting.state == Waiting::State::kDialling) {
      waiting.outbound.cancel(why);
    } else if (waiting.state != Waiting::State::kLeaving &&
               waiting.state != Waiting::State::kJoining) {
      give_up(waiting, why);
    }
  });
  tunnels_.drop_all(why);
}

void Sender::check_stopped() {
  if (phase_ == Phase::kRunning || phase_ == Phase::kStopped || !acceptor_.stopped() ||
      waiting_.size() > 0 || !tunnels_.empty()) {
    return;
  }
  phase_ = Phase::kStopped;
  grace_.disarm();
  kit_.shard.io.arm_after_ms(ending_, 0); // whoever asked may still have something to do here
}

void Sender::on_stopped() {
  counters_.parts_running.fetch_sub(1, std::memory_order_relaxed);
  if (stopped_) {
    stopped_();
  }
}

} // namespace culvert
