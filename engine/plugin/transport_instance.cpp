#include "plugin/instance.hpp"

#include "core/limits.hpp"

namespace culvert {

namespace {

culvert_entity_address entity_of(const EntityAddress &entity) {
  return {view_of(entity.host), view_of(entity.path), entity.port, 0};
}

culvert_dial_request request_of(const EntityAddress &entity, std::string_view token,
                                std::string_view id, std::string_view app = {}) {
  return {sizeof(culvert_dial_request),
          0,
          entity_of(entity),
          view_of(token),
          view_of(id),
          view_of(app)};
}

} // namespace

Result<std::string> TransportInstance::audience(const EntityAddress &entity) {
  const culvert_entity_address address = entity_of(entity);
  culvert_arena room = arena();
  culvert_view audience{};
  culvert_status error = no_error();
  Reader reader(id(), "audience");
  const CallWatch::Call watched = calls_.watch("audience");
  if (functions_.audience(self_, &address, &room, &audience, &error) == 0) {
    return reader.failure(error);
  }
  std::string text = reader.line(audience, kHeadBytes, "the audience");
  if (!reader.ok()) {
    return reader.fault();
  }
  return text;
}

template <typename Call>
Result<LinkDescription> TransportInstance::describe(const char *function, Call call) {
  culvert_arena room = arena();
  culvert_link_description link{};
  link.size = sizeof link;
  culvert_status error = no_error();
  Reader reader(id(), function);
  const CallWatch::Call watched = calls_.watch(function);
  if (call(&room, &link, &error) == 0) {
    return reader.failure(error);
  }
  LinkDescription description = reader.link(link);
  if (!reader.ok()) {
    return reader.fault();
  }
  return description;
}

Result<LinkDescription> TransportInstance::listen(const EntityAddress &entity,
                                                  std::string_view token, std::string_view id) {
  const culvert_dial_request request = request_of(entity, token, id);
  Result<LinkDescription> link = describe("listen", [&](auto *room, auto *out, auto *error) {
    return functions_.listen(self_, &request, room, out, error);
  });
  if (link.ok() && link.value().framing.framing == Framing::kRaw) {
    return plugin_fault(this->id(), "listen", "a control channel has messages, not framing RAW");
  }
  return link;
}

Result<LinkDescription> TransportInstance::dial(const EntityAddress &entity, std::string_view token,
                                                std::string_view id, std::string_view app) {
  const culvert_dial_request request = request_of(entity, token, id, app);
  return describe("dial", [&](auto *room, auto *link, auto *error) {
    return functions_.dial(self_, &request, room, link, error);
  });
}

Result<LinkDescription> TransportInstance::prove(const EntityAddress &entity,
                                                 std::string_view token, std::string_view id) {
  if (functions_.prove == nullptr) {
    return Transport::prove(entity, token, id);
  }
  const culvert_dial_request request = request_of(entity, token, id);
  return describe("prove", [&](auto *room, auto *link, auto *error) {
    return functions_.prove(self_, &request, room, link, error);
  });
}

Result<LinkDescription> TransportInstance::accept(std::string_view offer) {
  return describe("accept", [&](auto *room, auto *link, auto *error) {
    return functions_.accept(self_, view_of(offer), room, link, error);
  });
}

Result<LinkDescription> TransportInstance::reject(std::string_view offer, const Status &why) {
  const culvert_status reason = status_of(why);
  return describe("reject", [&](auto *room, auto *link, auto *error) {
    return functions_.reject(self_, view_of(offer), &reason, room, link, error);
  });
}

ReplyResult TransportInstance::on_reply(Purpose purpose, const Reply &reply) {
  const std::vector<culvert_field> fields = fields_of(reply.fields);
  const culvert_reply said{sizeof(culvert_reply),
                           static_cast<std::uint32_t>(reply.form),
                           reply.status,
                           static_cast<std::uint32_t>(fields.size()),
                           view_of(reply.reason),
                           fields.data(),
                           message_of(reply.message)};
  culvert_arena room = arena();
  culvert_reply_result result{};
  result.size = sizeof result;
  culvert_status error = no_error();
  const CallWatch::Call watched = calls_.watch("on_reply");
  functions_.on_reply(self_, static_cast<std::uint32_t>(purpose), &said, &room, &result, &error);
  Reader reader(id(), "on_reply");
  if (result.verdict == CULVERT_VERDICT_DONE) {
    return {ReplyResult::Verdict::kDone, {}, {}};
  }
  if (result.verdict == CULVERT_VERDICT_SAY) {
    Message say = reader.message(result.say);
    if (reply.form != Reply::Form::kMessage) {
      reader.refuse("SAY where no message was read: it is for HEAD_MESSAGE");
    }
    if (say.bytes.empty() || say.bytes.size() > kHeadBytes) {
      reader.refuse("it says a message of " + std::to_string(say.bytes.size()) +
                    " bytes; a head has 1 to " + std::to_string(kHeadBytes));
    }
    return reader.ok() ? ReplyResult{ReplyResult::Verdict::kSay, std::move(say), {}}
                       : ReplyResult{ReplyResult::Verdict::kFail, {}, reader.fault()};
  }
  if (result.verdict != CULVERT_VERDICT_FAIL) {
    reader.refuse("the verdict is " + std::to_string(result.verdict));
    return {ReplyResult::Verdict::kFail, {}, reader.fault()};
  }
  return {ReplyResult::Verdict::kFail, {}, reader.failure(error)};
}

Result<ChannelResult> TransportInstance::on_message(std::uint64_t &channel_word,
                                                    const Message &message) {
  const culvert_message said = message_of(message);
  culvert_arena room = arena();
  culvert_channel_result result{};
  result.size = sizeof result;
  culvert_status error = no_error();
  Reader reader(id(), "on_message");
  const CallWatch::Call watched = calls_.watch("on_message");
  if (functions_.on_message(self_, &channel_word, &said, &room, &result, &error) == 0) {
    return reader.failure(error);
  }
  if (result.action > CULVERT_CHANNEL_OFFER) {
    reader.refuse("the action is " + std::to_string(result.action));
    return reader.fault();
  }
  ChannelResult out;
  out.action = static_cast<ChannelResult::Action>(result.action);
  if (out.action != ChannelResult::Action::kNothing) {
    out.message = reader.message(result.message);
    out.loggable_id = reader.log_word(result.loggable_id);
    out.app_address = reader.log_word(result.app_address);
  }
  if (!reader.ok()) {
    return reader.fault();
  }
  return out;
}

Result<Message> TransportInstance::renew(std::uint64_t &channel_word, std::string_view token) {
  if (functions_.renew == nullptr) {
    return Status::failure(Code::kUnsupported, Source::kPlugin, Retry::kNever,
                           "plugin " + std::string(id()) + " has no renewal of tokens");
  }
  culvert_arena room = arena();
  culvert_message message{};
  culvert_status error = no_error();
  Reader reader(id(), "renew");
  const CallWatch::Call watched = calls_.watch("renew");
  if (functions_.renew(self_, &channel_word, view_of(token), &room, &message, &error) == 0) {
    return reader.failure(error);
  }
  Message out = reader.message(message);
  if (!reader.ok()) {
    return reader.fault();
  }
  return out;
}

} // namespace culvert
