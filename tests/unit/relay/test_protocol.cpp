#include "unit/relay/test_protocol.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>

namespace culvert::test {

Words split_words(const std::string &text) {
  Words words;
  std::istringstream stream(text);
  for (std::string word; stream >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      words.emplace(words.empty() ? "verb" : word, word);
    } else {
      words[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  return words;
}

namespace {

Framing framing_of(const std::string &word) {
  return word == "websocket" ? Framing::kWebSocket
         : word == "raw"     ? Framing::kRaw
                             : Framing::kMessages;
}

} // namespace

Answer TestProtocol::said(std::string text, std::uint16_t status) const {
  Answer answer;
  answer.form = form_ == HeadForm::kHttp ? Answer::Form::kHttp : Answer::Form::kMessage;
  answer.status = status;
  answer.reason = text;
  answer.message = {std::move(text), ChunkKind::kText};
  return answer;
}

Result<Intent> TestProtocol::on_head(const Head &head) {
  std::string text = form_ == HeadForm::kHttp ? head.target.substr(1) : head.message;
  if (form_ == HeadForm::kHttp) {
    std::replace(text.begin(), text.end(), '/', ' ');
  }
  Words words = split_words(text);
  static const std::map<std::string, Verb> kVerbs{
      {"listen", Verb::kListen}, {"connect", Verb::kConnect}, {"accept", Verb::kAccept},
      {"reject", Verb::kReject}, {"renew", Verb::kRenew},     {"hello", Verb::kAnswer},
      {"deny", Verb::kAnswer}};
  const auto verb = kVerbs.find(words["verb"]);
  if (verb == kVerbs.end()) {
    return Status::failure(Code::kProtocol, Source::kRelay, Retry::kNever, "unknown verb");
  }
  Intent intent;
  intent.verb = verb->second;
  intent.path = words["path"];
  intent.token = words["token"];
  intent.capability = words["capability"];
  intent.listener_id = words["id"];
  intent.loggable_id = words["id"];
  intent.authority = words["authority"];
  intent.facts = "peer=" + head.remote_host + " size=" + words["size"] +
                 (words.count("farewell") > 0 ? " farewell=" + words["farewell"] : "");
  if (words.count("allowed") > 0) {
    intent.allowed.push_back(words["allowed"]);
  }
  if (words.count("denied") > 0) {
    intent.denied.push_back(words["denied"]);
  }
  intent.framing.framing = framing_of(words["framing"]);
  intent.framing.largest_message = words.count("largest") > 0 ? 1'000 : 4'096;
  intent.framing.ping_interval_ms = words.count("pinged") > 0 ? 15'000 : 0;
  switch (intent.verb) {
  case Verb::kListen:
    intent.answer = said("listening", 101);
    break;
  case Verb::kAccept:
    intent.answer = said("joined", 101);
    intent.peer_answer = said("joined by the relay", 101);
    break;
  case Verb::kReject:
    intent.answer = said("refusal taken", 410);
    intent.peer_answer = said("refused " + words["status"],
                              static_cast<std::uint16_t>(std::atoi(words["status"].c_str())));
    break;
  default:
    intent.answer = words["verb"] == "deny" ? said("denied", 400) : said("hello yourself", 200);
  }
  return intent;
}

Result<Intent> TestProtocol::on_message(std::uint64_t &channel_word, std::string_view facts,
                                        const Message &message) {
  ++channel_word;
  Intent intent;
  if (message.bytes.rfind("renew ", 0) == 0) {
    intent.verb = Verb::kRenew;
    intent.token = message.bytes.substr(6);
  } else if (message.bytes == "ask") {
    intent.verb = Verb::kAnswer;
    intent.answer.form = Answer::Form::kMessage;
    intent.answer.message = {"answer " + std::to_string(channel_word), ChunkKind::kText};
  } else if (message.bytes == "facts") {
    intent.verb = Verb::kAnswer;
    intent.answer.form = Answer::Form::kMessage;
    intent.answer.message = {std::string(facts), ChunkKind::kText};
  } else if (message.bytes == "empty" || message.bytes == "huge") {
    intent.verb = Verb::kAnswer;
    intent.answer.form = Answer::Form::kMessage;
    intent.answer.message.bytes.assign(message.bytes == "huge" ? 4'097 : 0, 'x');
  } else if (message.bytes == "?") {
    intent.verb = Verb::kAnswer;
    intent.answer.form = Answer::Form::kMessage;
    intent.answer.message = {"!", ChunkKind::kText};
  } else if (message.bytes == "close me") {
    intent.verb = Verb::kAnswer;
    intent.answer.form = Answer::Form::kClose;
    intent.answer.status = 4123;
    intent.answer.reason = "as you wish";
  } else if (message.bytes == "ignore") {
    intent.verb = Verb::kIgnore;
  } else if (message.bytes == "listen") {
    intent.verb = Verb::kListen;
  } else {
    return Status::failure(Code::kProtocol, Source::kRelay, Retry::kNever, "unknown message");
  }
  return intent;
}

Result<Message> TestProtocol::offer(std::string_view facts, std::string_view capability,
                                    std::string_view public_host, std::uint16_t public_port) {
  Words words = split_words("facts " + std::string(facts));
  if (words["size"] == "huge") {
    return Status::failure(Code::kTooLarge, Source::kPlugin, Retry::kNever, "the offer is huge");
  }
  return Message{"offer capability=" + std::string(capability) +
                     " host=" + std::string(public_host) + " port=" + std::to_string(public_port) +
                     " peer=" + words["peer"],
                 ChunkKind::kText};
}

Result<Answer> TestProtocol::outcome(Stage stage, std::string_view facts, const Status &why) {
  Words words = split_words("facts " + std::string(facts));
  if (words["size"] == "mute") {
    return Status::failure(Code::kInternal, Source::kPlugin, Retry::kNever, "no words");
  }
  if (stage == Stage::kChannel && words.count("farewell") > 0) {
    return said(std::string(std::stoul(words["farewell"]), 'x'), 200);
  }
  if (stage == Stage::kChannel) {
    Answer close;
    close.form = Answer::Form::kClose;
    close.status = 4000;
    close.reason = word(why.code);
    return close;
  }
  return said("no " + std::string(word(why.code)), why.code == Code::kNoListener ? 404 : 403);
}

void TestProtocol::on_gone(std::uint64_t &) {
  ++channels_gone;
}

void TestAuth::verify(VerifyToken &operation, const TokenCheck &check) {
  const std::size_t until = check.token.find('@');
  const std::string token(check.token.substr(0, until));
  if (token == "silent" || token == "slow") {
    silence_.ask(shard_.io, operation);
    if (token == "slow") {
      shard_.io.arm_after_ms(slow_, 1'000);
    }
    return;
  }
  Grant grant;
  grant.expires_s = until == std::string_view::npos
                        ? 0
                        : std::atoll(std::string(check.token.substr(until + 1)).c_str());
  Code refusal = Code::kOk;
  if (token == "all") {
    grant.rights = kRightManage;
  } else if (token == "listen" || token == "send") {
    grant.rights = token == "listen" ? kRightListen : kRightSend;
  } else if (token.rfind("rule:", 0) == 0) {
    refusal = Code::kTokenSignature;
    for (const Rule *rule : *check.rules) {
      if (refusal != Code::kOk && rule->name == token.substr(5)) {
        refusal = Code::kOk;
        grant.rights = rule->rights;
      }
    }
  } else {
    refusal = token.empty()         ? Code::kTokenMissing
              : token == "expired"  ? Code::kTokenExpired
              : token == "audience" ? Code::kTokenAudience
                                    : Code::kTokenMalformed;
  }
  if (refusal == Code::kOk) {
    operation.finish(shard_.io, grant);
  } else {
    operation.finish(
        shard_.io, Status::failure(refusal, Source::kRelay, Retry::kNewToken, "the token is bad"));
  }
}

} // namespace culvert::test
