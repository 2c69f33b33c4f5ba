#include "unit/role/doubles.hpp"

#include <sstream>

namespace culvert::test {
namespace {

LinkDescription words_to(std::string host, std::uint16_t port, std::string words) {
  LinkDescription description;
  description.host = host;
  description.port = port;
  description.server_name = std::move(host);
  description.head_form = HeadForm::kMessage;
  description.message = std::move(words);
  return description;
}

LinkDescription to_entity(const char *verb, const EntityAddress &entity, std::string_view token) {
  return words_to(entity.host, entity.port,
                  std::string(verb) + " " + entity.path + " " + std::string(token));
}

struct OfferWords {
  std::string host, id;
  unsigned port = 0;
};

OfferWords read_offer(std::string_view offer) {
  std::istringstream words{std::string(offer)};
  OfferWords read;
  words >> read.host >> read.port >> read.id;
  return read;
}

Result<LinkDescription> answer_to(const OfferWords &offer, std::string words, bool tls) {
  if (offer.port == 0 || offer.port > 65535) {
    return Status::failure(Code::kProtocol, Source::kRelay, Retry::kNever, "an offer without port");
  }
  LinkDescription description =
      words_to(offer.host, static_cast<std::uint16_t>(offer.port), std::move(words));
  description.tls = tls;
  return description;
}

} // namespace

Result<std::string> WordTransport::audience(const EntityAddress &entity) {
  return entity.path;
}

Result<LinkDescription> WordTransport::listen(const EntityAddress &entity, std::string_view token,
                                              std::string_view) {
  LinkDescription description = to_entity("listen", entity, token);
  description.framing.framing = Framing::kMessages;
  description.framing.ping_interval_ms = 15'000;
  description.framing.ping = "ping";
  description.framing.pong = "pong";
  return description;
}

Result<LinkDescription> WordTransport::dial(const EntityAddress &entity, std::string_view token,
                                            std::string_view, std::string_view app) {
  dialled_for = app;
  return to_entity("dial", entity, token);
}

Result<LinkDescription> WordTransport::prove(const EntityAddress &entity, std::string_view token,
                                             std::string_view id) {
  return proves ? to_entity("prove", entity, token) : Transport::prove(entity, token, id);
}

ReplyResult WordTransport::on_reply(Purpose, const Reply &reply) {
  const std::string &words = reply.message.bytes;
  ReplyResult result;
  if (reply.form == Reply::Form::kMessage && words == "ok") {
    result.verdict = ReplyResult::Verdict::kDone;
  } else if (words.starts_with("again ")) {
    result.verdict = ReplyResult::Verdict::kSay;
    result.say.bytes = words.substr(6);
  } else {
    const Retry retry = reply.form == Reply::Form::kClose ? after_close
                        : words == "no token"             ? Retry::kNewToken
                        : words == "no way"               ? Retry::kNever
                                                          : Retry::kBackoff;
    const Code code = words == "busy"           ? Code::kOverload
                      : words == "nobody"       ? Code::kNoListener
                      : words == "none allowed" ? Code::kNoneAllowed
                                                : Code::kRejected;
    result.status = Status::failure(code, Source::kRelay, retry, "it said: " + words);
  }
  return result;
}

Result<ChannelResult> WordTransport::on_message(std::uint64_t &, const Message &message) {
  ChannelResult result;
  if (message.bytes.starts_with("offer ")) {
    result.action = ChannelResult::Action::kOffer;
    result.message.bytes = message.bytes.substr(6);
    result.loggable_id = read_offer(result.message.bytes).id;
  } else if (message.bytes == "ask") {
    result.action = ChannelResult::Action::kAnswer;
    result.message.bytes = "answer";
  } else if (message.bytes.starts_with("ask for ")) {
    result.action = ChannelResult::Action::kAnswer;
    result.message.bytes.assign(std::stoul(message.bytes.substr(8)), 'x');
  } else if (message.bytes != "nothing") {
    return Status::failure(Code::kProtocol, Source::kRelay, Retry::kBackoff, "an unknown word");
  }
  return result;
}

Result<LinkDescription> WordTransport::accept(std::string_view offer) {
  const OfferWords words = read_offer(offer);
  if (words.id == "unfetchable") {
    return Status::failure(Code::kProtocol, Source::kRelay, Retry::kNever, "it cannot be fetched");
  }
  return answer_to(words, "accept " + words.id, tls);
}

Result<LinkDescription> WordTransport::reject(std::string_view offer, const Status &why) {
  const OfferWords words = read_offer(offer);
  return answer_to(words, "reject " + words.id + " " + why.message, tls);
}

Result<Message> WordTransport::renew(std::uint64_t &, std::string_view token) {
  if (renews) {
    return Message{"renew " + std::string(token), ChunkKind::kText};
  }
  return Status::failure(Code::kUnsupported, Source::kPlugin, Retry::kNever, "no renewal");
}

void TableAuth::acquire(AcquireToken &operation, std::string_view) {
  ++asked;
  if (silent) {
    silence_.ask(shard_.io, operation);
    return;
  }
  if (fails) {
    operation.finish(shard_.io, Status::failure(Code::kConfig, Source::kPlugin, Retry::kBackoff,
                                                "there is no token now"));
    return;
  }
  if (life_s == 0) {
    made_.text = "token" + std::to_string(key_);
    made_.id = key_ + 1;
  } else if (made_.id == 0 || (!ends && shard_.io.wall_s() >= made_.expires_s - life_s / 2)) {
    made_.id += 100;
    made_.text = "token" + std::to_string(key_) + "." + std::to_string(made_.id / 100);
    made_.expires_s = shard_.io.wall_s() + life_s;
    made_.renew_after_s = renew_ahead_s == 0 ? 0 : made_.expires_s - renew_ahead_s;
  }
  operation.finish(shard_.io, made_);
}

bool TableAuth::refused(std::uint64_t token_id) {
  ++refusals;
  refused_id = token_id;
  if (token_id != key_ + 1 || keys_ < 2) {
    return keys_ >= 2;
  }
  bad_[key_] = true;
  key_ = (key_ + 1) % keys_;
  const bool worth_trying = !bad_[key_];
  if (!worth_trying) {
    bad_.assign(keys_, false);
  }
  return worth_trying;
}

void TableResolver::resolve(ResolveName &operation, std::string_view name) {
  if (name == silent) {
    silence_.ask(shard_.io, operation);
    return;
  }
  const auto found = names.find(std::string(name));
  if (const auto literal = Address::from_literal(name, 0)) {
    operation.finish(shard_.io, Addresses{{*literal}, 60'000});
  } else if (found != names.end()) {
    operation.finish(shard_.io, Addresses{found->second, 60'000});
  } else {
    operation.finish(shard_.io, Status::failure(Code::kNoName, Source::kConfig, Retry::kNever,
                                                "no address is known for " + std::string(name)));
  }
}

} // namespace culvert::test
