// What a relay plugin writes is checked and copied, field by field.
#include "relay_plugin.hpp"

namespace culvert::test {
namespace {

TEST_F(RelayTest, SaysItsHeadFormAndAlpn) {
  EXPECT_EQ(relay_->head_form(), HeadForm::kHttp);
  EXPECT_EQ(relay_->alpn(), (std::vector<std::string>{"one/1", "two/1"}));
  EXPECT_EQ(unit_->generation(), 1U);
  make();
  EXPECT_EQ(unit_->generation(), 2U);
}

TEST_F(RelayTest, AHeadBecomesAnIntentThatOwnsEverything) {
  script_.on_head = [](const culvert_head &head, culvert_arena *arena, culvert_intent &intent) {
    EXPECT_EQ(head.size, sizeof head);
    EXPECT_EQ(head.form, std::uint32_t{CULVERT_HEAD_HTTP});
    EXPECT_EQ(head.remote_port, 4711U);
    intent.verb = CULVERT_VERB_CONNECT;
    culvert_arena_copy(arena, head.target, &intent.path);
    intent.token =
        culvert_field_find(head.fields, head.field_count, CULVERT_LITERAL("TOKEN"))->value;
    intent.loggable_id = CULVERT_LITERAL("id\r\n1");
    culvert_view *ids = culvert_arena_views(arena, 2);
    ids[0] = CULVERT_LITERAL("a");
    ids[1] = CULVERT_LITERAL("b");
    intent.allowed = ids;
    intent.allowed_count = 2;
    culvert_field *fields = culvert_arena_fields(arena, 1);
    fields[0] = culvert_field_of(CULVERT_LITERAL("Retry-After"), CULVERT_LITERAL("5"));
    intent.answer.form = CULVERT_ANSWER_HTTP;
    intent.answer.status = 503;
    intent.answer.reason = CULVERT_LITERAL("later\r\nX: \xc3\xa9");
    intent.answer.fields = fields;
    intent.answer.field_count = 1;
    intent.framing = CULVERT_FRAMING_WEBSOCKET;
    intent.ping_interval_ms = 30'000;
  };
  Head head;
  head.target = "entity/below";
  head.fields = {{"Token", "secret", true}};
  head.remote_port = 4711;
  auto intent = relay_->on_head(head);
  ASSERT_TRUE(intent.ok()) << intent.status().message;
  const Intent &found = intent.value();
  EXPECT_EQ(found.verb, Verb::kConnect);
  EXPECT_EQ(found.path, "entity/below");
  EXPECT_EQ(found.token, "secret");
  EXPECT_EQ(found.loggable_id, "id  1");
  EXPECT_EQ(found.allowed, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(found.answer.form, Answer::Form::kHttp);
  EXPECT_EQ(found.answer.status, 503);
  EXPECT_EQ(found.answer.reason, "later  X: ");
  ASSERT_EQ(found.answer.fields.size(), 1U);
  EXPECT_EQ(found.answer.fields[0].value, "5");
  EXPECT_EQ(found.framing.framing, Framing::kWebSocket);
}

TEST_F(RelayTest, EveryVerbIsKnownAndEveryOtherIsRefusedWithThePluginsName) {
  const std::pair<std::uint32_t, Verb> cases[] = {
      {CULVERT_VERB_LISTEN, Verb::kListen}, {CULVERT_VERB_CONNECT, Verb::kConnect},
      {CULVERT_VERB_ACCEPT, Verb::kAccept}, {CULVERT_VERB_REJECT, Verb::kReject},
      {CULVERT_VERB_RENEW, Verb::kRenew},   {CULVERT_VERB_ANSWER, Verb::kAnswer},
      {CULVERT_VERB_IGNORE, Verb::kIgnore}};
  std::uint32_t wanted = 0;
  script_.on_head = [&](const culvert_head &, culvert_arena *, culvert_intent &intent) {
    intent.verb = wanted;
    intent.answer.form = intent.peer_answer.form = CULVERT_ANSWER_HTTP;
    intent.answer.status = intent.peer_answer.status = 200;
  };
  script_.on_message = [&](culvert_intent &intent) { intent.verb = wanted; };
  for (const auto &[number, verb] : cases) {
    wanted = number;
    const auto intent = relay_->on_head({});
    ASSERT_TRUE(intent.ok());
    EXPECT_EQ(intent.value().verb, verb) << number;
  }
  for (const auto &[number, why] :
       {std::pair(0U, "it left the intent unwritten (verb 0)"),
        std::pair(8U, "it wants the verb 8, which this engine does not know"),
        std::pair(0xffffffffU, "it wants the verb 4294967295, which this engine does not know")}) {
    wanted = number;
    std::uint64_t word = 1;
    const Status head = relay_->on_head({}).status();
    EXPECT_EQ(head.message, std::string("plugin test_plugin: on_head: ") + why);
    EXPECT_EQ(head.code, Code::kUnsupported);
    EXPECT_EQ(head.source, Source::kPlugin);
    EXPECT_EQ(relay_->on_message(word, "", {}).status().message,
              std::string("plugin test_plugin: on_message: ") + why);
  }
}

TEST_F(RelayTest, WhatBreaksABoundIsAFault) {
  struct Case {
    std::function<void(culvert_arena *, culvert_intent &)> write;
    const char *fault;
  };
  const char far[] = "x";
  const Case cases[] = {
      {[](auto *, auto &) {}, ""},
      {[](auto *, auto &i) { i.path.size = 5; }, "the path points nowhere and says 5 bytes"},
      {[&](auto *, auto &i) {
         i.token = {far, kHeadBytes + 1};
       },
       "the token has 40961 bytes; the bound is 40960"},
      {[&](auto *, auto &i) {
         i.facts = {far, kFactsBytes + 1};
       },
       "the facts has 40961 bytes; the bound is 40960"},
      {[&](auto *, auto &i) {
         i.answer.body = {far, kAnswerBodyBytes + 1};
       },
       "an answer's body has 65537 bytes; the bound is 65536"},
      {[](auto *, auto &i) { i.answer.form = 4; }, "an answer's form is 4"},
      {[](auto *, auto &i) { i.peer_answer.form = CULVERT_ANSWER_HTTP; },
       "an answer's status is 0"},
      {[](auto *, auto &i) {
         i.answer.form = CULVERT_ANSWER_CLOSE;
         i.answer.status = 401;
       },
       "an answer's status is 401"},
      {[](auto *, auto &i) { i.answer.field_count = 1; }, "fields: 1 of them that point nowhere"},
      {[](auto *, auto &i) { i.answer.field_count = 129; },
       "fields: 129 of them; the bound is 128"},
      {[](auto *arena, auto &i) {
         culvert_field *field = culvert_arena_fields(arena, 1);
         *field = culvert_field_of(CULVERT_LITERAL("A B"), CULVERT_LITERAL("x"));
         i.answer.fields = field;
         i.answer.field_count = 1;
       },
       "a field's name is no token"},
      {[](auto *arena, auto &i) {
         culvert_field *field = culvert_arena_fields(arena, 1);
         *field = culvert_field_of(CULVERT_LITERAL("A"), CULVERT_LITERAL("x\r\nB: y"));
         i.answer.fields = field;
         i.answer.field_count = 1;
       },
       "a field's value has a control byte"},
      {[](auto *, auto &i) { i.denied_count = 1; },
       "denied listener ids: 1 of them, or they point nowhere"},
      {[](auto *, auto &i) { i.framing = 3; }, "the framing is 3"},
      {[](auto *, auto &i) { i.answer.message.kind = 2; }, "a message's kind is 2"},
      {[](auto *, auto &i) { i.largest_message = 65'537; },
       "the largest message is 65537; it is 0 or 16 to 65536"},
      {[](auto *, auto &i) {
         i.framing = CULVERT_FRAMING_MESSAGES;
         i.ping_interval_ms = 100;
       },
       "a ping interval without the words of a ping"},
  };
  for (const Case &one : cases) {
    EXPECT_EQ(fault(one.write), one.fault);
  }
}

TEST_F(RelayTest, APingAndAPongFitIntoAMessage) {
  static const std::string words(kControlMessageBytes, 'x');
  const std::string larger = "the words of a ping or pong are larger than a message";
  struct Case {
    std::size_t ping;
    std::size_t pong;
    std::uint32_t largest;
    std::string fault;
  };
  const Case cases[] = {{16, 16, 16, ""},           {17, 16, 16, larger},
                        {16, 17, 16, larger},       {UINT16_MAX, UINT16_MAX, 0, ""},
                        {65'536, 1, 0, larger},     {1, 65'536, 0, larger},
                        {65'536, 1, 65'536, larger}};
  for (const Case &one : cases) {
    const auto write = [&one](culvert_arena *, culvert_intent &intent) {
      intent.framing = CULVERT_FRAMING_MESSAGES;
      intent.largest_message = one.largest;
      intent.ping = {words.data(), one.ping};
      intent.pong = {words.data(), one.pong};
    };
    EXPECT_EQ(fault(write), one.fault) << one.ping << " " << one.pong << " " << one.largest;
  }
}

TEST_F(RelayTest, AListOfIdsHasItsLength) {
  for (const std::uint32_t count : {kListenerIds, kListenerIds + 1}) {
    const auto fill = [count](culvert_arena *arena, culvert_intent &intent) {
      intent.allowed = culvert_arena_views(arena, count);
      intent.allowed_count = count;
    };
    EXPECT_EQ(fault(fill), count == kListenerIds
                               ? ""
                               : "allowed listener ids: 257 of them, or they point nowhere");
  }
}

TEST_F(RelayTest, ALoggableIdIsCutInFrontOfTheSequenceThatDoesNotFit) {
  static std::string id;
  script_.on_head = [](const culvert_head &, culvert_arena *, culvert_intent &intent) {
    intent.verb = CULVERT_VERB_CONNECT;
    intent.loggable_id = {id.data(), id.size()};
  };
  const std::string most(kLoggableIdBytes, 'x');
  const std::string almost(kLoggableIdBytes - 1, 'x');
  for (const auto &[given, logged] :
       {std::pair(most, most), std::pair(most + "y", most), std::pair(almost + "\xc3\xa9", almost),
        std::pair(std::string(kHeadBytes, 'x'), most)}) {
    id = given;
    const auto intent = relay_->on_head({});
    ASSERT_TRUE(intent.ok());
    EXPECT_EQ(intent.value().loggable_id, logged);
  }
  id = std::string(kHeadBytes + 1, 'x');
  EXPECT_FALSE(relay_->on_head({}).ok());
}

TEST_F(RelayTest, AMessageMovesTheChannelWord) {
  std::uint64_t word = 5;
  const auto intent = relay_->on_message(word, "12", {"abc", ChunkKind::kText});
  ASSERT_TRUE(intent.ok());
  EXPECT_EQ(intent.value().verb, Verb::kIgnore);
  EXPECT_EQ(word, 10U);  // and by the facts
  relay_->on_gone(word); // has none
  EXPECT_EQ(word, 10U);
}

TEST_F(RelayTest, AnOlderMinorWithoutTheLastFunctionIsServed) {
  functions_.on_gone = [](void *, std::uint64_t *word) { *word = 0; };
  make();
  std::uint64_t word = 5;
  relay_->on_gone(word);
  EXPECT_EQ(word, 0U);
  functions_.size = offsetof(culvert_relay, on_gone);
  make();
  word = 5;
  relay_->on_gone(word);
  EXPECT_EQ(word, 5U);
}

} // namespace
} // namespace culvert::test
