// A plugin that throws, through the C++ glue: every call fails closed, and nothing leaks.
#include "plugin_world.hpp"

namespace culvert::test {
namespace {

class Throwing : public testing::TestWithParam<std::pair<const char *, const char *>> {
protected:
  std::unique_ptr<Unit> unit(PluginKind kind) {
    return std::move(
        plugin_set_.make_unit("throws", kind, {{"throws", std::string(GetParam().first)}}).value());
  }
  /// An Error of the author's stands as it is; another is the plugin's, in that function.
  [[nodiscard]] std::string message(const std::string &function) const {
    const std::string owner = GetParam().first == std::string("error") ? "" : "plugin throws: ";
    return owner + (owner.empty() ? "" : function + ": ") + GetParam().second;
  }

  PluginWorld world_;
  PluginSet plugin_set_{world_.services, {CULVERT_TEST_PLUGINS}};
};

TEST_P(Throwing, TransportFails) {
  const auto made = unit(PluginKind::kTransport);
  const auto transport = std::move(made->transport(world_.shard).value());
  std::uint64_t word = 0;
  EXPECT_EQ(transport->audience({}).status().message, message("audience"));
  EXPECT_EQ(transport->listen({}, "", "").status().message, message("listen"));
  EXPECT_EQ(transport->dial({}, "", "", "").status().message, message("dial"));
  EXPECT_EQ(transport->accept("").status().message, message("accept"));
  EXPECT_EQ(transport->reject("", {}).status().message, message("reject"));
  EXPECT_EQ(transport->on_message(word, {}).status().message, message("on_message"));
  const ReplyResult reply = transport->on_reply(Purpose::kDial, {});
  EXPECT_EQ(reply.verdict, ReplyResult::Verdict::kFail);
  EXPECT_EQ(reply.status.message, message("on_reply"));
  EXPECT_EQ(transport->renew(word, "").status().code, Code::kUnsupported);
}

TEST_P(Throwing, RelayRefuses) {
  const auto made = unit(PluginKind::kRelay);
  const auto relay = std::move(made->relay_protocol(world_.shard).value());
  std::uint64_t word = 0;
  EXPECT_EQ(relay->on_head({}).status().message, message("on_head"));
  EXPECT_EQ(relay->on_message(word, "", {}).status().message, message("on_message"));
  EXPECT_EQ(relay->offer("", "", "", 1).status().message, message("offer"));
  EXPECT_EQ(relay->outcome(Stage::kHead, "", {}).status().message, message("outcome"));
  relay->on_gone(word);
}

TEST_P(Throwing, AuthGrantsNothing) {
  const auto made = unit(PluginKind::kAuth);
  const auto auth = std::move(made->auth(world_.shard).value());
  Listener<AcquireToken> acquire;
  auth->acquire(acquire.operation, "x");
  ASSERT_TRUE(world_.run(acquire.operation));
  EXPECT_EQ(acquire.operation.result.status().message, message("acquire"));
  const std::vector<const Rule *> rules;
  const std::vector<std::string> names;
  Listener<VerifyToken> verify;
  auth->verify(verify.operation, {"t", "p", &rules, &names, kRightSend});
  ASSERT_TRUE(world_.run(verify.operation));
  ASSERT_FALSE(verify.operation.result.ok());
  EXPECT_EQ(verify.operation.result.status().message, message("verify"));
  EXPECT_FALSE(auth->refused(1));
}

TEST_P(Throwing, ResolverFindsNothing) {
  const auto made = unit(PluginKind::kResolver);
  const auto resolver = std::move(made->resolver(world_.shard).value());
  Listener<ResolveName> owner;
  resolver->resolve(owner.operation, "x");
  ASSERT_TRUE(world_.run(owner.operation));
  ASSERT_FALSE(owner.operation.result.ok());
  EXPECT_EQ(owner.operation.result.status().message, message("resolve"));
}

constexpr const char *kOther = "it threw an exception that is no sdk::Error";
INSTANTIATE_TEST_SUITE_P(Ways, Throwing,
                         testing::Values(std::pair("error", "401 no"),
                                         std::pair("memory", "out of memory"),
                                         std::pair("number", kOther), std::pair("other", kOther)),
                         [](const auto &info) { return info.param.first; });

TEST(ThrowingLife, CreateAndAttachFail) {
  PluginWorld world;
  PluginSet plugin_set(world.services, {CULVERT_TEST_PLUGINS});
  const auto made =
      plugin_set.make_unit("throws", PluginKind::kAuth, {{"throws", std::string("create")}});
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.status().message, std::string("plugin throws: create: ") + kOther);
  const auto unattached =
      plugin_set.make_unit("throws", PluginKind::kAuth, {{"throws", std::string("attach")}});
  ASSERT_TRUE(unattached.ok());
  const auto auth = unattached.value()->auth(world.shard);
  ASSERT_FALSE(auth.ok());
  EXPECT_EQ(auth.status().message, "not on a shard");
  EXPECT_EQ(auth.status().source, Source::kConfig);
  EXPECT_EQ(unattached.value()->instances(), 0U);
}

} // namespace
} // namespace culvert::test
