// What a relay plugin writes is checked and copied, field by field.
#include "plugin_world.hpp"

#include "culvert/helpers.h"

#include <functional>

namespace culvert::test {
namespace {

/// What the plugin does in its next call; the unit, shared by its instances.
struct Script {
  std::function<void(const culvert_head &, culvert_arena *, culvert_intent &)> on_head;
  std::function<void(culvert_intent &)> on_message = [](culvert_intent &) {};
  std::function<void(culvert_arena *, culvert_answer &)> outcome;
  std::uint32_t stage = 77; // of the last outcome
  std::function<std::uint32_t(const culvert_offer_request &, culvert_message &, culvert_status &)>
      offer;
};

class RelayTest : public testing::Test {
protected:
  static inline Script script_; // create() has no other way to the test

  void SetUp() override {
    script_ = {};
    functions_.size = sizeof functions_;
    functions_.head_form = CULVERT_HEAD_HTTP;
    functions_.alpn = kAlpn;
    functions_.alpn_count = 2;
    functions_.life.create = [](const culvert_host *, culvert_status *) -> void * {
      return &script_;
    };
    functions_.on_head = [](void *, const culvert_head *head, culvert_arena *arena,
                            culvert_intent *intent, culvert_status *) -> std::uint32_t {
      script_.on_head(*head, arena, *intent);
      return 1;
    };
    functions_.on_message = [](void *, std::uint64_t *word, const culvert_channel_message *said,
                               culvert_arena *, culvert_intent *intent,
                               culvert_status *error) -> std::uint32_t {
      *word += said->message.bytes.size + said->facts.size;
      intent->verb = CULVERT_VERB_IGNORE;
      script_.on_message(*intent);
      return *word > 0 ? 1 : culvert_fail(error, 28, 5, 4, "of a newer plugin");
    };
    functions_.offer = [](void *, const culvert_offer_request *request, culvert_arena *,
                          culvert_message *message, culvert_status *error) {
      return script_.offer(*request, *message, *error);
    };
    functions_.outcome = [](void *, const culvert_outcome_request *request, culvert_arena *arena,
                            culvert_answer *answer, culvert_status *) -> std::uint32_t {
      script_.stage = request->stage;
      script_.outcome(arena, *answer);
      return 1;
    };
    make();
  }

  void make() {
    relay_.reset();
    unit_.reset();
    ASSERT_EQ(world_.registry.register_static(entry_.entry).message, "");
    unit_ = std::move(world_.registry.make_unit("test_plugin", PluginKind::kRelay, {}).value());
    relay_ = std::move(unit_->relay_protocol(world_.shard).value());
  }

  /// The verb, or the fault without its beginning.
  std::string fault(std::function<void(culvert_arena *, culvert_intent &)> write) {
    script_.on_head = [&](const culvert_head &, culvert_arena *arena, culvert_intent &intent) {
      intent.verb = CULVERT_VERB_CONNECT;
      write(arena, intent);
    };
    const auto intent = relay_->on_head({});
    const std::string start = "plugin test_plugin broke the rules of its ABI: on_head: ";
    if (intent.ok()) {
      return "";
    }
    EXPECT_EQ(intent.status().message.substr(0, start.size()), start);
    return intent.status().message.substr(start.size());
  }

  static constexpr const char *kAlpn[] = {"one/1", "two/1"};
  PluginWorld world_;
  culvert_relay functions_{};
  TestEntry entry_{CULVERT_KIND_RELAY, &functions_};
  std::unique_ptr<Unit> unit_;
  std::unique_ptr<RelayProtocol> relay_;
};

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

TEST_F(RelayTest, EveryVerbIsKnownAndEveryOtherIsUnknown) {
  const std::pair<std::uint32_t, Verb> cases[] = {{0, Verb::kUnknown},
                                                  {CULVERT_VERB_LISTEN, Verb::kListen},
                                                  {CULVERT_VERB_CONNECT, Verb::kConnect},
                                                  {CULVERT_VERB_ACCEPT, Verb::kAccept},
                                                  {CULVERT_VERB_REJECT, Verb::kReject},
                                                  {CULVERT_VERB_RENEW, Verb::kRenew},
                                                  {CULVERT_VERB_ANSWER, Verb::kAnswer},
                                                  {CULVERT_VERB_IGNORE, Verb::kIgnore},
                                                  {8, Verb::kUnknown},
                                                  {0xffffffff, Verb::kUnknown}};
  for (const auto &[number, verb] : cases) {
    script_.on_head = [wanted = number](const culvert_head &, culvert_arena *,
                                        culvert_intent &intent) {
      intent.verb = wanted;
      intent.answer.form = intent.peer_answer.form = CULVERT_ANSWER_HTTP;
      intent.answer.status = intent.peer_answer.status = 200;
    };
    const auto intent = relay_->on_head({});
    ASSERT_TRUE(intent.ok());
    EXPECT_EQ(intent.value().verb, verb) << number;
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
       "the largest message is 65537; the bound is 65536"},
      {[](auto *, auto &i) {
         i.framing = CULVERT_FRAMING_MESSAGES;
         i.ping_interval_ms = 1;
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
  const Case cases[] = {{4, 4, 4, ""},
                        {5, 4, 4, larger},
                        {4, 5, 4, larger},
                        {UINT16_MAX, UINT16_MAX, 0, ""},
                        {65'536, 1, 0, larger},
                        {1, 65'536, 0, larger},
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

TEST_F(RelayTest, AnOfferIsAMessageOrTheReasonWhyNot) {
  script_.offer = [](const culvert_offer_request &request, culvert_message &message,
                     culvert_status &) -> std::uint32_t {
    message.bytes = request.capability;
    message.kind = CULVERT_TEXT;
    return 1;
  };
  const auto offer = relay_->offer("facts", "c0ffee", "relay.example", 443);
  ASSERT_TRUE(offer.ok());
  EXPECT_EQ(offer.value().bytes, "c0ffee");
  EXPECT_EQ(offer.value().kind, ChunkKind::kText);
  script_.offer = [](const culvert_offer_request &, culvert_message &, culvert_status &) {
    return 1U;
  };
  EXPECT_EQ(relay_->offer("", "", "", 1).status().message,
            "plugin test_plugin broke the rules of its ABI: offer: an offer without a byte");
  script_.offer = [](const culvert_offer_request &, culvert_message &, culvert_status &error) {
    error.peer_status = 431;
    return culvert_fail(&error, CULVERT_TOO_LARGE, CULVERT_SOURCE_LOCAL, CULVERT_RETRY_NEVER, "%s",
                        "too\nlarge\x80\xc3\xa9");
  };
  const Status refused = relay_->offer("", "", "", 1).status();
  EXPECT_EQ(refused.code, Code::kTooLarge);
  EXPECT_EQ(refused.peer_status, 431);
  EXPECT_EQ(refused.message, "too large???");
}

TEST_F(RelayTest, ABrokenOutcomeTellsNothingAndIsLogged) {
  script_.outcome = [](culvert_arena *, culvert_answer &answer) { answer.form = 77; };
  EXPECT_EQ(relay_->outcome(Stage::kHead, "", {}).form, Answer::Form::kNone);
  EXPECT_TRUE(world_.logged("outcome: an answer's form is 77"));
  script_.outcome = [](culvert_arena *, culvert_answer &answer) {
    answer.form = CULVERT_ANSWER_CLOSE;
    answer.status = 1006; // never on the wire
  };
  EXPECT_EQ(relay_->outcome(Stage::kChannel, "", {}).form, Answer::Form::kNone);
  EXPECT_TRUE(world_.logged("outcome: an answer's status is 1006"));
  script_.outcome = [](culvert_arena *, culvert_answer &answer) {
    answer.form = CULVERT_ANSWER_CLOSE;
    answer.status = 1008;
    static const std::string long_reason(122, 'x');
    static const std::string reason = long_reason + "\xc3\xa9";
    answer.reason = {reason.data(), reason.size()};
  };
  const Answer closed = relay_->outcome(Stage::kHead, "", {});
  EXPECT_EQ(closed.status, 1008);
  EXPECT_EQ(closed.reason, std::string(122, 'x')); // cut in front of the sequence, at most 123
}

TEST_F(RelayTest, AHeadIsAnsweredInItsOwnForm) {
  struct Row {
    std::uint32_t verb, framing, form, status, peer_form;
    const char *fault;
  };
  constexpr std::uint32_t kHttp = CULVERT_ANSWER_HTTP;
  constexpr std::uint32_t kMessage = CULVERT_ANSWER_MESSAGE;
  constexpr std::uint32_t kFrames = CULVERT_FRAMING_WEBSOCKET;
  const char *const form = "an answer is not CULVERT_ANSWER_HTTP";
  const char *const status = "an answer's status is 200; 101 is for LISTEN and ACCEPT";
  const Row rows[] = {
      {CULVERT_VERB_LISTEN, kFrames, kHttp, 101, 0, ""},
      {CULVERT_VERB_LISTEN, kFrames, 0, 0, 0, form},
      {CULVERT_VERB_LISTEN, kFrames, kMessage, 0, 0, form},
      {CULVERT_VERB_LISTEN, kFrames, kHttp, 200, 0, status},
      {CULVERT_VERB_LISTEN, CULVERT_FRAMING_MESSAGES, kHttp, 200, 0, ""},
      {CULVERT_VERB_ACCEPT, kFrames, kHttp, 101, kHttp, ""},
      {CULVERT_VERB_ACCEPT, kFrames, kHttp, 101, 0, form},
      {CULVERT_VERB_ACCEPT, kFrames, kHttp, 200, kHttp, status},
      {CULVERT_VERB_REJECT, kFrames, kHttp, 410, kHttp, ""},
      {CULVERT_VERB_REJECT, kFrames, kHttp, 410, kMessage, form},
      {CULVERT_VERB_ANSWER, kFrames, kHttp, 404, 0, ""},
      {CULVERT_VERB_ANSWER, kFrames, kMessage, 0, 0, form},
      {CULVERT_VERB_ANSWER, kFrames, kHttp, 101, 0,
       "an answer's status is 101; 101 is for LISTEN and ACCEPT"},
      {CULVERT_VERB_CONNECT, kFrames, 0, 0, 0, ""},
  };
  for (const Row &row : rows) {
    const std::string found = fault([&](culvert_arena *, culvert_intent &intent) {
      intent.verb = row.verb;
      intent.framing = row.framing;
      intent.answer.form = row.form;
      intent.answer.status = row.status;
      intent.peer_answer.form = row.peer_form;
      intent.peer_answer.status = row.peer_form == kHttp ? 200 : 0;
    });
    EXPECT_EQ(found, row.fault) << row.verb << " " << row.status;
  }
}

TEST_F(RelayTest, AChannelIsAnsweredInWordsItCanHave) {
  for (const auto &[form, fault] : {std::pair(CULVERT_ANSWER_NONE, "an ANSWER is left unwritten"),
                                    std::pair(CULVERT_ANSWER_HTTP, "an HTTP answer to a control"),
                                    std::pair(CULVERT_ANSWER_MESSAGE, "")}) {
    script_.on_message = [form = form](culvert_intent &intent) {
      intent.verb = CULVERT_VERB_ANSWER;
      intent.answer.form = form;
      intent.answer.status = 200;
    };
    std::uint64_t word = 1;
    const auto intent = relay_->on_message(word, "", {});
    const std::string found = intent.ok() ? "" : intent.status().message;
    EXPECT_EQ(intent.ok(), std::string(fault).empty());
    EXPECT_NE(found.find(fault), std::string::npos) << found;
  }
}

TEST_F(RelayTest, AnOutcomeKnowsItsStageAndTellsAChannelNoHttp) {
  script_.outcome = [](culvert_arena *, culvert_answer &answer) {
    answer.form = CULVERT_ANSWER_HTTP;
    answer.status = 403;
  };
  EXPECT_EQ(relay_->outcome(Stage::kHead, "", {}).status, 403);
  EXPECT_EQ(script_.stage, std::uint32_t{CULVERT_STAGE_HEAD});
  EXPECT_EQ(relay_->outcome(Stage::kChannel, "", {}).form, Answer::Form::kNone);
  EXPECT_EQ(script_.stage, std::uint32_t{CULVERT_STAGE_CHANNEL});
  EXPECT_TRUE(world_.logged("outcome: an HTTP answer to a control channel"));
}

TEST_F(RelayTest, NumbersOfANewerPluginReadAsTheRulesSay) {
  std::uint64_t word = 0;
  const Status refused = relay_->on_message(word, "", {}).status();
  EXPECT_EQ(refused.code, Code::kInternal);
  EXPECT_EQ(refused.source, Source::kPlugin);
  EXPECT_EQ(refused.retry, Retry::kNever);
  EXPECT_EQ(refused.message, "plugin test_plugin: on_message: of a newer plugin");
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
