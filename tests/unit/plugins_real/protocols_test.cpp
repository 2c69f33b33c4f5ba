// Both relay protocols through the real host, from the shared objects: what one half describes, the
// other reads, and the same auth unit stands behind both. No protocol is named but by its plugin's
// id.
#include "unit/plugin/plugin_world.hpp"

#include <string>

namespace culvert::test {
namespace {

constexpr char kId[] = "0f8fad5b-d9cb-469f-a165-70867728950e";
constexpr char kHex[] = "00ff00ff00ff00ff00ff00ff00ff00ff";

struct ProtocolTest : testing::TestWithParam<const char *> {
  std::unique_ptr<Unit> unit(const char *id, PluginKind kind, ConfigValues values = {}) {
    auto made = plugin_set.make_unit(id, kind, std::move(values));
    EXPECT_TRUE(made.ok()) << made.status().message;
    return made.ok() ? std::move(made.value()) : nullptr;
  }

  void SetUp() override {
    key = world.secrets.add(Secret(std::string_view("the key")));
    transport_unit = unit(GetParam(), PluginKind::kTransport);
    relay_unit = unit(GetParam(), PluginKind::kRelay);
    auth_unit = unit("auth_sas", PluginKind::kAuth,
                     {{"key_name", std::string("Root")}, {"key", SecretReference{key}}});
    ASSERT_TRUE(transport_unit && relay_unit && auth_unit);
    transport = std::move(transport_unit->transport(world.shard).value());
    relay = std::move(relay_unit->relay_protocol(world.shard).value());
    auth = std::move(auth_unit->auth(world.shard).value());
  }

  std::string token() {
    Listener<AcquireToken> owner;
    auto audience = transport->audience(entity);
    EXPECT_TRUE(audience.ok()) << audience.status().message;
    auth->acquire(owner.operation, audience.value());
    EXPECT_TRUE(world.run(owner.operation));
    EXPECT_TRUE(owner.operation.result.ok()) << owner.operation.result.status().message;
    return owner.operation.result.value().text;
  }

  Result<Grant> verify(std::string_view text, std::string_view path, std::uint64_t secret) {
    const Rule rule{"root", kRightListen, {secret}};
    const std::vector<const Rule *> rules{&rule};
    const std::vector<std::string> names{"relay.test"};
    Listener<VerifyToken> owner;
    auth->verify(owner.operation, {text, path, &rules, &names, kRightListen});
    EXPECT_TRUE(world.run(owner.operation));
    return std::move(owner.operation.result);
  }

  /// What a relay's engine hands over for what a client's engine was told to say.
  Intent said(const LinkDescription &link) {
    Head head;
    head.form = link.head_form;
    head.method = "GET";
    head.target = link.target;
    head.message = link.message;
    head.fields = link.fields;
    if (link.head_form == HeadForm::kHttp) {
      head.fields.push_back({"Host", link.authority, false});
      head.fields.push_back({"Connection", "Upgrade", false});
      head.fields.push_back({"Upgrade", "websocket", false});
      head.fields.push_back({"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", false});
      head.fields.push_back({"Sec-WebSocket-Version", "13", false});
    }
    head.remote_host = "203.0.113.9";
    head.remote_port = 4711;
    auto intent = relay->on_head(head);
    EXPECT_TRUE(intent.ok()) << intent.status().message;
    return intent.ok() ? intent.value() : Intent{};
  }

  ReplyResult told(Purpose purpose, const Answer &answer) {
    Reply reply;
    reply.form = answer.form == Answer::Form::kHttp ? Reply::Form::kHttp : Reply::Form::kMessage;
    reply.status = answer.status;
    reply.reason = answer.reason;
    reply.message = answer.message;
    return transport->on_reply(purpose, reply);
  }

  std::string offered(const Intent &connect) {
    auto message = relay->offer(connect.facts, kHex, "g1.relay.test", 9443);
    EXPECT_TRUE(message.ok()) << message.status().message;
    std::uint64_t word = 0;
    auto heard = transport->on_message(word, message.value());
    EXPECT_TRUE(heard.ok()) << heard.status().message;
    EXPECT_EQ(heard.value().action, ChannelResult::Action::kOffer);
    EXPECT_EQ(heard.value().loggable_id.substr(0, 36), kId);
    return heard.value().message.bytes;
  }

  PluginWorld world;
  PluginSet plugin_set{world.services, {PLUGIN_DIRECTORY}};
  std::uint64_t key = 0;
  std::unique_ptr<Unit> transport_unit, relay_unit, auth_unit;
  std::unique_ptr<Transport> transport;
  std::unique_ptr<RelayProtocol> relay;
  std::unique_ptr<Auth> auth;
  const EntityAddress entity{"relay.test", 9443, "db/main"};
};

TEST_P(ProtocolTest, AListenerIsAuthorizedAndAnswered) {
  const auto link = transport->listen(entity, token(), kId);
  ASSERT_TRUE(link.ok()) << link.status().message;
  EXPECT_EQ(relay->alpn(), std::vector<std::string>{link.value().alpn});
  EXPECT_EQ(relay->head_form(), link.value().head_form);
  const Intent intent = said(link.value());
  EXPECT_EQ(intent.verb, Verb::kListen);
  EXPECT_EQ(intent.path, "db/main");
  EXPECT_EQ(intent.listener_id, kId);
  EXPECT_EQ(intent.authority, "relay.test:9443");
  EXPECT_EQ(intent.framing.framing, link.value().framing.framing);
  EXPECT_EQ(intent.framing.ping_interval_ms, link.value().framing.ping_interval_ms);
  const auto grant = verify(intent.token, intent.path, key);
  ASSERT_TRUE(grant.ok()) << grant.status().message;
  EXPECT_EQ(grant.value().rights, kRightListen);
  EXPECT_EQ(told(Purpose::kListen, intent.answer).verdict, ReplyResult::Verdict::kDone);
}

TEST_P(ProtocolTest, ARefusedTokenAsksForANewOneAndShowsNoPartOfIt) {
  const std::string text = token();
  const Intent intent = said(transport->listen(entity, text, kId).value());
  const std::uint64_t other = world.secrets.add(Secret(std::string_view("another key")));
  const auto grant = verify(intent.token, intent.path, other);
  ASSERT_FALSE(grant.ok());
  EXPECT_EQ(grant.status().code, Code::kTokenSignature);
  const ReplyResult result =
      told(Purpose::kListen, relay->outcome(Stage::kHead, intent.facts, grant.status()).value());
  EXPECT_EQ(result.verdict, ReplyResult::Verdict::kFail);
  EXPECT_EQ(result.status.source, Source::kRelay);
  EXPECT_EQ(result.status.retry, Retry::kNewToken);
  EXPECT_NE(result.status.message.find("invalid signature"), std::string::npos);
  EXPECT_EQ(result.status.message.find("sig="), std::string::npos);
  EXPECT_FALSE(world.logged("SharedAccess"));
}

TEST_P(ProtocolTest, ASenderIsOfferedAndFetched) {
  const Intent connect = said(transport->dial(entity, token(), kId, "").value());
  ASSERT_EQ(connect.verb, Verb::kConnect);
  const auto link = transport->accept(offered(connect));
  ASSERT_TRUE(link.ok()) << link.status().message;
  EXPECT_EQ(link.value().host, "g1.relay.test");
  EXPECT_EQ(link.value().port, 9443);
  const Intent accept = said(link.value());
  EXPECT_EQ(accept.verb, Verb::kAccept);
  EXPECT_EQ(accept.capability, kHex);
  EXPECT_EQ(accept.framing.framing, connect.framing.framing);
  EXPECT_EQ(told(Purpose::kAccept, accept.answer).verdict, ReplyResult::Verdict::kDone);
  EXPECT_EQ(told(Purpose::kDial, accept.peer_answer).verdict, ReplyResult::Verdict::kDone);
}

TEST_P(ProtocolTest, ARefusedTargetReachesTheSenderWithItsReason) {
  const Intent connect = said(transport->dial(entity, token(), kId, "").value());
  const auto link = transport->reject(
      offered(connect), Status::failure(Code::kRefused, Source::kTarget, Retry::kBackoff,
                                        "the target refused the connection"));
  ASSERT_TRUE(link.ok()) << link.status().message;
  const Intent reject = said(link.value());
  EXPECT_EQ(reject.verb, Verb::kReject);
  EXPECT_EQ(reject.capability, kHex);
  EXPECT_EQ(told(Purpose::kReject, reject.answer).verdict, ReplyResult::Verdict::kDone);
  const ReplyResult result = told(Purpose::kDial, reject.peer_answer);
  EXPECT_EQ(result.verdict, ReplyResult::Verdict::kFail);
  EXPECT_EQ(result.status.code, Code::kRejected);
  EXPECT_NE(result.status.message.find("the target refused the connection"), std::string::npos);
}

TEST_P(ProtocolTest, ARenewalCarriesAGoodToken) {
  std::uint64_t word = 0;
  const auto message = transport->renew(word, token());
  ASSERT_TRUE(message.ok()) << message.status().message;
  const auto intent = relay->on_message(word, "", message.value());
  ASSERT_TRUE(intent.ok()) << intent.status().message;
  EXPECT_EQ(intent.value().verb, Verb::kRenew);
  EXPECT_TRUE(verify(intent.value().token, "db/main", key).ok());
}

INSTANTIATE_TEST_SUITE_P(Both, ProtocolTest, testing::Values("transport_azure", "example_relay"),
                         [](const auto &info) { return std::string(info.param); });

TEST(StaticResolverTest, AnswersThroughTheRealHost) {
  PluginWorld world;
  PluginSet plugin_set(world.services, {PLUGIN_DIRECTORY});
  auto unit = plugin_set.make_unit("resolver_static", PluginKind::kResolver,
                                   {{"resolve", std::vector<std::string>{"db=192.0.2.1,::2"}},
                                    {"hosts_file", std::string("/dev/null")}});
  ASSERT_TRUE(unit.ok()) << unit.status().message;
  auto resolver = unit.value()->resolver(world.shard);
  ASSERT_TRUE(resolver.ok()) << resolver.status().message;
  Listener<ResolveName> found;
  resolver.value()->resolve(found.operation, "DB");
  ASSERT_TRUE(world.run(found.operation));
  ASSERT_TRUE(found.operation.result.ok()) << found.operation.result.status().message;
  EXPECT_EQ(found.operation.result.value().addresses.size(), 2U);
  Listener<ResolveName> lost;
  resolver.value()->resolve(lost.operation, "unknown.test");
  ASSERT_TRUE(world.run(lost.operation));
  EXPECT_EQ(lost.operation.result.status().code, Code::kNoName);
  EXPECT_NE(lost.operation.result.status().message.find("the resolve entry unknown.test=ADDR"),
            std::string::npos);
}

} // namespace
} // namespace culvert::test
