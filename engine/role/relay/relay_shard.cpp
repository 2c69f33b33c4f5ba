#include "role/relay/relay_shard.hpp"

#include "link/tcp.hpp"
#include "link/tls.hpp"
#include "role/framing.hpp"

#include <algorithm>

namespace culvert {

namespace {

Status stopped() {
  return Status::failure(Code::kShuttingDown, Source::kRelay, Retry::kBackoff,
                         "the relay is stopping");
}

} // namespace

RelayShard::RelayShard(Relay &relay, Shard &shard, RelayParts parts, Delegate<> done)
    : relay_(relay), shard_(shard), done_(done), rendezvous_(shard, relay.registry(), digests_),
      acceptor_(shard, Delegate<Socket>::to<&RelayShard::on_arrived>(*this),
                Delegate<>::to<&RelayShard::on_accepting_stopped>(*this)),
      log_(parts.named_log == nullptr ? shard.log : *parts.named_log),
      watcher_(relay.registry(), relay.sources(), log_),
      tunnels_(shard, relay.counters().tunnels, {&watcher_},
               Delegate<>::to<&RelayShard::on_tunnel_ended>(*this)) {
  use(std::move(parts));
  grace_.bind<&RelayShard::drop>(*this);
  entities_over_.bind<&RelayShard::on_entities_over>(*this);
  tick_.bind<&RelayShard::on_tick>(*this);
  relay_.attach(shard.index, *this);
}

RelayShard::~RelayShard() {
  CULVERT_ASSERT(empty());
  relay_.detach(shard_.index);
}

void RelayShard::use(RelayParts parts) {
  CULVERT_ASSERT(!parts.protocols.empty() && parts.auth);
  std::erase_if(older_, [](const auto &each) { return each.expired(); });
  const std::shared_ptr<const RelayParts> before = parts_;
  parts_ = std::make_shared<const RelayParts>(std::move(parts));
  if (before != nullptr) {
    older_.emplace_back(before);
    end_entities(before->policy->entities(), parts_->policy->entities());
    channels_.for_each([](SlabHandle, Channel &channel) { channel.judge_again(); });
  }
}

// --- entities that are gone ----------------------------------------------------------------------

void RelayShard::end_entities(const EntityTable &before, const EntityTable &now) {
  const std::vector<std::string> gone = before.gone_in(now);
  const std::uint64_t over_ns =
      shard_.io.now_ns() + shard_.limits.drain_grace_ms * std::uint64_t{1'000'000};
  for (const std::string &entity : gone) {
    ending_entities_[entity] = over_ns;
  }
  if (gone.empty() || stopping()) {
    return;
  }
  rendezvous_.refuse_removed(now);
  channels_.for_each([&now](SlabHandle, Channel &channel) {
    if (!now.has(channel.entity())) {
      channel.close(EntityTable::removed());
    }
  });
  arm_ending();
}

void RelayShard::arm_ending() {
  std::uint64_t nearest_ns = Timers::kNever;
  for (const auto &[entity, over_ns] : ending_entities_) {
    nearest_ns = std::min(nearest_ns, over_ns);
  }
  if (nearest_ns != Timers::kNever) {
    shard_.io.arm(entities_over_, nearest_ns);
  }
}

/// An entity that came back keeps its tunnels.
void RelayShard::on_entities_over() {
  std::erase_if(ending_entities_, [this](const auto &ending) {
    const bool over = ending.second <= shard_.io.now_ns();
    if (over && !parts_->policy->entities().has(ending.first)) {
      tunnels_.drop_entity(ending.first, EntityTable::removed());
    }
    return over;
  });
  arm_ending();
}

void RelayShard::log(LogLevel level, std::string_view message,
                     std::initializer_list<LogField> fields) {
  if (log_.enabled(level)) {
    log_.write(level, message, fields);
  }
}

Answer RelayShard::or_nothing(Result<Answer> outcome) {
  if (outcome.ok()) {
    return std::move(outcome.value());
  }
  log(LogLevel::kError, "a plugin has no outcome, so that nothing is said",
      {{"why", outcome.status().message}});
  return {};
}

// --- accepting -----------------------------------------------------------------------------------

void RelayShard::start(std::vector<Socket> listening) {
  listening_ = std::move(listening);
  started_ns_ = shard_.io.now_ns();
  for (const Socket socket : listening_) {
    const Result<Address> local = shard_.io.local_address(socket);
    bound_port_ = bound_port_ == 0 && local.ok() ? local.value().port : bound_port_;
  }
  acceptor_.share_with(relay_.accept_group());
  acceptor_.start(listening_);
}

void RelayShard::on_arrived(Socket socket) {
  const Result<Address> peer = shard_.io.peer_address(socket);
  const Address from = peer.ok() ? peer.value() : Address{}; // of none: it is gone already
  Guest guest;
  guest.origin = {source_of(from), network_of(from)};
  guest.seat = find_seat(guest.origin);
  if (guest.seat == Seat::kNone) {
    // A plain close would read as a clean, empty answer.
    shard_.io.set_option(socket, SocketOption::kLingerZero, 1);
    shard_.io.close(socket);
    return;
  }
  guest.link = std::make_unique<TcpLink>(shard_, socket);
  guest.peer = from.text();
  const auto handle = connections_.make(*this, parts_, std::move(guest));
  connections_.find(*handle)->start(*handle);
}

void RelayShard::on_accepting_stopped() {
  if (relay_.stop_accepting()) {
    for (const Socket socket : listening_) {
      shard_.io.close(socket);
    }
  }
  check_done();
}

// --- letters -------------------------------------------------------------------------------------

void RelayShard::send(std::unique_ptr<Letter> letter, unsigned shard) {
  RelayShard *const there = relay_.shard(shard);
  CULVERT_ASSERT(there != nullptr);
  letter->home_ = this;
  letter->address_to<&RelayShard::on_letter>(*there);
  ++letters_out_;
  shard_.io.post(there->shard_.io, *letter.release()); // on_letter_back() owns it again
}

void RelayShard::on_letter(Mail &mail) {
  auto &letter = static_cast<Letter &>(mail);
  letter.deliver(*this);
  letter.address_to<&RelayShard::on_letter_back>(*letter.home_);
  shard_.io.post(letter.home_->shard_.io, letter);
}

void RelayShard::on_letter_back(Mail &mail) {
  const std::unique_ptr<Letter> letter(&static_cast<Letter &>(mail));
  --letters_out_;
  letter->returned(*this);
  check_done();
}

Status RelayShard::take_in(Guest &guest) {
  if (stopping()) {
    return stopped();
  }
  if (connections_.size() >= most()) {
    return Status::failure(Code::kOverload, Source::kRelay, Retry::kBackoff,
                           "too many connections");
  }
  auto parts = parts_for(guest);
  if (parts == nullptr) {
    return Status::failure(Code::kGone, Source::kRelay, Retry::kNever,
                           "nobody waits for this capability any more");
  }
  guest.moved = true;
  guest.link->arrive(shard_);
  const auto handle = connections_.make(*this, std::move(parts), std::move(guest));
  connections_.find(*handle)->start(*handle);
  return {};
}

/// Those of its policy. They may be gone here, or not here yet; then any that speak its protocol:
/// a sender that waits for it has some.
std::shared_ptr<const RelayParts> RelayShard::parts_for(const Guest &guest) const {
  std::vector<std::shared_ptr<const RelayParts>> all{parts_};
  for (const auto &each : older_) {
    all.push_back(each.lock());
  }
  std::shared_ptr<const RelayParts> speaks;
  for (auto &each : all) {
    if (each == nullptr || each->find(guest.protocol) == nullptr) {
      continue;
    }
    if (each->policy == guest.policy) {
      return each;
    }
    speaks = speaks == nullptr ? each : speaks;
  }
  return speaks;
}

void RelayShard::on_moved(SlabHandle connection, Guest guest, const Status &refusal) {
  Connection *const moved = connections_.find(connection);
  CULVERT_ASSERT(moved != nullptr);
  moved->on_moved(std::move(guest), refusal);
}

// --- channels ------------------------------------------------------------------------------------

Status RelayShard::add_channel(ChannelSeed seed, std::unique_ptr<Link> &link) {
  if (channels_.size() >= most()) {
    return Status::failure(Code::kOverload, Source::kRelay, Retry::kBackoff,
                           "too many control channels");
  }
  const auto handle = channels_.make(*this, std::move(seed));
  Channel &channel = *channels_.find(*handle);
  Status enrolled = channel.enroll(*handle);
  if (enrolled.ok()) {
    channel.start(std::move(link));
  } else {
    channels_.erase(*handle);
  }
  return enrolled;
}

Status RelayShard::enroll(const RegisteredListener &listener) {
  const auto added = relay_.registry().add(listener, limits().listeners_per_entity);
  if (!added.ok()) {
    return added.status();
  }
  relay_.counters().listeners.fetch_add(1, std::memory_order_relaxed);
  if (const std::optional<ChannelRef> &replaced = added.value()) {
    send(std::make_unique<ReplacedLetter>(*replaced), replaced->shard);
  }
  return {};
}

void RelayShard::on_listener_lost(const RegisteredListener &listener, ChannelEnd end,
                                  const std::vector<bool> &offered_from) {
  relay_.counters().listeners.fetch_sub(1, std::memory_order_relaxed);
  relay_.registry().remove(listener.entity, listener.channel);
  if (stopping()) {
    return; // every shard refuses its own senders, with the true reason
  }
  for (unsigned shard = 0; shard < relay_.shards(); ++shard) {
    if (offered_from[shard] && relay_.shard(shard) != nullptr) {
      send(std::make_unique<LostLetter>(listener.channel, end), shard);
    }
  }
}

// --- joining -------------------------------------------------------------------------------------

void RelayShard::join(Connection &sender, SlabHandle listener_handle, const ChannelRef &channel) {
  Connection *const listener = connections_.find(listener_handle);
  CULVERT_ASSERT(listener != nullptr);
  Result<std::string> to_sender = sender.opening(listener->intent().peer_answer);
  Result<std::string> to_listener = listener->opening(listener->intent().answer);
  Status failure;
  if (!go_together(sender.intent().framing, listener->intent().framing)) {
    failure = Status::failure(Code::kInternal, Source::kPlugin, Retry::kNever,
                              "the relay protocol frames the two sides of a tunnel in ways that do "
                              "not go together");
  } else if (!to_sender.ok() || !to_listener.ok()) {
    failure = to_sender.ok() ? to_listener.status() : to_sender.status();
  } else if (tunnels_.size() >= most()) {
    failure = Status::failure(Code::kOverload, Source::kRelay, Retry::kBackoff, "too many tunnels");
  }
  if (!failure.ok()) {
    sender.refuse(failure);
    listener->refuse(failure);
    return;
  }
  TunnelFacts facts;
  facts.setup = sender.setup_times(shard_.io.now_ns());
  facts.entity = sender.entity();
  facts.id = loggable(sender.intent().loggable_id);
  facts.listener_id = loggable(listener->intent().loggable_id);
  facts.channel = channel;
  facts.moved = listener->moved();
  facts.sender_source = sender.source();
  facts.listener_source = listener->source();
  std::unique_ptr<Link> sender_link = sender.open(std::move(to_sender.value()));
  std::unique_ptr<Link> listener_link = listener->open(std::move(to_listener.value()));
  connections_.erase(listener_handle);
  connections_.erase(sender.handle());
  tunnels_.join({std::move(sender_link), kRelayEnds.first, Source::kLocal},
                {std::move(listener_link), kRelayEnds.second, Source::kTarget}, std::move(facts));
}

void RelayShard::refuse(SlabHandle connection, const Status &why) {
  Connection *const refused = connections_.find(connection);
  CULVERT_ASSERT(refused != nullptr);
  refused->refuse(why);
}

// --- the end -------------------------------------------------------------------------------------

void RelayShard::drain() {
  if (phase_ != Phase::kRunning) {
    return;
  }
  phase_ = Phase::kDraining;
  entities_over_.disarm();
  acceptor_.stop();
  channels_.for_each([](SlabHandle, Channel &channel) { channel.leave(); });
  rendezvous_.refuse_all(stopped());
  channels_.for_each([](SlabHandle, Channel &channel) { channel.close(stopped()); });
  shard_.io.arm_after_ms(grace_, shard_.limits.drain_grace_ms);
  check_done();
}

void RelayShard::drop() {
  drain();
  if (phase_ != Phase::kDraining) {
    return;
  }
  phase_ = Phase::kDropping;
  grace_.disarm();
  connections_.for_each([](SlabHandle, Connection &connection) { connection.drop(); });
  channels_.for_each([](SlabHandle, Channel &channel) { channel.drop(); });
  tunnels_.drop_all(stopped());
  check_done();
}

void RelayShard::on_connection_ended(SlabHandle handle) {
  connections_.erase(handle);
  acceptor_.on_descriptor_freed();
  check_done();
}

void RelayShard::on_channel_ended(SlabHandle handle) {
  channels_.erase(handle);
  acceptor_.on_descriptor_freed();
  check_done();
}

void RelayShard::on_tunnel_ended() {
  acceptor_.on_descriptor_freed();
  check_done();
}

bool RelayShard::empty() const {
  return connections_.size() == 0 && channels_.size() == 0 && tunnels_.size() == 0 &&
         letters_out_ == 0 && !tick_.in_flight();
}

void RelayShard::check_done() {
  if (stopping() && phase_ != Phase::kDone && acceptor_.stopped() && empty()) {
    shard_.io.yield(tick_);
  }
}

void RelayShard::on_tick(Outcome) {
  if (!empty() || phase_ == Phase::kDone) {
    return; // a letter went out meanwhile; its return checks again
  }
  grace_.disarm();
  phase_ = Phase::kDone;
  parts_.reset();
  older_.clear();
  done_(); // the relay part may be gone behind this
}

} // namespace culvert
