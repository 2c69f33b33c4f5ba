// A call into a plugin that takes long is a warning with the plugin's id and the function.
#include "plugin_world.hpp"

#include "culvert/helpers.h"

namespace culvert::test {
namespace {

/// Time stands still but for what the plugin's functions take.
class PluginTime final : public Clock {
public:
  static inline std::uint64_t ms = 1'000;
  [[nodiscard]] std::uint64_t now_ns() const override { return ms * 1'000'000; }
  [[nodiscard]] std::int64_t wall_s() const override { return 0; }
};

std::uint64_t takes_ms = 0; // each function

template <typename Result> Result take_time(Result result) {
  PluginTime::ms += takes_ms;
  return result;
}

int unit;

const culvert_life kLife{
    [](const culvert_host *, culvert_status *) -> void * { return take_time(&unit); },
    [](void *) { take_time(0); },
    [](void *made, const culvert_host *, std::uint32_t, culvert_status *) {
      return take_time(made);
    },
    [](void *) { take_time(0); }};

const culvert_resolver kResolver{sizeof(culvert_resolver), 0, kLife,
                                 [](void *, culvert_resolve *record) -> std::uint32_t {
                                   record->address_count = 1;
                                   record->addresses[0].family = CULVERT_IPV4;
                                   return take_time(CULVERT_DONE);
                                 },
                                 nullptr};

std::uint32_t describe(culvert_link_description *link) {
  link->host = CULVERT_LITERAL("h");
  link->port = 1;
  link->framing = CULVERT_FRAMING_MESSAGES;
  return take_time(1U);
}

const culvert_transport kTransport{
    sizeof(culvert_transport),
    0,
    {},
    [](void *, const culvert_entity_address *, culvert_arena *, culvert_view *, culvert_status *) {
      return take_time(1U);
    },
    [](void *, const culvert_dial_request *, culvert_arena *, culvert_link_description *link,
       culvert_status *) { return describe(link); },
    [](void *, const culvert_dial_request *, culvert_arena *, culvert_link_description *link,
       culvert_status *) { return describe(link); },
    [](void *, std::uint32_t, const culvert_reply *, culvert_arena *, culvert_reply_result *result,
       culvert_status *) { result->verdict = take_time(CULVERT_VERDICT_DONE); },
    [](void *, std::uint64_t *, const culvert_message *, culvert_arena *, culvert_channel_result *,
       culvert_status *) { return take_time(1U); },
    [](void *, culvert_view, culvert_arena *, culvert_link_description *link, culvert_status *) {
      return describe(link);
    },
    [](void *, culvert_view, const culvert_status *, culvert_arena *,
       culvert_link_description *link, culvert_status *) { return describe(link); },
    [](void *, std::uint64_t *, culvert_view, culvert_arena *, culvert_message *,
       culvert_status *) { return take_time(1U); },
    [](void *, const culvert_dial_request *, culvert_arena *, culvert_link_description *link,
       culvert_status *) { return describe(link); }};

const culvert_relay kRelay{
    sizeof(culvert_relay),
    CULVERT_HEAD_HTTP,
    nullptr,
    0,
    0,
    {},
    [](void *, const culvert_head *, culvert_arena *, culvert_intent *intent, culvert_status *) {
      intent->verb = CULVERT_VERB_CONNECT;
      return take_time(1U);
    },
    [](void *, std::uint64_t *, const culvert_channel_message *, culvert_arena *,
       culvert_intent *intent, culvert_status *) {
      intent->verb = CULVERT_VERB_IGNORE;
      return take_time(1U);
    },
    [](void *, const culvert_offer_request *, culvert_arena *, culvert_message *message,
       culvert_status *) {
      message->bytes = CULVERT_LITERAL("x");
      return take_time(1U);
    },
    [](void *, const culvert_outcome_request *, culvert_arena *, culvert_answer *,
       culvert_status *) { return take_time(1U); },
    [](void *, std::uint64_t *) { take_time(0); }};

const culvert_auth kAuth{sizeof(culvert_auth),
                         0,
                         {},
                         [](void *, culvert_acquire *record) -> std::uint32_t {
                           record->token = CULVERT_LITERAL("t");
                           return take_time(CULVERT_DONE);
                         },
                         [](void *, std::uint64_t) { return take_time(0U); },
                         [](void *, culvert_verify *record) -> std::uint32_t {
                           record->rights = record->right_wanted;
                           return take_time(CULVERT_DONE);
                         },
                         nullptr,
                         nullptr};

class SlowCalls : public testing::Test {
protected:
  std::unique_ptr<Unit> make(const char *kind_id, PluginKind kind, const void *functions) {
    entry_ = std::make_unique<TestEntry>(kind_id, functions);
    EXPECT_TRUE(plugin_set_.register_static(entry_->entry).ok());
    return std::move(plugin_set_.make_unit("test_plugin", kind, {}).value());
  }
  /// Of the warnings so far.
  [[nodiscard]] std::string warnings() const {
    std::string all;
    for (const std::string &line : world_.log.lines()) {
      if (line.find("took long") != std::string::npos) {
        all += line.substr(line.find(" function=") + 10) + "\n";
      }
    }
    return all;
  }
  /// The function that the last warning names, once the quiet time behind it is over.
  std::string said() {
    const std::string all = warnings();
    PluginTime::ms += kSlowCallLogMs;
    const std::size_t last = all.size() < 2 ? 0 : all.rfind('\n', all.size() - 2) + 1;
    return all.substr(last, all.find(' ', last) - last);
  }

  PluginWorld world_;
  PluginTime time_;
  PluginSet plugin_set_{{world_.log, *world_.random, time_, world_.secrets}, {}};
  std::unique_ptr<TestEntry> entry_;
};

TEST_F(SlowCalls, AWarningSaysHowLongAndTheNextOneHowMany) {
  takes_ms = 0;
  const auto unit = make(CULVERT_KIND_RESOLVER, PluginKind::kResolver, &kResolver);
  const auto resolver = std::move(unit->resolver(world_.shard).value());
  const auto call = [&](std::uint64_t ms) {
    takes_ms = ms;
    Listener<ResolveName> owner;
    resolver->resolve(owner.operation, "x");
    EXPECT_TRUE(world_.run(owner.operation));
  };
  call(kSlowCallMs);
  EXPECT_EQ(warnings(), "");
  call(kSlowCallMs + 1);
  std::string wanted = "resolve took_ms=51 slow_calls=1\n";
  EXPECT_EQ(warnings(), wanted);
  EXPECT_TRUE(world_.logged("a plugin's function took long; every connection of its shard waited "
                            "for it plugin=test_plugin"));
  call(3'000);
  call(3'000);
  EXPECT_EQ(warnings(), wanted);
  call(kSlowCallLogMs);
  EXPECT_EQ(warnings(), wanted + "resolve took_ms=10000 slow_calls=3\n");
  takes_ms = 0;
}

TEST_F(SlowCalls, OfTheLifeOfAUnitAreNamed) {
  takes_ms = 60;
  auto unit = make(CULVERT_KIND_RESOLVER, PluginKind::kResolver, &kResolver);
  EXPECT_EQ(said(), "create");
  auto resolver = std::move(unit->resolver(world_.shard).value());
  EXPECT_EQ(said(), "attach");
  resolver.reset();
  EXPECT_EQ(said(), "detach");
  unit.reset();
  EXPECT_EQ(said(), "destroy");
}

TEST_F(SlowCalls, OfATransportAreNamed) {
  const auto unit = make(CULVERT_KIND_TRANSPORT, PluginKind::kTransport, &kTransport);
  const auto transport = std::move(unit->transport(world_.shard).value());
  std::uint64_t word = 0;
  takes_ms = 60;
  EXPECT_TRUE(transport->audience({}).ok());
  EXPECT_EQ(said(), "audience");
  EXPECT_TRUE(transport->listen({}, "", "").ok());
  EXPECT_EQ(said(), "listen");
  EXPECT_TRUE(transport->dial({}, "", "", "").ok());
  EXPECT_EQ(said(), "dial");
  EXPECT_TRUE(transport->accept("").ok());
  EXPECT_EQ(said(), "accept");
  EXPECT_TRUE(transport->reject("", {}).ok());
  EXPECT_EQ(said(), "reject");
  EXPECT_EQ(transport->on_reply(Purpose::kDial, {}).verdict, ReplyResult::Verdict::kDone);
  EXPECT_EQ(said(), "on_reply");
  EXPECT_TRUE(transport->on_message(word, {}).ok());
  EXPECT_EQ(said(), "on_message");
  EXPECT_TRUE(transport->renew(word, "").ok());
  EXPECT_EQ(said(), "renew");
  EXPECT_TRUE(transport->prove({}, "", "").ok());
  EXPECT_EQ(said(), "prove");
  takes_ms = 0;
}

TEST_F(SlowCalls, OfARelayAreNamed) {
  const auto unit = make(CULVERT_KIND_RELAY, PluginKind::kRelay, &kRelay);
  const auto relay = std::move(unit->relay_protocol(world_.shard).value());
  std::uint64_t word = 0;
  takes_ms = 60;
  EXPECT_TRUE(relay->on_head({}).ok());
  EXPECT_EQ(said(), "on_head");
  EXPECT_TRUE(relay->on_message(word, "", {}).ok());
  EXPECT_EQ(said(), "on_message");
  EXPECT_TRUE(relay->offer("", "", "", 1).ok());
  EXPECT_EQ(said(), "offer");
  EXPECT_TRUE(relay->outcome(Stage::kHead, "", {}).ok());
  EXPECT_EQ(said(), "outcome");
  relay->on_gone(word);
  EXPECT_EQ(said(), "on_gone");
  takes_ms = 0;
}

TEST_F(SlowCalls, OfAnAuthAreNamed) {
  const auto unit = make(CULVERT_KIND_AUTH, PluginKind::kAuth, &kAuth);
  const auto auth = std::move(unit->auth(world_.shard).value());
  takes_ms = 60;
  Listener<AcquireToken> token;
  auth->acquire(token.operation, "");
  EXPECT_EQ(said(), "acquire");
  EXPECT_FALSE(auth->refused(1));
  EXPECT_EQ(said(), "refused");
  const std::vector<const Rule *> rules;
  const std::vector<std::string> names;
  Listener<VerifyToken> grant;
  auth->verify(grant.operation, {"", "", &rules, &names, kRightListen});
  EXPECT_EQ(said(), "verify");
  EXPECT_TRUE(world_.run(token.operation) && world_.run(grant.operation));
  takes_ms = 0;
}

} // namespace
} // namespace culvert::test
