#include "role/outbound.hpp"

#include "link/http_upgrade.hpp"
#include "link/os_status.hpp"
#include "link/tcp.hpp"
#include "role/advice.hpp"
#include "role/framing.hpp"

namespace culvert {

// A dial keeps a deadline of its own, and names the address that did not answer.
constexpr Outbound::Table Outbound::steps_with(std::uint64_t (Outbound::*upgrade_ms)() const) {
  return {
      {{"authorize", &Outbound::handshake_ms, &Outbound::start_authorize,
        &Outbound::cancel_authorize, Source::kPlugin},
       {"resolve", &Outbound::handshake_ms, &Outbound::start_resolve, &Outbound::cancel_resolve,
        Source::kPlugin},
       {"dial", &Outbound::two_dials_ms, &Outbound::start_dial, &Outbound::cancel_dial,
        Source::kRelay},
       {"connect", &Outbound::proxy_ms, &Outbound::start_connect, &Outbound::cancel_head,
        Source::kProxy},
       {"tls", &Outbound::handshake_ms, &Outbound::start_tls, &Outbound::cancel_tls,
        Source::kRelay},
       {"upgrade", upgrade_ms, &Outbound::start_upgrade, &Outbound::cancel_head, Source::kRelay}}};
}
constexpr Outbound::Table Outbound::kAnsweredAtOnce = steps_with(&Outbound::handshake_ms);
constexpr Outbound::Table Outbound::kAwaitsListener = steps_with(&Outbound::upgrade_ms);

Outbound::Outbound(const ClientKit &kit, Delegate<Outbound &> done)
    : kit_(kit), done_(done),
      steps_(kit.shard, *this, Delegate<const Status &>::to<&Outbound::on_steps_done>(*this)),
      dial_(kit.shard) {
  acquire_.bind<&Outbound::on_token>(*this);
  resolve_.bind<&Outbound::on_resolved>(*this);
  dial_.bind<&Outbound::on_dialled>(*this);
  handshake_.bind<&Outbound::on_tls>(*this);
  dropping_.bind<&Outbound::on_dropped>(*this);
}

void Outbound::start(Purpose purpose, const EntityAddress &entity, std::string id,
                     std::string app) {
  app_ = std::move(app);
  purpose_ = purpose;
  entity_ = entity;
  id_ = std::move(id);
  steps_.start(purpose == Purpose::kDial ? kAwaitsListener : kAnsweredAtOnce, id_);
}

void Outbound::prove(const EntityAddress &entity, std::string id) {
  purpose_ = Purpose::kDial;
  proof_ = Proof::kToken;
  entity_ = entity;
  id_ = std::move(id);
  steps_.start(kAnsweredAtOnce, id_);
}

void Outbound::start(Purpose purpose, LinkDescription description, std::string id) {
  purpose_ = purpose;
  description_ = std::move(description);
  steps_.start(std::span(kAnsweredAtOnce).subspan(1), std::move(id)); // its address is its token
}

// --- authorize -----------------------------------------------------------------------------------

void Outbound::start_authorize() {
  const Result<std::string> audience = kit_.transport.audience(entity_);
  if (!audience.ok()) {
    steps_.completed(audience.status());
    return;
  }
  kit_.auth.acquire(acquire_, audience.value());
}

void Outbound::on_token(Outcome) {
  if (!acquire_.result.ok()) {
    steps_.completed(acquire_.result.status());
    return;
  }
  token_ = std::move(acquire_.result.value());
  const std::string text = std::exchange(token_.text, {});
  Result<LinkDescription> description = describe(text);
  if (description.ok()) {
    description_ = std::move(description.value());
    steps_.completed({});
  } else {
    steps_.completed(description.status());
  }
}

Result<LinkDescription> Outbound::describe(const std::string &token) {
  if (proof_ != Proof::kNone) {
    Result<LinkDescription> proof = kit_.transport.prove(entity_, token, id_);
    if (proof.ok() || proof.status().code != Code::kUnsupported) {
      return proof;
    }
    proof_ = Proof::kRelayAlone;
  }
  return purpose_ == Purpose::kListen ? kit_.transport.listen(entity_, token, id_)
                                      : kit_.transport.dial(entity_, token, id_, app_);
}

// --- resolve, dial -------------------------------------------------------------------------------

void Outbound::start_resolve() {
  const bool by_proxy = kit_.proxy != nullptr && kit_.proxy->leads_to(description_.host);
  through_ = by_proxy ? kit_.proxy : nullptr;
  kit_.resolver.resolve(resolve_, by_proxy ? through_->address().host : description_.host);
}

void Outbound::on_resolved(Outcome) {
  steps_.completed(resolve_.result.ok() ? Status{} : resolve_.result.status());
}

void Outbound::start_dial() {
  std::vector<Address> addresses = std::move(resolve_.result.value().addresses);
  for (Address &address : addresses) {
    address.port = through_ != nullptr ? through_->address().port : description_.port;
  }
  dial_.start(std::move(addresses), kit_.limits->relay_dial_ms);
}

void Outbound::on_dialled(Result<Socket> socket) {
  if (!socket.ok()) {
    Status status = socket.status();
    const Source other = through_ != nullptr ? Source::kProxy : Source::kRelay;
    status.source = lacks_resources(status) ? Source::kLocal : other;
    steps_.completed(purpose_ == Purpose::kListen || purpose_ == Purpose::kDial
                         ? advised_of_dial(std::move(status))
                         : std::move(status));
    return;
  }
  link_ = std::make_unique<TcpLink>(kit_.shard, socket.value());
  steps_.completed({});
}

// --- the proxy -----------------------------------------------------------------------------------

void Outbound::start_connect() {
  if (through_ == nullptr) {
    steps_.completed({});
    return;
  }
  Result<std::string> request = through_->request(description_.host, description_.port);
  if (!request.ok()) {
    steps_.completed(request.status());
    return;
  }
  writer_.emplace(*link_);
  reader_.emplace(*link_);
  writer_->start(HeadForm::kHttp, std::move(request.value()),
                 Delegate<>::to<&Outbound::on_asked>(*this));
}

void Outbound::on_asked() {
  if (writer_->status().ok()) {
    reader_->start(HeadForm::kHttp, Delegate<>::to<&Outbound::on_proxy_heard>(*this));
  } else {
    steps_.completed(Proxy::unread(writer_->status()));
  }
}

void Outbound::on_proxy_heard() {
  const Result<ResponseHead> head =
      reader_->status().ok() ? parse_response(reader_->bytes()) : reader_->status();
  const Status status = head.ok()
                            ? through_->judge(head.value(), description_.host, description_.port)
                            : Proxy::unread(head.status());
  writer_.reset();
  reader_.reset();
  steps_.completed(status);
}

// --- tls -----------------------------------------------------------------------------------------

void Outbound::start_tls() {
  if (!description_.tls || kit_.tls == nullptr) {
    steps_.completed({});
    return;
  }
  const TlsPeer peer{description_.host, description_.port, description_.server_name,
                     description_.alpn};
  auto link = std::make_unique<TlsLink>(kit_.shard, std::move(link_), *kit_.tls, peer);
  tls_ = link.get();
  link_ = std::move(link);
  tls_->handshake(handshake_);
}

void Outbound::cancel_tls() {
  if (tls_ != nullptr) {
    tls_->cancel(handshake_);
  }
}

void Outbound::on_tls(Outcome outcome) {
  Status status;
  if (outcome.result != 0) {
    status = tls_->failure();
    status.source = Source::kRelay;
    if (through_ != nullptr) {
      status.message += " (through the proxy " + through_->address().text() + ")";
    }
    if (status.ok()) {
      status = Status::failure(Code::kCancelled, Source::kLocal, Retry::kNever, "cancelled");
    }
  }
  tls_ = nullptr;
  steps_.completed(std::move(status));
}

// --- upgrade -------------------------------------------------------------------------------------

void Outbound::start_upgrade() {
  if (proof_ == Proof::kRelayAlone) {
    steps_.completed({});
    return;
  }
  if (description_.head_form == HeadForm::kNone) {
    frame();
    steps_.completed({});
    return;
  }
  Result<std::string> words = first_words();
  if (!words.ok()) {
    steps_.completed(words.status());
    return;
  }
  writer_.emplace(*link_);
  reader_.emplace(*link_);
  say(std::move(words.value()));
}

Result<std::string> Outbound::first_words() {
  if (description_.head_form == HeadForm::kMessage) {
    return std::move(description_.message);
  }
  if (description_.framing.framing != Framing::kWebSocket) {
    return build_request("GET", description_.target, description_.authority, description_.fields);
  }
  upgrade_key_ = make_upgrade_key(kit_.shard.random);
  return build_upgrade_request(description_.target, description_.authority, upgrade_key_,
                               description_.fields);
}

void Outbound::say(std::string bytes) {
  writer_->start(description_.head_form, std::move(bytes),
                 Delegate<>::to<&Outbound::on_said>(*this));
}

void Outbound::cancel_head() {
  if (writer_ && writer_->running()) {
    writer_->cancel();
  } else if (reader_ && reader_->running()) {
    reader_->cancel();
  }
}

void Outbound::on_said() {
  if (!writer_->status().ok()) {
    Status status = writer_->status();
    status.source = Source::kRelay;
    steps_.completed(std::move(status));
    return;
  }
  reader_->start(description_.head_form, Delegate<>::to<&Outbound::on_heard>(*this));
}

Result<Reply> Outbound::understood() {
  if (!reader_->status().ok()) {
    return reader_->status();
  }
  Reply reply;
  if (description_.head_form == HeadForm::kMessage) {
    reply.form = Reply::Form::kMessage;
    reply.message.bytes = std::move(reader_->bytes());
    return reply;
  }
  Result<ResponseHead> head = parse_response(reader_->bytes());
  if (!head.ok()) {
    return head.status();
  }
  if (head.value().status == 101 && description_.framing.framing == Framing::kWebSocket) {
    Status checked =
        check_upgrade_response(head.value(), upgrade_key_, description_.fields, kit_.digests);
    if (!checked.ok()) {
      return checked;
    }
  }
  reply.status = head.value().status;
  reply.reason = std::move(head.value().reason);
  reply.fields = std::move(head.value().fields);
  return reply;
}

void Outbound::on_heard() {
  Result<Reply> reply = understood();
  if (reply.ok()) {
    judge(reply.value());
    return;
  }
  Status status = reply.status();
  status.source = Source::kRelay;
  if (status.retry == Retry::kNever) {
    status.retry = Retry::kBackoff; // a relay that talks nonsense now may be well tomorrow
  }
  steps_.completed(std::move(status));
}

void Outbound::judge(const Reply &reply) {
  ReplyResult result = kit_.transport.on_reply(purpose_, reply);
  switch (result.verdict) {
  case ReplyResult::Verdict::kSay:
    say(std::move(result.say.bytes));
    return;
  case ReplyResult::Verdict::kFail:
    steps_.completed(advised(std::move(result.status),
                             {purpose_, entity_, kit_.rule, reply.fields, kit_.shard.io.wall_s()}));
    return;
  case ReplyResult::Verdict::kDone:
    break;
  }
  if (purpose_ != Purpose::kReject) {
    frame();
  }
  steps_.completed({});
}

void Outbound::frame() {
  description_.framing.awaits_pong = purpose_ == Purpose::kListen;
  link_ = framed(kit_.shard, std::move(link_), description_.framing, WebSocketRole::kClient);
}

// --- the end -------------------------------------------------------------------------------------

bool shows_no_relay(const Status &status) {
  switch (status.code) {
  case Code::kTimeout:
    return status.peer_status == 0;
  case Code::kReset:
  case Code::kUnreachable:
  case Code::kTruncated:
  case Code::kProtocol:
  case Code::kTooLarge:
  case Code::kTls:
    return true;
  default:
    return false;
  }
}

void Outbound::on_steps_done(const Status &status) {
  status_ = purpose_ == Purpose::kAccept ? advised_of_offer(status, description_) : status;
  if (status.source == Source::kProxy) {
    status_.message = "proxy " + through_->address().text() + ": " + status.message;
  }
  if (link_ != nullptr && through_ == nullptr && shows_no_relay(status) &&
      dial_.pass_over_address()) {
    status_.message = dial_.address().text() + ": " + status_.message;
  }
  const bool of_use = status.ok() && purpose_ != Purpose::kReject && proof_ == Proof::kNone;
  if (link_ != nullptr && !of_use) {
    link_->drop(dropping_);
  } else {
    done_(*this);
  }
}

void Outbound::on_dropped(Outcome) {
  writer_.reset();
  reader_.reset();
  link_.reset();
  done_(*this);
}

} // namespace culvert
