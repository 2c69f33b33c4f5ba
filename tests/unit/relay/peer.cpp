#include "unit/relay/peer.hpp"

#include "link/http_upgrade.hpp"
#include "link/messages.hpp"
#include "link/tcp.hpp"
#include "link/websocket.hpp"

#include <algorithm>

namespace culvert::test {

namespace {

std::string as_message(const std::string &words) {
  std::string bytes{static_cast<char>(words.size() >> 8U), static_cast<char>(words.size() & 0xffU)};
  return bytes += words;
}

std::string as_request(std::string words, Random &random) {
  std::replace(words.begin(), words.end(), ' ', '/');
  words.insert(words.begin(), '/');
  return build_upgrade_request(words, "relay.example", make_upgrade_key(random), {}).value();
}

} // namespace

Peer::Peer(Shard &shard, const Address &relay, std::string head, PeerWays ways)
    : shard_(shard), words_(split_words(head)),
      head_(ways.form == HeadForm::kHttp ? as_request(std::move(head), shard.random)
                                         : as_message(head)),
      ways_(std::move(ways)) {
  handshake_.bind<&Peer::on_handshake>(*this);
  connect_.bind<&Peer::on_connect>(*this);
  receive_.bind<&Peer::on_receive>(*this);
  finish_.bind<&Peer::on_finish>(*this);
  ending_.bind<&Peer::on_ended>(*this);
  dropping_.bind<&Peer::on_ended>(*this);
  cancel_.bind<&Peer::on_cancel>(*this);
  const Result<Socket> opened = shard.io.open(relay);
  if (!opened.ok()) {
    ended = true;
    return;
  }
  socket_ = opened.value();
  shard.io.connect(socket_, relay, connect_);
}

Peer::~Peer() = default;

void Peer::on_connect(Outcome outcome) {
  if (outcome.result < 0 || ending_asked_) {
    shard_.io.close(socket_);
    socket_ = {};
    on_cancel({});
    return;
  }
  link_ = std::make_unique<TcpLink>(shard_, socket_);
  if (ways_.tls == nullptr) {
    say_head();
    return;
  }
  auto tls = std::make_unique<TlsLink>(shard_, std::move(link_), *ways_.tls,
                                       TlsPeer{"relay.example", 443, "", ways_.alpn});
  tls->handshake(handshake_);
  link_ = std::move(tls);
}

void Peer::on_handshake(Outcome outcome) {
  if (outcome.result == 0 && !ending_asked_) {
    say_head();
  } else {
    close();
  }
}

void Peer::say_head() {
  link_->send({reinterpret_cast<std::byte *>(head_.data()), head_.size()});
  link_->flush();
  reader_.emplace(*link_);
  reader_->start(ways_.form, Delegate<>::to<&Peer::on_answer>(*this));
}

void Peer::on_answer() {
  if (ending_asked_) {
    return;
  }
  if (!reader_->status().ok()) {
    heard_end = Ending::abort(reader_->status());
    close();
    return;
  }
  answer = reader_->bytes();
  if (ways_.form == HeadForm::kHttp) {
    const Result<ResponseHead> response = parse_response(reader_->bytes());
    answer = response.ok() ? std::to_string(response.value().status) + " " + response.value().reason
                           : response.status().message;
    if (answer.compare(0, 4, "101 ") != 0) {
      words_["framing"] = "raw";
    }
  }
  if (words_["framing"] == "websocket") {
    link_ = std::make_unique<WebSocketLink>(shard_, std::move(link_), WebSocketOptions{});
  } else if (words_["framing"] != "raw") {
    link_ = std::make_unique<MessagesLink>(shard_, std::move(link_), FramingOptions{});
  }
  arm();
}

void Peer::arm() {
  if (const Ending *end = link_->received_end()) {
    heard_end = *end;
  } else if (reading && !receive_.in_flight() && !ending_asked_) {
    link_->receive(receive_);
  }
}

void Peer::on_receive(Outcome outcome) {
  if (outcome.result < 0) {
    return;
  }
  Chunk chunk;
  while (link_->take(chunk, {})) {
    partial_.bytes.append(reinterpret_cast<const char *>(chunk.data), chunk.size);
    partial_.kind = chunk.kind;
    if (chunk.end_of_message) {
      messages.push_back(std::move(partial_));
      partial_ = {};
    }
  }
  arm();
}

void Peer::send(std::string bytes, ChunkKind kind) {
  std::vector<std::byte> room(kHeadroom + bytes.size());
  std::copy_n(reinterpret_cast<const std::byte *>(bytes.data()), bytes.size(),
              room.data() + kHeadroom);
  link_->send({room.data() + kHeadroom, bytes.size(), kHeadroom, kind, true});
  link_->flush();
}

void Peer::finish(std::uint16_t code, std::string reason) {
  link_->finish(Ending::finished(code, std::move(reason)), finish_);
}

void Peer::abort() {
  if (!ended && !ending_asked_) {
    ending_asked_ = true;
    link_->abort(ending_);
  }
}

void Peer::close() {
  if (!ended && !ending_asked_) {
    ending_asked_ = true;
    link_->close(ending_);
  }
}

void Peer::drop() {
  if (ended || dropping_.in_flight() || cancel_.in_flight()) {
    return;
  }
  ending_asked_ = true;
  if (link_) {
    link_->drop(dropping_);
  } else {
    shard_.io.cancel(connect_, cancel_);
  }
}

void Peer::on_cancel(Outcome) {
  ended = !socket_.valid() && !cancel_.in_flight();
}

void Peer::on_ended(Outcome) {
  ended = !ending_.in_flight() && !dropping_.in_flight();
}

std::string Peer::capability(std::size_t index) const {
  for (const Message &message : messages) {
    Words words = split_words(message.bytes);
    if (words["verb"] == "offer" && index-- == 0) {
      return words["capability"];
    }
  }
  return "";
}

} // namespace culvert::test
