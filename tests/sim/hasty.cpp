#include "hasty.hpp"

#include "link/http_upgrade.hpp"
#include "link/mask.hpp"
#include "link/tcp.hpp"
#include "link/websocket.hpp"

#include <algorithm>

namespace culvert::simtest {

namespace {

constexpr std::uint64_t kHastyMs = 25'000; // from its start until its tunnel begins
constexpr std::size_t kHastyPings = 2;
constexpr std::size_t kIdBytes = 36; // a UUID's text; relays add to it
constexpr char kIdParameter[] = "sb-hc-id=";

std::string masked_ping(Random &random, std::string payload) {
  FrameHeader header{Opcode::kPing, true, true, 0, payload.size()};
  random.fill(std::as_writable_bytes(std::span(&header.key, 1)));
  best_mask()(reinterpret_cast<std::byte *>(payload.data()), payload.size(), header.key);
  std::string frame(frame_header_size(true, payload.size()), '\0');
  write_frame_header(reinterpret_cast<std::byte *>(frame.data()), header);
  return frame + payload;
}

std::string id_in(const std::string &target) {
  const std::size_t at = target.find(kIdParameter);
  if (at == std::string::npos) {
    return "";
  }
  const std::size_t begin = at + sizeof kIdParameter - 1;
  return target.substr(begin, kIdBytes);
}

} // namespace

HastyFetch::HastyFetch(const Services &services, SimShard &shard, TlsContext *tls, Judge &judge)
    : services_(services), shard_(shard), tls_context_(tls), judge_(judge),
      target_dial_(shard.shard), relay_dial_(shard.shard) {
  target_dial_.bind<&HastyFetch::on_target>(*this);
  relay_dial_.bind<&HastyFetch::on_relay>(*this);
  patience_.bind<&HastyFetch::fail>(*this);
  handshake_.bind<&HastyFetch::on_tls>(*this);
  receive_.bind<&HastyFetch::on_receive>(*this);
  target_drop_.bind<&HastyFetch::on_dropped>(*this);
  relay_drop_.bind<&HastyFetch::on_dropped>(*this);
}

// --- set-up -------------------------------------------------------------------------------------

void HastyFetch::start(LinkDescription description, const Address &target) {
  description_ = std::move(description);
  shard_.io.arm_after_ms(patience_, kHastyMs);
  target_dial_.start({target}, ClientLimits{}.target_dial_ms);
}

void HastyFetch::on_target(Result<Socket> socket) {
  if (!socket.ok()) {
    fail();
    settle();
    return;
  }
  target_ = std::make_unique<TcpLink>(shard_.shard, socket.value());
  target_->end_tunnel_here();
  if (failed_) {
    target_->drop(target_drop_);
    return;
  }
  relay_dial_.start({*Address::from_literal(services_.relay_host, kRelayPort)},
                    ClientLimits{}.relay_dial_ms);
}

void HastyFetch::on_relay(Result<Socket> socket) {
  if (!socket.ok()) {
    fail();
    settle();
    return;
  }
  relay_ = std::make_unique<TcpLink>(shard_.shard, socket.value());
  if (failed_) {
    relay_->drop(relay_drop_);
  } else if (tls_context_ == nullptr) {
    say_head();
  } else {
    auto tls = std::make_unique<TlsLink>(
        shard_.shard, std::move(relay_), *tls_context_,
        TlsPeer{description_.host, kRelayPort, description_.server_name, description_.alpn});
    tls_ = tls.get();
    relay_ = std::move(tls);
    tls_->handshake(handshake_);
  }
}

void HastyFetch::on_tls(Outcome outcome) {
  if (outcome.result == 0 && !failed_) {
    say_head();
  } else {
    fail();
    settle();
  }
}

void HastyFetch::say_head() {
  std::string words = build_upgrade_request(description_.target, description_.authority,
                                            make_upgrade_key(*shard_.random), description_.fields)
                          .value();
  std::string behind;
  for (std::size_t i = 0; i < kHastyPings; ++i) {
    std::string payload(1 + shard_.random->below(kControlPayloadBytes), '\0');
    shard_.random->fill(std::as_writable_bytes(std::span(payload)));
    behind += masked_ping(*shard_.random, payload);
    pings_.push_back(std::move(payload));
  }
  const std::size_t later = 1 + shard_.random->below(pings_.back().size());
  second_half_ = behind.substr(behind.size() - later);
  send(words + behind.substr(0, behind.size() - later));
  reader_.emplace(*relay_);
  reader_->start(HeadForm::kHttp, Delegate<>::to<&HastyFetch::on_answer>(*this));
}

void HastyFetch::send(const std::string &bytes) {
  std::string copy = bytes;
  relay_->send({reinterpret_cast<std::byte *>(copy.data()), copy.size()});
  relay_->flush();
}

// --- what the relay says ------------------------------------------------------------------------

void HastyFetch::on_answer() {
  const bool well = !failed_ && reader_->status().ok();
  const Result<ResponseHead> head =
      well ? parse_response(reader_->bytes()) : Result<ResponseHead>(ResponseHead{});
  if (!well || !head.ok() || head.value().status != 101 || relay_->broken()) {
    fail();
    settle();
    return;
  }
  send(second_half_);
  relay_->receive(receive_);
}

void HastyFetch::on_receive(Outcome outcome) {
  Chunk chunk;
  while (outcome.result == 0 && relay_->take(chunk, {})) {
    hear(chunk.bytes());
  }
  if (failed_) {
    settle();
  } else if (heard_) {
    join();
  } else if (relay_->received_end() != nullptr || outcome.result < 0) {
    fail();
  } else {
    relay_->receive(receive_);
  }
}

void HastyFetch::hear(std::span<const std::byte> bytes) {
  const auto keep = [&bytes](std::string &in, std::size_t count) {
    in.append(reinterpret_cast<const char *>(bytes.data()), count);
    bytes = bytes.subspan(count);
  };
  while (!heard_ && !bytes.empty()) {
    if (!decoder_.ready()) {
      keep(frame_, decoder_.feed(bytes));
      if (decoder_.fault() != nullptr) {
        judge_.fail(std::string("the relay breaks the protocol of WebSocket: ") + decoder_.fault());
        heard_ = true;
      }
      if (!decoder_.ready()) {
        continue;
      }
      payload_left_ = decoder_.header().length;
    }
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, bytes.size()));
    keep(frame_, count);
    payload_left_ -= count;
    if (payload_left_ == 0) {
      hear_frame();
    }
  }
  keep(rest_, bytes.size());
}

void HastyFetch::hear_frame() {
  const FrameHeader header = decoder_.header();
  decoder_.next();
  if (header.opcode != Opcode::kPong) {
    rest_ += frame_;
    // The second ping ends behind the answer, and a Close may have overtaken that.
    heard_ = header.opcode == Opcode::kClose;
    if (heard_ && pongs_ == 0) {
      judge_.fail("a ping that was pipelined behind an accept is not answered");
    }
  } else if (frame_.substr(frame_.size() - header.length) != pings_[pongs_]) {
    judge_.fail("a pong answers no ping that was pipelined behind an accept");
    heard_ = true;
  } else {
    heard_ = ++pongs_ == kHastyPings;
  }
  frame_.clear();
}

// --- the tunnel, and the end --------------------------------------------------------------------

void HastyFetch::join() {
  patience_.disarm();
  joined_ = true;
  relay_->unread(std::as_bytes(std::span(rest_)));
  tunnel_ = std::make_unique<Tunnel>(
      shard_.shard,
      TunnelSide{std::make_unique<WebSocketLink>(shard_.shard, std::move(relay_),
                                                 WebSocketOptions{WebSocketRole::kClient}),
                 "relay", Source::kRelay},
      TunnelSide{std::move(target_), "target", Source::kTarget},
      Delegate<Tunnel &>::to<&HastyFetch::on_tunnel_ended>(*this));
  tunnel_->start();
}

void HastyFetch::on_tunnel_ended(Tunnel &) {
  tunnel_.reset();
  over_ = true;
}

void HastyFetch::stop() {
  if (tunnel_) {
    tunnel_->drop(Status::failure(Code::kShuttingDown, Source::kLocal, Retry::kNever, "stopped"));
  } else {
    fail();
  }
}

void HastyFetch::fail() {
  if (failed_ || over_ || tunnel_) {
    return;
  }
  failed_ = true;
  patience_.disarm();
  target_dial_.cancel();
  relay_dial_.cancel();
  if (target_) {
    target_->drop(target_drop_);
  }
  if (relay_) {
    relay_->drop(relay_drop_);
  }
  settle();
}

void HastyFetch::settle() {
  const bool busy = target_dial_.running() || relay_dial_.running() || handshake_.in_flight() ||
                    receive_.in_flight() || target_drop_.in_flight() || relay_drop_.in_flight() ||
                    (reader_ && reader_->running());
  over_ = over_ || (failed_ && !busy);
}

// --- all of them --------------------------------------------------------------------------------

void Hasty::fetch(const LinkDescription &description, const Address &target) {
  ids_.insert(id_in(description.target));
  fetches_.push_back(std::make_unique<HastyFetch>(services_, shard_, instances_.tls.get(), judge_));
  fetches_.back()->start(description, target);
}

void Hasty::stop() {
  for (const auto &one : fetches_) {
    if (!one->over()) {
      one->stop();
    }
  }
}

bool Hasty::serves(const std::string &id) const {
  return ids_.contains(id.substr(0, kIdBytes));
}

bool Hasty::idle() const {
  return std::all_of(fetches_.begin(), fetches_.end(), [](const auto &one) { return one->over(); });
}

std::uint64_t Hasty::joined() const {
  return static_cast<std::uint64_t>(std::count_if(fetches_.begin(), fetches_.end(),
                                                  [](const auto &one) { return one->joined(); }));
}

} // namespace culvert::simtest
