#include "role/relay/connection.hpp"

#include "link/http_upgrade.hpp"
#include "link/tls.hpp"
#include "role/relay/relay_shard.hpp"

namespace culvert {

const Step<Connection> Connection::kSteps[] = {
    {"tls", &Connection::handshake_ms, &Connection::start_tls, &Connection::cancel_tls},
    {"head", &Connection::handshake_ms, &Connection::start_head, &Connection::cancel_head},
    {"authorize", &Connection::handshake_ms, &Connection::start_authorize,
     &Connection::cancel_authorize, Source::kPlugin},
};

Connection::Connection(RelayShard &relay, std::shared_ptr<const RelayParts> parts, Guest guest)
    : relay_(relay), parts_(std::move(parts)), link_(std::move(guest.link)), seat_(guest.seat),
      arrived_ns_(relay.shard().io.now_ns()), moved_(guest.moved), peer_(std::move(guest.peer)),
      origin_(std::move(guest.origin)),
      steps_(relay.shard(), *this, Delegate<const Status &>::to<&Connection::on_set_up>(*this)),
      protocol_(guest.moved ? parts_->find(guest.protocol) : &parts_->protocols.front()),
      request_(std::move(guest.request)), intent_(std::move(guest.intent)),
      authorization_(Delegate<const Result<Grant> &>::to<&Connection::on_authorized>(*this)) {
  CULVERT_ASSERT(protocol_ != nullptr);
  handshake_.bind<&Connection::on_tls>(*this);
  settle_.bind<&Connection::on_settled>(*this);
  watch_.bind<&Connection::on_watch>(*this);
  ending_.bind<&Connection::on_ended>(*this);
  dropping_.bind<&Connection::on_ended>(*this);
  patience_.bind<&Connection::drop>(*this);
  if (seat_ != Seat::kNone) {
    relay_.on_seated(*this);
  }
}

Connection::~Connection() {
  give_seat_back();
}

void Connection::start(SlabHandle handle) {
  handle_ = handle;
  if (moved_) {
    act();
    return;
  }
  const std::span<const Step<Connection>> steps = kSteps;
  steps_.start(parts_->tls == nullptr ? steps.subspan(1) : steps, peer_);
}

// --- TLS -----------------------------------------------------------------------------------------

void Connection::start_tls() {
  auto tls = std::make_unique<TlsLink>(relay_.shard(), std::move(link_), *parts_->tls);
  tls_ = tls.get();
  link_ = std::move(tls);
  tls_->handshake(handshake_);
}

void Connection::cancel_tls() {
  tls_->cancel(handshake_);
}

void Connection::on_tls(Outcome outcome) {
  if (outcome.result < 0) {
    steps_.completed(tls_->failure().ok()
                         ? Status::failure(Code::kTls, Source::kRelay, Retry::kNever,
                                           "the TLS handshake was not completed")
                         : tls_->failure());
    return;
  }
  protocol_ = &parts_->for_alpn(tls_->alpn());
  steps_.completed({});
}

// --- the head ------------------------------------------------------------------------------------

void Connection::start_head() {
  reader_.emplace(*link_);
  reader_->start(protocol().head_form(), Delegate<>::to<&Connection::on_head>(*this));
}

void Connection::cancel_head() {
  reader_->cancel();
}

void Connection::on_head() {
  fault_ = reader_->fault();
  steps_.completed(reader_->status().ok() ? read_intent() : reader_->status());
}

Status Connection::read_head(Head &head) {
  head.form = protocol().head_form();
  if (head.form == HeadForm::kHttp) {
    fault_ = parse_request(reader_->bytes(), request_);
    if (fault_ != HeadFault::kNone) {
      return faulty_head();
    }
    head.method = request_.method;
    head.target = request_.target;
    head.fields = request_.fields;
    head.body_kind = static_cast<BodyKind>(request_.body);
    head.body_length = request_.body_length;
  } else {
    head.message = reader_->bytes();
  }
  const Address peer = link_->peer_address();
  head.remote_host = peer.host();
  head.remote_port = peer.port;
  return {};
}

Status Connection::read_intent() {
  Head head;
  Status readable = read_head(head);
  if (!readable.ok()) {
    return readable;
  }
  Result<Intent> read = protocol().on_head(head);
  if (!read.ok()) {
    return read.status();
  }
  intent_ = std::move(read.value());
  const bool becomes_a_stream = intent_.verb == Verb::kListen || intent_.verb == Verb::kConnect ||
                                intent_.verb == Verb::kAccept;
  if (becomes_a_stream && head.form == HeadForm::kHttp &&
      intent_.framing.framing == Framing::kWebSocket) {
    fault_ = check_upgrade_request(request_);
    if (fault_ != HeadFault::kNone) {
      return faulty_head();
    }
  }
  return {};
}

Status Connection::faulty_head() const {
  return Status::failure(fault_ == HeadFault::kTooLarge ? Code::kTooLarge : Code::kProtocol,
                         Source::kRelay, Retry::kNever, refusal(fault_).sentence);
}

// --- authorization -------------------------------------------------------------------------------

void Connection::start_authorize() {
  if (intent_.verb != Verb::kListen && intent_.verb != Verb::kConnect) {
    steps_.completed({});
    return;
  }
  const std::uint32_t right = intent_.verb == Verb::kListen ? kRightListen : kRightSend;
  const bool asked = authorization_.start(parts_, intent_.path, right, intent_.token);
  if (intent_.verb == Verb::kListen) {
    listener_token_ = Secret::take(intent_.token);
  }
  cleanse(intent_.token);
  if (!asked) {
    steps_.completed({});
  }
}

void Connection::on_authorized(const Result<Grant> &grant) {
  token_expires_s_ = grant.ok() ? grant.value().expires_s : 0;
  steps_.completed(grant.ok() ? Status{} : grant.status());
}

void Connection::on_set_up(const Status &status) {
  const bool malformed = status.code == Code::kProtocol || status.code == Code::kTooLarge;
  const bool said_something = reader_ && (malformed || !reader_->bytes().empty());
  reader_.reset();
  tls_ = nullptr;
  if (phase_ == Phase::kDropping) {
    link_->drop(dropping_);
  } else if (status.ok()) {
    act();
  } else if (said_something) {
    fail_set_up(status);
  } else {
    end_before_head(status);
  }
}

} // namespace culvert
