#include "plugin/instance.hpp"

namespace culvert {

RelayInstance::RelayInstance(Unit &unit, Shard &shard, const culvert_relay &functions)
    : Instance(unit, shard, functions.life), functions_(functions),
      alpn_(functions.alpn, functions.alpn + functions.alpn_count) {}

namespace {

culvert_intent unwritten_intent() {
  culvert_intent intent{};
  intent.size = sizeof intent;
  return intent;
}

template <typename Value> Result<Value> unless_refused(const Reader &reader, Value value) {
  if (!reader.ok()) {
    return reader.fault();
  }
  return value;
}

/// The answer to a head must have the form of that head; otherwise the client would wait for the
/// rest.
void check_head_answers(Reader &reader, const Intent &intent, HeadForm form) {
  const auto wanted = form == HeadForm::kHttp ? Answer::Form::kHttp : Answer::Form::kMessage;
  const bool meets = intent.verb == Verb::kAccept || intent.verb == Verb::kReject;
  const bool answers = meets || intent.verb == Verb::kListen || intent.verb == Verb::kAnswer;
  if ((answers && intent.answer.form != wanted) || (meets && intent.peer_answer.form != wanted)) {
    reader.refuse(form == HeadForm::kHttp ? "an answer is not CULVERT_ANSWER_HTTP"
                                          : "an answer is not CULVERT_ANSWER_MESSAGE");
  }
  const bool upgrades = intent.verb == Verb::kListen || intent.verb == Verb::kAccept;
  if (wanted == Answer::Form::kHttp && answers && upgrades != (intent.answer.status == 101) &&
      intent.framing.framing == Framing::kWebSocket) {
    reader.refuse("an answer's status is " + std::to_string(intent.answer.status) +
                  "; 101 is for LISTEN and ACCEPT");
  }
  if (intent.verb == Verb::kReject && intent.peer_answer.status == 101) {
    reader.refuse("a refused sender is answered with the status 101");
  }
}

void check_channel_answer(Reader &reader, const Intent &intent) {
  if (intent.verb == Verb::kAnswer && intent.answer.form == Answer::Form::kNone) {
    reader.refuse("an ANSWER is left unwritten");
  }
  if (intent.answer.form == Answer::Form::kHttp) {
    reader.refuse("an HTTP answer to a control channel");
  }
}

} // namespace

Result<Intent> RelayInstance::on_head(const Head &head) {
  const std::vector<culvert_field> fields = fields_of(head.fields);
  culvert_head said{};
  said.size = sizeof said;
  said.form = functions_.head_form;
  said.method = view_of(head.method);
  said.target = view_of(head.target);
  said.fields = fields.data();
  said.field_count = static_cast<std::uint32_t>(fields.size());
  said.body_kind = static_cast<std::uint32_t>(head.body_kind);
  said.body_length = head.body_length;
  said.message = view_of(head.message);
  said.remote_host = view_of(head.remote_host);
  said.remote_port = head.remote_port;
  culvert_arena room = arena();
  culvert_intent intent = unwritten_intent();
  culvert_status error = no_error();
  Reader reader(id(), "on_head");
  const CallWatch::Call watched = calls_.watch("on_head");
  if (functions_.on_head(self_, &said, &room, &intent, &error) == 0) {
    return reader.failure(error);
  }
  Intent out = reader.intent(intent);
  if (reader.ok()) {
    check_head_answers(reader, out, head_form());
  }
  return unless_refused(reader, std::move(out));
}

Result<Intent> RelayInstance::on_message(std::uint64_t &channel_word, std::string_view facts,
                                         const Message &message) {
  const culvert_channel_message said{sizeof(culvert_channel_message), 0, view_of(facts),
                                     message_of(message)};
  culvert_arena room = arena();
  culvert_intent intent = unwritten_intent();
  culvert_status error = no_error();
  Reader reader(id(), "on_message");
  const CallWatch::Call watched = calls_.watch("on_message");
  if (functions_.on_message(self_, &channel_word, &said, &room, &intent, &error) == 0) {
    return reader.failure(error);
  }
  Intent out = reader.intent(intent);
  if (reader.ok()) {
    check_channel_answer(reader, out);
  }
  return unless_refused(reader, std::move(out));
}

Result<Message> RelayInstance::offer(std::string_view facts, std::string_view capability,
                                     std::string_view public_host, std::uint16_t public_port) {
  const culvert_offer_request request{sizeof(culvert_offer_request), public_port,
                                      view_of(public_host), view_of(facts), view_of(capability)};
  culvert_arena room = arena();
  culvert_message message{};
  culvert_status error = no_error();
  Reader reader(id(), "offer");
  const CallWatch::Call watched = calls_.watch("offer");
  if (functions_.offer(self_, &request, &room, &message, &error) == 0) {
    return reader.failure(error);
  }
  Message out = reader.message(message);
  if (out.bytes.empty()) {
    reader.refuse("an offer without a byte");
  }
  return unless_refused(reader, std::move(out));
}

Result<Answer> RelayInstance::outcome(Stage stage, std::string_view facts, const Status &why) {
  const culvert_status reason = status_of(why);
  const culvert_outcome_request request{sizeof(culvert_outcome_request),
                                        static_cast<std::uint32_t>(stage), view_of(facts), &reason};
  culvert_arena room = arena();
  culvert_answer answer{};
  culvert_status error = no_error();
  Reader reader(id(), "outcome");
  const CallWatch::Call watched = calls_.watch("outcome");
  if (functions_.outcome(self_, &request, &room, &answer, &error) == 0) {
    return reader.failure(error);
  }
  Answer out = reader.answer(answer);
  if (stage == Stage::kChannel && out.form == Answer::Form::kHttp) {
    reader.refuse("an HTTP answer to a control channel");
  }
  if (out.form == Answer::Form::kHttp && out.status == 101) {
    reader.refuse("an outcome with the status 101");
  }
  return unless_refused(reader, std::move(out));
}

void RelayInstance::on_gone(std::uint64_t &channel_word) {
  if (functions_.on_gone != nullptr) {
    const CallWatch::Call watched = calls_.watch("on_gone");
    functions_.on_gone(self_, &channel_word);
  }
}

} // namespace culvert
