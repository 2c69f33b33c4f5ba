// What a relay plugin wants said is what can be said there, or a mistake of the plugin's.
#include "relay_plugin.hpp"

namespace culvert::test {
namespace {

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

TEST_F(RelayTest, ABrokenOutcomeIsRefused) {
  script_.outcome = [](culvert_arena *, culvert_answer &answer) { answer.form = 77; };
  EXPECT_EQ(outcome_fault(Stage::kHead), "an answer's form is 77");
  script_.outcome = [](culvert_arena *, culvert_answer &answer) {
    answer.form = CULVERT_ANSWER_CLOSE;
    answer.status = 1006; // never on the wire
  };
  EXPECT_EQ(outcome_fault(Stage::kChannel), "an answer's status is 1006");
  script_.outcome = [](culvert_arena *, culvert_answer &answer) {
    answer.form = CULVERT_ANSWER_CLOSE;
    answer.status = 1008;
    static const std::string long_reason(122, 'x');
    static const std::string reason = long_reason + "\xc3\xa9";
    answer.reason = {reason.data(), reason.size()};
  };
  const Answer closed = relay_->outcome(Stage::kHead, "", {}).value();
  EXPECT_EQ(closed.status, 1008);
  EXPECT_EQ(closed.reason, std::string(122, 'x')); // cut in front of the sequence, at most 123
}

TEST_F(RelayTest, AHeadIsAnsweredInItsOwnForm) {
  struct Row {
    std::uint32_t verb, framing, form, status, peer_form;
    const char *fault;
    std::uint32_t peer_status = 200;
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
      {CULVERT_VERB_REJECT, kFrames, kHttp, 410, kHttp,
       "a refused sender is answered with the status 101", 101},
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
      intent.peer_answer.status = row.peer_form == kHttp ? row.peer_status : 0;
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
  EXPECT_EQ(relay_->outcome(Stage::kHead, "", {}).value().status, 403);
  EXPECT_EQ(script_.stage, std::uint32_t{CULVERT_STAGE_HEAD});
  EXPECT_EQ(outcome_fault(Stage::kChannel), "an HTTP answer to a control channel");
  EXPECT_EQ(script_.stage, std::uint32_t{CULVERT_STAGE_CHANNEL});
  script_.outcome = [](culvert_arena *, culvert_answer &answer) {
    answer.form = CULVERT_ANSWER_HTTP;
    answer.status = 101; // whom it tells would take the connection for a tunnel
  };
  EXPECT_EQ(outcome_fault(Stage::kHead), "an outcome with the status 101");
}

TEST_F(RelayTest, NumbersOfANewerPluginReadAsTheRulesSay) {
  std::uint64_t word = 0;
  const Status refused = relay_->on_message(word, "", {}).status();
  EXPECT_EQ(refused.code, Code::kInternal);
  EXPECT_EQ(refused.source, Source::kPlugin);
  EXPECT_EQ(refused.retry, Retry::kNever);
  EXPECT_EQ(refused.message, "plugin test_plugin: on_message: of a newer plugin");
}

} // namespace
} // namespace culvert::test
