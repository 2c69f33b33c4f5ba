#include "proxy_host.hpp"

#include "link/tcp.hpp"

#include <algorithm>

namespace culvert::simtest {

namespace {

/// Longer than a client waits for an answer.
constexpr std::uint64_t kPatienceMs = 2 * ClientLimits{}.proxy_ms;
constexpr char kYes[] = "200 Connection established";
const std::string kRefusals[] = {"403 Forbidden", "407 Proxy Authentication Required",
                                 "502 Bad Gateway"};

} // namespace

// --- one connection -----------------------------------------------------------------------------

ProxyConnection::ProxyConnection(Services &services, SimShard &shard, Judge &judge, Socket client)
    : services_(services), shard_(shard), judge_(judge),
      client_(std::make_unique<TcpLink>(shard.shard, client)), reader_(*client_),
      dial_(shard.shard) {
  dial_.bind<&ProxyConnection::on_relay>(*this);
  patience_.bind<&ProxyConnection::cut>(*this);
  client_drop_.bind<&ProxyConnection::on_dropped>(*this);
  relay_drop_.bind<&ProxyConnection::on_dropped>(*this);
  shard_.io.arm_after_ms(patience_, kPatienceMs);
  reader_->start(HeadForm::kHttp, Delegate<>::to<&ProxyConnection::on_asked>(*this));
}

void ProxyConnection::on_asked() {
  if (cut_ || !reader_->status().ok()) {
    cut();
    settle();
    return;
  }
  const std::string asked = "CONNECT " + std::string(kRelayName) + ":";
  if (!reader_->bytes().starts_with(asked)) {
    judge_.fail("the proxy is asked for something else than the relay: " + reader_->bytes());
  }
  switch (services_.proxy_mood) {
  case ProxyMood::kServes:
    dial_.start({*Address::from_literal(services_.relay_host, kRelayPort)},
                ClientLimits{}.relay_dial_ms);
    return;
  case ProxyMood::kRefuses:
    refuse(kRefusals[shard_.random->below(std::size(kRefusals))]);
    return;
  case ProxyMood::kSilent:
    return;
  }
}

void ProxyConnection::refuse(const std::string &answer_of_it) {
  refuses_ = true;
  answer(answer_of_it);
}

void ProxyConnection::on_relay(Result<Socket> socket) {
  if (socket.ok()) {
    relay_ = std::make_unique<TcpLink>(shard_.shard, socket.value());
  }
  if (cut_) {
    if (relay_) {
      relay_->drop(relay_drop_);
    }
    settle();
  } else if (relay_) {
    answer(kYes);
  } else {
    refuse(kRefusals[2]);
  }
}

void ProxyConnection::answer(std::string head) {
  writer_.emplace(*client_);
  writer_->start(HeadForm::kHttp, "HTTP/1.1 " + std::move(head) + "\r\n\r\n",
                 Delegate<>::to<&ProxyConnection::on_answered>(*this));
}

void ProxyConnection::on_answered() {
  if (cut_ || refuses_ || !writer_->status().ok()) {
    cut();
    settle();
    return;
  }
  patience_.disarm();
  joined_ = true;
  tunnel_ = std::make_unique<Tunnel>(
      shard_.shard, TunnelSide{std::move(client_), "client", Source::kLocal},
      TunnelSide{std::move(relay_), "relay", Source::kRelay},
      Delegate<Tunnel &>::to<&ProxyConnection::on_tunnel_ended>(*this));
  tunnel_->start();
}

void ProxyConnection::on_tunnel_ended(Tunnel &) {
  tunnel_.reset();
  over_ = true;
}

void ProxyConnection::cut() {
  if (over_ || cut_) {
    return;
  }
  if (tunnel_) {
    tunnel_->drop(Status::failure(Code::kShuttingDown, Source::kLocal, Retry::kNever, "cut"));
    return;
  }
  cut_ = true;
  patience_.disarm();
  dial_.cancel();
  client_->drop(client_drop_);
  if (relay_) {
    relay_->drop(relay_drop_);
  }
}

void ProxyConnection::settle() {
  const bool busy = dial_.running() || reader_->running() || (writer_ && writer_->running()) ||
                    client_drop_.in_flight() || relay_drop_.in_flight();
  over_ = over_ || (cut_ && !busy);
}

// --- all of them --------------------------------------------------------------------------------

ProxyHost::ProxyHost(Services &services, Judge &judge)
    : services_(services),
      shard_(services.world, services.log, "proxy", kProxyHost, 0, services.held_bytes),
      judge_(judge), acceptor_(shard_.shard, Delegate<Socket>::to<&ProxyHost::on_arrived>(*this),
                               Delegate<>::to<&ProxyHost::on_stopped>(*this)) {}

void ProxyHost::start() {
  listening_ = shard_.io.listen(*Address::from_literal(kProxyHost, kProxyPort)).value();
  acceptor_.start(listening_);
}

void ProxyHost::on_arrived(Socket socket) {
  connections_.push_back(std::make_unique<ProxyConnection>(services_, shard_, judge_, socket));
}

void ProxyHost::cut() {
  for (const auto &each : connections_) {
    each->cut();
  }
}

void ProxyHost::stop() {
  acceptor_.stop();
  cut();
}

void ProxyHost::on_stopped() {
  shard_.io.close(listening_);
}

bool ProxyHost::idle() const {
  return acceptor_.stopped() && std::all_of(connections_.begin(), connections_.end(),
                                            [](const auto &each) { return each->over(); });
}

std::uint64_t ProxyHost::joined() const {
  return static_cast<std::uint64_t>(std::count_if(connections_.begin(), connections_.end(),
                                                  [](const auto &each) { return each->joined(); }));
}

} // namespace culvert::simtest
