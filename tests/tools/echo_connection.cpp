#include "tools/echo_connection.hpp"

#include <algorithm>
#include <charconv>

namespace culvert::tools {

EchoConnection::EchoConnection(Shard &shard, Digests &digests, std::unique_ptr<Link> below,
                               TlsLink *tls)
    : shard_(shard), digests_(digests), link_(std::move(below)), tls_(tls), reader_(*link_),
      writer_(*link_) {
  handshake_.bind<&EchoConnection::on_handshake>(*this);
  receive_.bind<&EchoConnection::on_receive>(*this);
  drain_.bind<&EchoConnection::on_drain>(*this);
  end_.bind<&EchoConnection::on_end>(*this);
}

EchoConnection::EchoConnection(Shard &shard, Digests &digests, std::unique_ptr<Link> below,
                               TlsLink *tls, EchoRequest request)
    : EchoConnection(shard, digests, std::move(below), tls) {
  request_ = std::move(request);
}

void EchoConnection::start() {
  if (tls_ != nullptr) {
    tls_->handshake(handshake_);
  } else {
    exchange_heads();
  }
}

void EchoConnection::on_handshake(Outcome outcome) {
  if (outcome.result < 0) {
    fail(tls_->failure());
  } else {
    exchange_heads();
  }
}

void EchoConnection::exchange_heads() {
  if (!request_) {
    reader_.start(HeadForm::kHttp, Delegate<>::to<&EchoConnection::on_head>(*this));
    return;
  }
  key_ = make_upgrade_key(shard_.random);
  const Result<std::string> head =
      build_upgrade_request(request_->target, request_->authority, key_, {});
  if (!head.ok()) {
    fail(head.status());
    return;
  }
  answer(head.value());
}

void EchoConnection::answer(const std::string &head) {
  writer_.start(HeadForm::kHttp, head, Delegate<>::to<&EchoConnection::on_written>(*this));
}

void EchoConnection::on_written() {
  if (!writer_.status().ok()) {
    fail(writer_.status());
  } else if (request_) {
    reader_.start(HeadForm::kHttp, Delegate<>::to<&EchoConnection::on_head>(*this));
  } else if (upgraded_) {
    open();
  } else {
    close();
  }
}

void EchoConnection::on_head() {
  if (request_) {
    const Result<ResponseHead> head = reader_.status().ok()
                                          ? parse_response(reader_.bytes())
                                          : Result<ResponseHead>(reader_.status());
    const Status status =
        head.ok() ? check_upgrade_response(head.value(), key_, {}, digests_) : head.status();
    if (status.ok()) {
      open();
    } else {
      fail(status);
    }
    return;
  }
  RequestHead head;
  HeadFault fault = reader_.fault();
  if (fault == HeadFault::kNone && !reader_.status().ok()) {
    fail(reader_.status());
    return;
  }
  if (fault == HeadFault::kNone) {
    fault = parse_request(reader_.bytes(), head);
  }
  if (fault == HeadFault::kNone) {
    fault = check_upgrade_request(head);
  }
  upgraded_ = fault == HeadFault::kNone;
  const HeadRefusal &no = refusal(fault);
  std::vector<Field> fields;
  if (no.extra_name != nullptr) {
    fields.push_back({no.extra_name, no.extra_value});
  }
  answer(upgraded_ ? build_upgrade_response(head, "", {}, digests_).value()
                   : build_response(no.status, no.reason, fields, no.sentence).value());
}

void EchoConnection::open() {
  WebSocketOptions options;
  options.role = request_ ? WebSocketRole::kClient : WebSocketRole::kServer;
  options.check_utf8 = true;
  link_ = std::make_unique<WebSocketLink>(shard_, std::move(link_), options);
  link_->receive(receive_);
}

void EchoConnection::on_receive(Outcome outcome) {
  if (outcome.result != 0) {
    return; // the connection is ending
  }
  Chunk chunk;
  while (link_->take(chunk, {})) {
    store(chunk);
    send_stored(); // a breach of the protocol behind this chunk ends all sending
  }
  go_on();
}

void EchoConnection::on_drain(Outcome outcome) {
  if (outcome.result == 0) {
    go_on();
  }
}

void EchoConnection::store(const Chunk &chunk) {
  std::span<const std::byte> rest = chunk.bytes();
  const std::size_t full = kHeadroom + link_->facts().largest_first_frame;
  do {
    if (stored_.empty() || stored_.back().last || stored_.back().bytes.size() == full) {
      stored_.push_back({chunk.kind, false, std::vector<std::byte>(kHeadroom)});
      stored_bytes_ += kHeadroom;
    }
    Piece &piece = stored_.back();
    const std::size_t size = std::min(rest.size(), full - piece.bytes.size());
    piece.bytes.insert(piece.bytes.end(), rest.begin(),
                       rest.begin() + static_cast<std::ptrdiff_t>(size));
    stored_bytes_ += size;
    rest = rest.subspan(size);
    piece.last = chunk.end_of_message && rest.empty();
  } while (!rest.empty());
}

void EchoConnection::send_stored() {
  const std::size_t full = kHeadroom + link_->facts().largest_first_frame;
  while (!stored_.empty() && !drain_.in_flight()) {
    Piece &piece = stored_.front();
    if (!piece.last && piece.bytes.size() < full) {
      break; // more of it comes
    }
    link_->send({piece.bytes.data() + kHeadroom, piece.bytes.size() - kHeadroom, kHeadroom,
                 piece.kind, piece.last});
    link_->flush();
    stored_bytes_ -= piece.bytes.size();
    stored_.pop_front();
    if (link_->held() > 0) {
      link_->drain(drain_);
    }
  }
}

void EchoConnection::go_on() {
  if (end_.in_flight()) {
    return;
  }
  send_stored();
  const Ending *end = link_->received_end();
  if (link_->broken() || (end != nullptr && end->aborted)) {
    link_->abort(end_);
  } else if (end != nullptr && !drain_.in_flight()) {
    close(); // half a message is not echoed
  } else if (end == nullptr && !receive_.in_flight() && stored_bytes_ < kEchoStoreBytes) {
    link_->receive(receive_);
  }
}

void EchoConnection::close() {
  link_->close(end_);
}

void EchoConnection::fail(Status status) {
  status_ = std::move(status);
  link_->abort(end_); // behind an alert that says why
}

std::optional<Address> parse_address(std::string_view text, std::uint16_t default_port) {
  std::uint16_t port = default_port;
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && text.find(']', colon) == std::string_view::npos) {
    const std::string_view digits = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), port);
    if (error != std::errc() || end != digits.end()) {
      return std::nullopt;
    }
    text = text.substr(0, colon);
  }
  return Address::from_literal(text == "localhost" ? "127.0.0.1" : text, port);
}

} // namespace culvert::tools
