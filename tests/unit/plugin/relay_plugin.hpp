// A relay plugin that does what a test says, behind the real instance.
#pragma once

#include "plugin_world.hpp"

#include "culvert/helpers.h"

#include <functional>

namespace culvert::test {

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
      return *word > 0 ? 1 : culvert_fail(error, 30, 5, 4, "of a newer plugin");
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
    ASSERT_EQ(world_.plugin_set.register_static(entry_.entry).message, "");
    unit_ = std::move(world_.plugin_set.make_unit("test_plugin", PluginKind::kRelay, {}).value());
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

  /// The fault of an outcome, without its beginning.
  std::string outcome_fault(Stage stage) {
    const std::string start = "plugin test_plugin broke the rules of its ABI: outcome: ";
    const std::string whole = relay_->outcome(stage, "", {}).status().message;
    EXPECT_EQ(whole.substr(0, start.size()), start);
    return whole.substr(start.size());
  }

  static constexpr const char *kAlpn[] = {"one/1", "two/1"};
  PluginWorld world_;
  culvert_relay functions_{};
  TestEntry entry_{CULVERT_KIND_RELAY, &functions_};
  std::unique_ptr<Unit> unit_;
  std::unique_ptr<RelayProtocol> relay_;
};

} // namespace culvert::test
