// What transport and auth plugins return is checked and copied; what they get is what was said.
#include "plugin_world.hpp"

#include "culvert/helpers.h"

#include <functional>
#include <limits>

namespace culvert::test {
namespace {

struct Script {
  std::function<void(culvert_link_description &)> link;
  std::function<void(culvert_reply_result &, culvert_status &)> reply;
  std::function<std::uint32_t(culvert_channel_result &)> channel;
  std::function<void(culvert_acquire &)> acquire;
  std::function<void(culvert_verify &)> verify;
  bool verifies_later = false;
};

/// One script for the plugin of this program; every test sets what it needs.
struct Plugin {
  static inline Script script;
  static void *create(const culvert_host *, culvert_status *) { return &script; }
  static std::uint32_t describe(culvert_link_description *link) {
    link->tls = 1;
    link->host = CULVERT_LITERAL("relay.example");
    link->port = 443;
    script.link(*link);
    return 1;
  }
};

const culvert_transport kFunctions{
    sizeof(culvert_transport),
    0,
    {&Plugin::create, nullptr, nullptr, nullptr},
    [](void *, const culvert_entity_address *entity, culvert_arena *arena, culvert_view *audience,
       culvert_status *error) -> std::uint32_t {
      return culvert_arena_format(arena, audience, "x://%.*s:%u/%.*s", CULVERT_PRINT(entity->host),
                                  entity->port, CULVERT_PRINT(entity->path)) != 0
                 ? 1
                 : culvert_fail_room(error);
    },
    [](void *, const culvert_dial_request *, culvert_arena *, culvert_link_description *link,
       culvert_status *) { return Plugin::describe(link); },
    [](void *, const culvert_dial_request *, culvert_arena *, culvert_link_description *,
       culvert_status *) -> std::uint32_t { return 0; }, // without a reason
    [](void *, std::uint32_t, const culvert_reply *, culvert_arena *, culvert_reply_result *result,
       culvert_status *error) { Plugin::script.reply(*result, *error); },
    [](void *, std::uint64_t *, const culvert_message *, culvert_arena *,
       culvert_channel_result *result,
       culvert_status *) { return Plugin::script.channel(*result); },
    [](void *, culvert_view, culvert_arena *, culvert_link_description *link, culvert_status *) {
      return Plugin::describe(link);
    },
    [](void *, culvert_view, const culvert_status *, culvert_arena *,
       culvert_link_description *link, culvert_status *) { return Plugin::describe(link); },
    nullptr,
    nullptr};

class TransportKind : public testing::Test {
protected:
  void SetUp() override {
    Plugin::script = {};
    ASSERT_EQ(world_.plugin_set.register_static(entry_.entry).message, "");
    unit_ =
        std::move(world_.plugin_set.make_unit("test_plugin", PluginKind::kTransport, {}).value());
    transport_ = std::move(unit_->transport(world_.shard).value());
  }
  PluginWorld world_;
  TestEntry entry_{CULVERT_KIND_TRANSPORT, &kFunctions};
  std::unique_ptr<Unit> unit_;
  std::unique_ptr<Transport> transport_;
};

TEST_F(TransportKind, AudienceComesOutOfTheArena) {
  EXPECT_EQ(transport_->audience({"host", 443, "a/b"}).value(), "x://host:443/a/b");
  const Status full = transport_->audience({std::string(kPluginArenaBytes, 'x'), 1, ""}).status();
  EXPECT_EQ(full.code, Code::kTooLarge);
}

TEST_F(TransportKind, ALinkIsCopiedOrRefused) {
  static const std::string kWord(256, 'x');
  struct Case {
    std::function<void(culvert_link_description &)> write;
    const char *fault;
  };
  const Case cases[] = {
      {[](auto &) {}, ""},
      {[](auto &l) { l.port = 0; }, "a link needs a host and a port from 1 to 65535"},
      {[](auto &l) { l.port = 65'536; }, "a link needs a host and a port from 1 to 65535"},
      {[](auto &l) { l.host = {}; }, "a link needs a host and a port from 1 to 65535"},
      {[](auto &l) { l.head_form = 3; }, "the head form is 3"},
      {[](auto &l) { l.head_form = CULVERT_HEAD_HTTP; },
       "an HTTP head needs a target without spaces"},
      {[](auto &l) {
         l.head_form = CULVERT_HEAD_HTTP;
         l.target = CULVERT_LITERAL("/a b");
       },
       "an HTTP head needs a target without spaces"},
      {[](auto &l) { l.head_form = CULVERT_HEAD_MESSAGE; }, "a head message is empty"},
      {[](auto &l) {
         l.head_form = CULVERT_HEAD_MESSAGE;
         l.message = CULVERT_LITERAL("x");
       },
       ""},
      {[](auto &l) { l.target = CULVERT_LITERAL("/a\r\nX: y"); }, "the target has a control byte"},
      {[](auto &l) { l.host = CULVERT_LITERAL("a\rb"); }, "the host has a control byte"},
      {[](auto &l) { l.server_name = CULVERT_LITERAL("a\nb"); },
       "the server name has a control byte"},
      {[](auto &l) {
         l.authority = {"a\0b", 3};
       },
       "the authority has a control byte"},
      {[](auto &l) { l.alpn = CULVERT_LITERAL("a\x7f"); }, "the ALPN word has a control byte"},
      {[](auto &l) { l.alpn.size = 4; }, "the ALPN word points nowhere and says 4 bytes"},
      {[](auto &l) {
         l.alpn = {kWord.data(), 255};
       },
       ""},
      {[](auto &l) {
         l.alpn = {kWord.data(), 256};
       },
       "the ALPN word has 256 bytes; the bound is 255"},
      {[](auto &l) {
         l.message = {"x", kHeadBytes + 1};
       },
       "the head message has 40961 bytes; the bound is 40960"},
  };
  for (const Case &one : cases) {
    Plugin::script.link = one.write;
    const auto link = transport_->accept("offer");
    EXPECT_EQ(
        link.ok()
            ? ""
            : link.status().message.substr(
                  std::string("plugin test_plugin broke the rules of its ABI: accept: ").size()),
        one.fault);
    if (link.ok()) {
      EXPECT_EQ(link.value().server_name, "relay.example");
      EXPECT_TRUE(link.value().tls);
    }
  }
}

TEST_F(TransportKind, AControlChannelHasMessages) {
  for (const auto &[framing, fault] :
       {std::pair(CULVERT_FRAMING_RAW, "plugin test_plugin broke the rules of its ABI: listen: a "
                                       "control channel has messages, not framing RAW"),
        std::pair(CULVERT_FRAMING_WEBSOCKET, ""), std::pair(CULVERT_FRAMING_MESSAGES, "")}) {
    Plugin::script.link = [framing = framing](auto &link) { link.framing = framing; };
    const auto link = transport_->listen({}, "", "");
    EXPECT_EQ(link.ok() ? "" : link.status().message, fault);
    EXPECT_TRUE(transport_->accept("").ok());
  }
}

TEST_F(TransportKind, AFailureWithoutAReasonIsAFault) {
  const Status status = transport_->dial({}, "", "", "").status();
  EXPECT_EQ(status.source, Source::kPlugin);
  EXPECT_EQ(status.message,
            "plugin test_plugin broke the rules of its ABI: dial: it failed with the code 0");
  std::uint64_t word = 0;
  EXPECT_EQ(transport_->renew(word, "t").status().code, Code::kUnsupported);
}

TEST_F(TransportKind, AReplyHasOneOfThreeVerdicts) {
  Plugin::script.reply = [](culvert_reply_result &, culvert_status &error) {
    culvert_fail(&error, CULVERT_REJECTED, CULVERT_SOURCE_RELAY, CULVERT_RETRY_NEW_TOKEN, "401");
  };
  const ReplyResult fail = transport_->on_reply(Purpose::kListen, {}); // an unwritten verdict
  EXPECT_EQ(fail.verdict, ReplyResult::Verdict::kFail);
  EXPECT_EQ(fail.status.retry, Retry::kNewToken);
  Plugin::script.reply = [](culvert_reply_result &result, culvert_status &) {
    result.verdict = CULVERT_VERDICT_SAY;
    result.say.bytes = CULVERT_LITERAL("more");
  };
  Reply message;
  message.form = Reply::Form::kMessage;
  EXPECT_EQ(transport_->on_reply(Purpose::kListen, message).say.bytes, "more");
  EXPECT_EQ(transport_->on_reply(Purpose::kListen, {}).status.message,
            "plugin test_plugin broke the rules of its ABI: on_reply: SAY where no message was "
            "read: it is for HEAD_MESSAGE");
  static const std::string kWords(kHeadBytes + 1, 'x');
  for (const std::size_t size : {std::size_t{0}, kHeadBytes, kHeadBytes + 1}) {
    Plugin::script.reply = [size](culvert_reply_result &result, culvert_status &) {
      result.verdict = CULVERT_VERDICT_SAY;
      result.say.bytes = {kWords.data(), size};
    };
    const ReplyResult said = transport_->on_reply(Purpose::kListen, message);
    EXPECT_EQ(said.say.bytes.size(), size == kHeadBytes ? size : 0);
    EXPECT_EQ(
        said.status.message,
        size == kHeadBytes
            ? ""
            : "plugin test_plugin broke the rules of its ABI: on_reply: it says a message of " +
                  std::to_string(size) + " bytes; a head has 1 to 40960");
  }
  Plugin::script.reply = [](culvert_reply_result &result, culvert_status &) { result.verdict = 3; };
  EXPECT_EQ(transport_->on_reply(Purpose::kListen, {}).status.message,
            "plugin test_plugin broke the rules of its ABI: on_reply: the verdict is 3");
}

TEST_F(TransportKind, AChannelMessageHasOneOfThreeActions) {
  std::uint64_t word = 0;
  Plugin::script.channel = [](culvert_channel_result &result) -> std::uint32_t {
    result.action = CULVERT_CHANNEL_OFFER;
    result.message.bytes = CULVERT_LITERAL("offer");
    result.loggable_id = CULVERT_LITERAL("7");
    return 1;
  };
  const auto offer = transport_->on_message(word, {});
  ASSERT_TRUE(offer.ok());
  EXPECT_EQ(offer.value().action, ChannelResult::Action::kOffer);
  EXPECT_EQ(offer.value().message.bytes, "offer");
  EXPECT_EQ(offer.value().loggable_id, "7");
  for (const std::uint32_t action : {3U, std::numeric_limits<std::uint32_t>::max()}) {
    Plugin::script.channel = [action](culvert_channel_result &result) -> std::uint32_t {
      result.action = action;
      return 1;
    };
    EXPECT_EQ(transport_->on_message(word, {}).status().message,
              "plugin test_plugin broke the rules of its ABI: on_message: the action is " +
                  std::to_string(action));
  }
}

const culvert_auth kAuthFunctions{sizeof(culvert_auth),
                                  0,
                                  {&Plugin::create, nullptr, nullptr, nullptr},
                                  [](void *, culvert_acquire *record) -> std::uint32_t {
                                    Plugin::script.acquire(*record);
                                    return CULVERT_DONE;
                                  },
                                  [](void *, std::uint64_t id) -> std::uint32_t { return id == 7; },
                                  [](void *, culvert_verify *record) -> std::uint32_t {
                                    Plugin::script.verify(*record);
                                    return Plugin::script.verifies_later ? CULVERT_PENDING
                                                                         : CULVERT_DONE;
                                  },
                                  nullptr,
                                  nullptr};

class AuthKind : public testing::Test {
protected:
  void SetUp() override {
    Plugin::script = {};
    ASSERT_EQ(world_.plugin_set.register_static(entry_.entry).message, "");
    unit_ = std::move(world_.plugin_set.make_unit("test_plugin", PluginKind::kAuth, {}).value());
    auth_ = std::move(unit_->auth(world_.shard).value());
  }
  PluginWorld world_;
  TestEntry entry_{CULVERT_KIND_AUTH, &kAuthFunctions};
  std::unique_ptr<Unit> unit_;
  std::unique_ptr<Auth> auth_;
};

TEST_F(AuthKind, ATokenComesOutOfTheRecordsArena) {
  Plugin::script.acquire = [](culvert_acquire &record) {
    culvert_arena_copy(record.arena, record.audience, &record.token);
    record.token_id = 7;
    record.expires_s = 100;
  };
  Listener<AcquireToken> owner;
  auth_->acquire(owner.operation, "for this");
  ASSERT_TRUE(world_.run(owner.operation));
  EXPECT_EQ(owner.operation.result.value().text, "for this");
  EXPECT_EQ(owner.operation.result.value().expires_s, 100);
  EXPECT_TRUE(auth_->refused(7));
  EXPECT_FALSE(auth_->refused(8));
  Plugin::script.acquire = [](culvert_acquire &) {};
  auth_->acquire(owner.operation, "x");
  ASSERT_TRUE(world_.run(owner.operation));
  EXPECT_EQ(owner.operation.result.status().message,
            "plugin test_plugin broke the rules of its ABI: acquire: success without a token");
}

TEST_F(AuthKind, ATokenThatFillsMoreThanHalfAHeadIsAFault) {
  static const std::string kToken(kTokenBytes + 1, 't');
  Listener<AcquireToken> owner;
  for (const std::size_t size : {kTokenBytes, kTokenBytes + 1}) {
    Plugin::script.acquire = [size](culvert_acquire &record) {
      record.token = {kToken.data(), size};
    };
    auth_->acquire(owner.operation, "x");
    ASSERT_TRUE(world_.run(owner.operation));
    EXPECT_EQ(owner.operation.result.ok(), size == kTokenBytes);
  }
  EXPECT_EQ(owner.operation.result.status().message,
            "plugin test_plugin broke the rules of its ABI: acquire: the token has 20481 bytes; "
            "the bound is 20480");
}

TEST_F(AuthKind, WhatARecordPointsAtOutlivesTheOneWhoAsked) {
  culvert_verify *kept = nullptr;
  Plugin::script.verify = [&](culvert_verify &record) { kept = &record; };
  Plugin::script.verifies_later = true;
  {
    const Rule rule{"a rule with a long name of its own", kRightSend, {3}};
    const std::vector<const Rule *> rules{&rule};
    const std::vector<std::string> names{"a-relay-with-a-long-name.example"};
    const std::string token = "a token with a long text of its own";
    const std::string path = "a path with a long text of its own";
    Listener<VerifyToken> owner;
    auth_->verify(owner.operation, {token, path, &rules, &names, kRightSend});
    owner.operation.abandon();
    ASSERT_TRUE(world_.run(owner.operation));
  }
  const auto text = [](culvert_view view) { return std::string(view.data, view.size); };
  EXPECT_EQ(text(kept->token), "a token with a long text of its own");
  EXPECT_EQ(text(kept->path), "a path with a long text of its own");
  EXPECT_EQ(text(kept->rules[0].name), "a rule with a long name of its own");
  EXPECT_EQ(text(kept->names[0]), "a-relay-with-a-long-name.example");
  kept->rights = kRightSend;
  kept->complete(kept);
  EXPECT_EQ(kept->token.data[0], '\0') << "the copy of a token is not overwritten";
}

TEST_F(AuthKind, AGrantMustHoldTheRightThatWasWanted) {
  const Rule rule{"root", kRightManage, {3, 4}};
  const std::vector<const Rule *> rules{&rule};
  const std::vector<std::string> names{"relay.example"};
  Listener<VerifyToken> owner;
  for (const auto &[granted, wanted, good] :
       {std::tuple(kRightSend, kRightSend, true), std::tuple(kRightManage, kRightListen, true),
        std::tuple(kRightListen, kRightSend, false), std::tuple(0U, kRightSend, false)}) {
    Plugin::script.verify = [&, rights = granted](culvert_verify &record) {
      EXPECT_EQ(record.rule_count, 1U);
      EXPECT_EQ(record.rules[0].secret_count, 2U);
      EXPECT_EQ(record.rules[0].secrets[1], 4U);
      EXPECT_EQ(std::string(record.names[0].data, record.names[0].size), "relay.example");
      EXPECT_EQ(record.wall_s, world_.io.wall_s());
      record.rights = rights;
    };
    auth_->verify(owner.operation, {"token", "path", &rules, &names, wanted});
    ASSERT_TRUE(world_.run(owner.operation));
    EXPECT_EQ(owner.operation.result.ok(), good);
  }
}

} // namespace
} // namespace culvert::test
