// The example protocol end to end: what each half writes is what the other reads.
#include "unit/plugins_common/fake_host.hpp"

#include "culvert/relay.h"
#include "culvert/transport.h"

#include <cstdio>

extern "C" const culvert_plugin culvert_plugin_v1_example_relay;

namespace {

using namespace culvert_test;

constexpr char kToken[] = "SharedAccessSignature sr=a&sig=b";

struct ExampleRelay : testing::Test {
  const culvert_transport &client =
      functions<culvert_transport>(culvert_plugin_v1_example_relay, CULVERT_KIND_TRANSPORT);
  const culvert_relay &relay =
      functions<culvert_relay>(culvert_plugin_v1_example_relay, CULVERT_KIND_RELAY);
  std::string head_bytes; // what intents and links below may point into
  Room room;
  culvert_status error{};

  ExampleRelay() { error.size = sizeof error; }

  culvert_link_description dial(bool listen, std::string_view path = "db/main",
                                std::string_view host = "relay.test") {
    culvert_dial_request request{};
    request.size = sizeof request;
    request.entity = {view(host), view(path), 9443, 0};
    request.token = view(kToken);
    request.id = view("an-id");
    culvert_link_description link{};
    link.size = sizeof link;
    const auto function = listen ? client.listen : client.dial;
    made = function(nullptr, &request, &room, &link, &error) == 1;
    return link;
  }
  culvert_intent head(std::string_view bytes) {
    head_bytes = bytes;
    culvert_head head{};
    head.size = sizeof head;
    head.form = CULVERT_HEAD_MESSAGE;
    head.message = view(head_bytes);
    culvert_intent intent{};
    intent.size = sizeof intent;
    made = relay.on_head(nullptr, &head, &room, &intent, &error) == 1;
    return intent;
  }
  uint32_t reply(std::string_view bytes, uint32_t form = CULVERT_REPLY_MESSAGE) {
    culvert_reply given{};
    given.size = sizeof given;
    given.form = form;
    given.message.bytes = view(bytes);
    culvert_reply_result result{};
    result.size = sizeof result;
    error = {};
    error.size = sizeof error;
    client.on_reply(nullptr, CULVERT_PURPOSE_DIAL, &given, &room, &result, &error);
    return result.verdict;
  }
  std::string offer(std::string_view facts) {
    const culvert_offer_request request{sizeof request, 443, view("g1.relay.test"), view(facts),
                                        view("00ff")};
    culvert_message message{};
    EXPECT_EQ(relay.offer(nullptr, &request, &room, &message, &error), 1U);
    return text(message.bytes);
  }
  culvert_channel_result hear(std::string_view bytes) {
    const culvert_message message{view(bytes), CULVERT_TEXT, 0};
    culvert_channel_result result{};
    result.size = sizeof result;
    std::uint64_t word = 0;
    made = client.on_message(nullptr, &word, &message, &room, &result, &error) == 1;
    return result;
  }
  culvert_answer outcome(const culvert_status &why) {
    const culvert_outcome_request request{sizeof request, CULVERT_STAGE_HEAD, view("an-id"), &why};
    culvert_answer answer{};
    EXPECT_EQ(relay.outcome(nullptr, &request, &room, &answer, &error), 1U);
    return answer;
  }
  bool made = false;
};

TEST_F(ExampleRelay, AListenerSaysWhoItIsAndBecomesAControlChannel) {
  const culvert_link_description link = dial(true);
  ASSERT_TRUE(made);
  EXPECT_EQ(link.tls, 1U);
  EXPECT_EQ(text(link.host), "relay.test");
  EXPECT_EQ(text(link.alpn), relay.alpn[0]);
  EXPECT_EQ(link.head_form, relay.head_form);
  EXPECT_EQ(link.framing, uint32_t{CULVERT_FRAMING_MESSAGES});
  const culvert_intent intent = head(text(link.message));
  EXPECT_EQ(intent.verb, uint32_t{CULVERT_VERB_LISTEN});
  EXPECT_EQ(text(intent.path), "db/main");
  EXPECT_EQ(text(intent.listener_id), "an-id");
  EXPECT_EQ(text(intent.loggable_id), "an-id");
  EXPECT_EQ(text(intent.authority), "relay.test:9443");
  EXPECT_EQ(text(intent.token), kToken);
  EXPECT_EQ(intent.framing, link.framing);
  EXPECT_EQ(intent.ping_interval_ms, link.ping_interval_ms);
  EXPECT_EQ(text(intent.ping), text(link.ping));
  EXPECT_EQ(text(intent.pong), text(link.pong));
  EXPECT_EQ(reply(text(intent.answer.message.bytes)), uint32_t{CULVERT_VERDICT_DONE});
}

TEST_F(ExampleRelay, ASenderIsOfferedFetchedAndRaw) {
  const culvert_link_description sender = dial(false);
  EXPECT_EQ(sender.framing, uint32_t{CULVERT_FRAMING_RAW});
  const culvert_intent connect = head(text(sender.message));
  EXPECT_EQ(connect.verb, uint32_t{CULVERT_VERB_CONNECT});
  EXPECT_EQ(connect.framing, uint32_t{CULVERT_FRAMING_RAW});
  EXPECT_EQ(text(connect.listener_id), "");
  const std::string offered = offer(text(connect.facts));
  EXPECT_EQ(offered.find(kToken), std::string::npos);

  const culvert_channel_result heard = hear(offered);
  ASSERT_TRUE(made);
  EXPECT_EQ(heard.action, uint32_t{CULVERT_CHANNEL_OFFER});
  EXPECT_EQ(text(heard.loggable_id), "an-id");
  culvert_link_description accept{};
  accept.size = sizeof accept;
  ASSERT_EQ(client.accept(nullptr, heard.message.bytes, &room, &accept, &error), 1U);
  EXPECT_EQ(text(accept.host), "g1.relay.test");
  EXPECT_EQ(accept.port, 443U);
  EXPECT_EQ(accept.framing, uint32_t{CULVERT_FRAMING_RAW});
  const culvert_intent fetched = head(text(accept.message));
  EXPECT_EQ(fetched.verb, uint32_t{CULVERT_VERB_ACCEPT});
  EXPECT_EQ(text(fetched.capability), "00ff");
  EXPECT_EQ(reply(text(fetched.answer.message.bytes)), uint32_t{CULVERT_VERDICT_DONE});
  EXPECT_EQ(reply(text(fetched.peer_answer.message.bytes)), uint32_t{CULVERT_VERDICT_DONE});
}

TEST_F(ExampleRelay, ARejectTellsTheSenderWhy) {
  culvert_status why{};
  why.size = sizeof why;
  why.code = CULVERT_REFUSED;
  std::snprintf(why.message, sizeof why.message, "the target refused");
  culvert_link_description link{};
  link.size = sizeof link;
  const std::string offered = offer("an-id");
  ASSERT_EQ(client.reject(nullptr, view(offered), &why, &room, &link, &error), 1U);
  const culvert_intent intent = head(text(link.message));
  EXPECT_EQ(intent.verb, uint32_t{CULVERT_VERB_REJECT});
  EXPECT_EQ(text(intent.capability), "00ff");
  EXPECT_EQ(reply(text(intent.answer.message.bytes)), uint32_t{CULVERT_VERDICT_DONE});
  EXPECT_EQ(reply(text(intent.peer_answer.message.bytes)), uint32_t{CULVERT_VERDICT_FAIL});
  EXPECT_EQ(error.code, uint32_t{CULVERT_REJECTED});
  EXPECT_EQ(error.retry, uint32_t{CULVERT_RETRY_BACKOFF});
  EXPECT_STREQ(error.message, "the relay says: the target refused");
}

TEST_F(ExampleRelay, OutcomesCrossWithCodeAndRetry) {
  struct {
    uint32_t code, retry;
  } const rows[]{{CULVERT_TOKEN_EXPIRED, CULVERT_RETRY_NEW_TOKEN},
                 {CULVERT_TOKEN_MISSING, CULVERT_RETRY_NEW_TOKEN},
                 {CULVERT_NO_LISTENER, CULVERT_RETRY_BACKOFF},
                 {CULVERT_INTERNAL, CULVERT_RETRY_BACKOFF}};
  for (const auto &row : rows) {
    culvert_status why{};
    why.size = sizeof why;
    why.code = row.code;
    std::snprintf(why.message, sizeof why.message, "a sentence of words");
    const culvert_answer answer = outcome(why);
    EXPECT_EQ(answer.form, uint32_t{CULVERT_ANSWER_MESSAGE});
    EXPECT_EQ(reply(text(answer.message.bytes)), uint32_t{CULVERT_VERDICT_FAIL});
    EXPECT_EQ(error.code, row.code);
    EXPECT_EQ(error.retry, row.retry);
    EXPECT_EQ(error.source, uint32_t{CULVERT_SOURCE_RELAY});
    EXPECT_STREQ(error.message, "the relay says: a sentence of words");
  }
}

TEST_F(ExampleRelay, HeadsThatCannotBeReadAreAnswered) {
  for (const char *bad : {"", "\n", "listen", "listen\n", "listen\n\nid\n", "dial\npath\n",
                          "LISTEN\npath\nid\nh\nt", "GET / HTTP/1.1\r\n\r\n", "renew\ntoken"}) {
    head(bad);
    EXPECT_FALSE(made) << bad;
    const culvert_answer answer = outcome(error);
    EXPECT_EQ(reply(text(answer.message.bytes)), uint32_t{CULVERT_VERDICT_FAIL}) << bad;
    EXPECT_EQ(error.code, uint32_t{CULVERT_PROTOCOL}) << bad;
  }
  EXPECT_EQ(text(head("listen\npath\nid\nhost:1").token), "");
}

TEST_F(ExampleRelay, AnswersAndOffersThatCannotBeReadAreProtocolErrors) {
  for (const char *bad : {"", "okay", "ok ", "no", "no 0 0 x", "no x y z", "yes 1 1 x", "no -1 0 x",
                          "no 4294967296 0 x", "no 1 4294967296 x"}) {
    EXPECT_EQ(reply(bad), uint32_t{CULVERT_VERDICT_FAIL}) << bad;
    EXPECT_EQ(error.code, uint32_t{CULVERT_PROTOCOL}) << bad;
  }
  EXPECT_EQ(reply("no 28 4 of a newer relay"), uint32_t{CULVERT_VERDICT_FAIL});
  EXPECT_EQ(error.code, 28U); // the engine reads a number it does not know as INTERNAL
  EXPECT_EQ(error.retry, 4U);
  EXPECT_EQ(reply("", CULVERT_REPLY_CLOSE), uint32_t{CULVERT_VERDICT_FAIL});
  EXPECT_EQ(error.code, uint32_t{CULVERT_GONE});
  EXPECT_EQ(reply("ok", CULVERT_REPLY_CLOSE), uint32_t{CULVERT_VERDICT_FAIL});
  for (const char *bad : {"offer", "offer\nid\nhost", "offer\nid\nhost\n443\n", "offer\nid\n\n1\nc",
                          "offer\nid\nhost\n65536\nc", "offer\nid\nhost\nport\nc"}) {
    culvert_link_description link{};
    link.size = sizeof link;
    EXPECT_EQ(client.accept(nullptr, view(bad), &room, &link, &error), 0U) << bad;
    EXPECT_EQ(error.code, uint32_t{CULVERT_PROTOCOL});
  }
  hear("ping");
  EXPECT_FALSE(made);
}

TEST_F(ExampleRelay, RenewalsAndTheRestOnTheChannel) {
  culvert_message message{};
  std::uint64_t word = 0;
  ASSERT_EQ(client.renew(nullptr, &word, view(kToken), &room, &message, &error), 1U);
  culvert_intent intent{};
  intent.size = sizeof intent;
  culvert_channel_message said{sizeof said, 0, {}, message};
  ASSERT_EQ(relay.on_message(nullptr, &word, &said, &room, &intent, &error), 1U);
  EXPECT_EQ(intent.verb, uint32_t{CULVERT_VERB_RENEW});
  EXPECT_EQ(text(intent.token), kToken);
  said.message.bytes = view("chatter\nof no use");
  intent = {};
  intent.size = sizeof intent;
  ASSERT_EQ(relay.on_message(nullptr, &word, &said, &room, &intent, &error), 1U);
  EXPECT_EQ(intent.verb, uint32_t{CULVERT_VERB_IGNORE});
}

TEST_F(ExampleRelay, PathsAndRoom) {
  culvert_view audience{};
  const culvert_entity_address name{view("relay.test"), view("db"), 443, 0};
  const culvert_entity_address literal{view("::1"), view("db"), 443, 0};
  ASSERT_EQ(client.audience(nullptr, &name, &room, &audience, &error), 1U);
  EXPECT_EQ(text(audience), "sb://relay.test/db");
  ASSERT_EQ(client.audience(nullptr, &literal, &room, &audience, &error), 1U);
  EXPECT_EQ(text(audience), "sb://[::1]/db");
  dial(true, "two\nlines");
  EXPECT_FALSE(made);
  dial(true, "");
  EXPECT_FALSE(made);
  EXPECT_EQ(error.code, uint32_t{CULVERT_CONFIG});
  room.capacity = room.used + 16;
  dial(true);
  EXPECT_FALSE(made);
  EXPECT_EQ(error.code, uint32_t{CULVERT_TOO_LARGE});
}

} // namespace
