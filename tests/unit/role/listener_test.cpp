// A listener between a scripted relay and a scripted target.
#include "unit/role/role_world.hpp"

namespace culvert::test {
namespace {

TEST(RendezvousPolicy, IsTheRelayItselfAndWhatWasAllowedBesides) {
  const RendezvousPolicy policy("Relay.Example", {"other.example", "*.gate.example", "10.0.0.9"});
  struct Row {
    const char *host;
    bool allowed;
  };
  const Row rows[] = {
      {"relay.example", true},
      {"RELAY.EXAMPLE", true},
      {"other.example", true},
      {"10.0.0.9", true},
      {"a.gate.example", true},
      {"A.b.GATE.example", true},
      {"gate.example", false},
      {".gate.example", false},
      {"agate.example", false},
      {"a.gate.example.evil", false},
      {"a.relay.example", false},
      {"relay.example.", false},
      {"relay.exampl", false},
      {"10.0.0.90", false},
      {"", false},
  };
  for (const Row &row : rows) {
    EXPECT_EQ(policy.allows(row.host), row.allowed) << row.host;
  }
}

TEST(Listener, CarriesBytesBothWaysAndTheirEnds) {
  RoleWorld world;
  world.relay_script = offering({"offer 10.0.0.1 4430 first"});
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return head_of(world, "accept first") != nullptr; }));
  Session &fetched = *head_of(world, "accept first");
  Session &served = world.target.sessions.at(0);
  fetched.raw("question");
  fetched.finish();
  ASSERT_TRUE(world.run_until([&] { return served.heard_end; }));
  EXPECT_EQ(served.heard, "question");
  EXPECT_EQ(world.log.count("tunnel joined entity=alpha id=first relay=10.0.0.1:4430 "
                            "target=10.0.0.3:80 target_ms="),
            1U)
      << world.log.text();
  EXPECT_FALSE(served.aborted);
  served.raw("answer");
  served.finish();
  ASSERT_TRUE(world.run_until([&] { return fetched.heard_end; }));
  EXPECT_EQ(fetched.heard, "answer");
  ASSERT_TRUE(world.run_until([&] { return world.counters.tunnels.ended() == 1; }));
  EXPECT_EQ(world.counters.tunnels.aborted(), 0U);
  EXPECT_TRUE(world.online());
}

TEST(Listener, RefusesWithTheReasonWhenItsTargetDoes) {
  RoleWorld world;
  world.relay_script = offering({"offer 10.0.0.1 4430 first"});
  world.target.close();
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return head_of(world, "reject first") != nullptr; }));
  EXPECT_NE(head_of(world, "reject")->last.find("target 10.0.0.3:80: "), std::string::npos)
      << head_of(world, "reject")->last;
  EXPECT_TRUE(world.run_until(
      [&] { return world.log.count("cannot connect to the target for a sender") == 1; }));
  EXPECT_NE(world.log.text().find("source=target"), std::string::npos);
  EXPECT_TRUE(world.online());
}

TEST(Listener, RefusesAnOfferThatItsTransportCannotFetch) {
  RoleWorld world;
  world.relay_script = offering({"offer 10.0.0.1 4430 unfetchable"});
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return head_of(world, "reject unfetchable") != nullptr; }));
  EXPECT_EQ(head_of(world, "reject")->last, "reject unfetchable it cannot be fetched");
  EXPECT_TRUE(world.run_until([&] { return world.log.count("an offer came to nothing") == 1; }));
  EXPECT_TRUE(world.run_until([&] { return world.target.sessions.at(0).heard_end; }));
  EXPECT_TRUE(world.online());
}

TEST(Listener, GivesItsTargetTenSeconds) {
  RoleWorld world;
  world.relay_script = offering({"offer 10.0.0.1 4430 first"});
  world.world.cut("10.0.0.2", "10.0.0.3");
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return world.online(); }));
  const std::uint64_t from_ms = world.world.now_ns() / 1'000'000U;
  ASSERT_TRUE(world.run_until([&] { return head_of(world, "reject first") != nullptr; }));
  const std::uint64_t took_ms = world.world.now_ns() / 1'000'000U - from_ms;
  EXPECT_GE(took_ms, ClientLimits{}.target_dial_ms - 10);
  EXPECT_LE(took_ms, ClientLimits{}.target_dial_ms + 100);
}

TEST(Listener, RefusesWhatItHasNoRoomFor) {
  RoleWorld world;
  world.limits.offers_per_shard = 50;
  world.limits.refusals_per_shard = 10;
  std::vector<std::string> offers;
  for (int i = 0; i < 61; ++i) {
    offers.push_back("offer 10.0.0.1 4430 n" + std::to_string(i) + "_");
  }
  world.world.cut("10.0.0.2", "10.0.0.3"); // each offer it serves waits for its target
  world.relay_script = offering(std::move(offers));
  world.start_listener();
  const auto refused = [&] {
    std::size_t count = 0;
    for (const Session &session : world.relay.sessions) {
      count += session.last.starts_with("reject n") ? 1 : 0;
    }
    return count;
  };
  ASSERT_TRUE(world.run_until([&] { return refused() > 0; }, ClientLimits{}.target_dial_ms / 2));
  world.world.run_for(ClientLimits{}.target_dial_ms / 4);
  Session *const first = head_of(world, "reject n50_");
  ASSERT_NE(first, nullptr);
  EXPECT_NE(first->last.find("too many offers at once, or tunnels"), std::string::npos)
      << first->last;
  EXPECT_GE(refused(), world.limits.refusals_per_shard);
  EXPECT_EQ(head_of(world, "reject n49_"), nullptr);
  EXPECT_TRUE(world.online());
}

TEST(Listener, GivesARelayThatTakesItAndSaysNothingTenSeconds) {
  RoleWorld world;
  world.relay_script = [](Session &) {};
  world.start_listener();
  EXPECT_TRUE(
      world.run_until([&] { return world.log.count("upgrade took longer than 10 s") == 1U; },
                      ClientLimits{}.handshake_ms + 100));
}

TEST(Listener, AResolverThatNeverAnswersForTheTargetIsNamedToTheSender) {
  RoleWorld world;
  world.resolver.silent = world.listener_options.target.host = "db.example";
  world.relay_script = offering({"offer 10.0.0.1 4430 first"});
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return head_of(world, "reject first") != nullptr; },
                              ClientLimits{}.handshake_ms + 100));
  EXPECT_EQ(head_of(world, "reject")->last,
            "reject first target db.example:80: plugin silent has not completed its call");
}

TEST(Listener, FollowsNoOfferToAnotherHostOrWithoutTls) {
  struct Row {
    const char *offer;
    bool tls;
    std::vector<std::string> allowed;
    const char *why; // it is not followed; empty: it is
  };
  const Row rows[] = {
      {"offer 10.0.0.3 4430 x", true, {}, "points to 10.0.0.3, which is not the relay"},
      {"offer evil.example 4430 x", true, {"*.example.org"}, "points to evil.example, which"},
      {"offer 10.0.0.1 4430 x", false, {}, "names an address of 10.0.0.1 without TLS"},
      {"offer 10.0.0.1 0 x", true, {}, "an offer without port"},
      {"offer relay.example 4430 x", true, {"relay.example"}, ""},
      {"offer a.gate.example 4430 x", true, {"*.gate.example"}, ""},
  };
  for (const Row &row : rows) {
    RoleWorld world;
    world.transport.tls = row.tls;
    const Address relay = *Address::from_literal("10.0.0.1", 0);
    world.resolver.names = {{"relay.example", {relay}}, {"a.gate.example", {relay}}};
    world.relay_script = offering({row.offer});
    world.start_listener(row.allowed);
    if (*row.why == '\0') {
      EXPECT_TRUE(world.run_until([&] { return head_of(world, "accept x") != nullptr; }))
          << row.offer;
      continue;
    }
    EXPECT_TRUE(world.run_until([&] { return world.log.count("an offer came to nothing") == 1; }))
        << row.offer;
    EXPECT_EQ(world.log.count(row.why), 1U) << world.log.text();
    EXPECT_EQ(world.relay.sessions.size(), 1U) << row.offer;
    EXPECT_TRUE(world.online()) << row.offer;
  }
}

TEST(Listener, EndsAChannelThatSaysWhatItMustNotAndComesBack) {
  const std::string long_message(5'000, 'x');
  for (const std::string &words : {std::string("rubbish"), std::string("offer"), long_message}) {
    RoleWorld world;
    bool said = false;
    world.relay_script = [&](Session &session) {
      if (session.heard_end) {
        session.drop();
      } else if (const auto head = session.message(); head && head->starts_with("listen")) {
        session.last = *head;
        session.say("ok");
        if (!std::exchange(said, true)) {
          session.say(words);
        }
      }
    };
    world.start_listener();
    const std::size_t channels = words == "offer" ? 1 : 2; // "offer" alone is an unknown word too
    EXPECT_TRUE(world.run_until([&] {
      return world.log.count("registered at the relay") >= channels && world.online();
    })) << words.substr(0, 20)
        << "\n"
        << world.log.text();
  }
}

TEST(Listener, AnAnswerThatItsFramingDoesNotHaveEndsTheChannelAlone) {
  struct Row {
    std::size_t size;
    bool comes;
  };
  for (const Row &row : {Row{0, false}, Row{1, true}, Row{65'535, true}, Row{65'536, false}}) {
    RoleWorld world;
    std::string heard;
    world.relay_script = [&, asked = false,
                          words = "ask for " + std::to_string(row.size)](Session &session) mutable {
      const auto message = session.message();
      if (session.heard_end) {
        session.drop();
      } else if (message && message->starts_with("listen")) {
        session.say("ok");
        if (!std::exchange(asked, true)) {
          session.say(words);
        }
      } else if (message) {
        heard = *message;
      }
    };
    world.start_listener();
    EXPECT_TRUE(world.run_until([&] {
      return row.comes ? !heard.empty()
                       : world.log.count("a message that its own framing does not have") == 1 &&
                             world.log.count("registered at the relay") == 2 && world.online();
    })) << row.size;
    EXPECT_EQ(heard.size(), row.comes ? row.size : 0U);
  }
}

TEST(Listener, AnswersOnItsChannel) {
  RoleWorld world;
  std::string heard;
  world.relay_script = [&](Session &session) {
    while (const auto words = session.message()) {
      heard += *words + ";";
      if (words->starts_with("listen")) {
        session.say("ok");
        session.say("ask");
        session.say("nothing");
        session.say("ping");
        session.say("ask");
      }
    }
  };
  world.start_listener();
  EXPECT_TRUE(world.run_until([&] {
    return heard.find("answer;pong;answer;") != std::string::npos ||
           heard.find("answer;answer;pong;") != std::string::npos ||
           heard.find("pong;answer;answer;") != std::string::npos;
  })) << heard;
}

/// How often a relay that does not read may ask 20,000 times.
int rounds_until_caught(std::uint64_t queue_bytes) {
  RoleWorld world;
  world.limits.channel_queue_bytes = queue_bytes;
  world.relay_script = [&](Session &session) {
    if (session.message()) {
      session.last = "listen";
      session.say("ok");
      session.stop_reading = true;
    }
  };
  world.start_listener();
  EXPECT_TRUE(world.run_until([&] { return world.online(); }));
  Session &channel = world.relay.sessions.at(0);
  std::string flood;
  for (int i = 0; i < 20'000; ++i) {
    flood += std::string("\0\3", 2) + "ask";
  }
  const auto caught = [&] { return world.log.count("asks for more answers than it reads") == 1; };
  int rounds = 0;
  for (; rounds < 100 && !caught(); ++rounds) {
    channel.raw(flood);
    world.run_until(caught, 1'000);
  }
  EXPECT_TRUE(caught());
  return rounds;
}

TEST(Listener, DoesNotHoardAnswersForARelayThatDoesNotRead) {
  const std::uint64_t standard = ClientLimits{}.channel_queue_bytes;
  EXPECT_LT(rounds_until_caught(standard / 4), rounds_until_caught(standard));
}

TEST(Listener, DrainServesWhatTheRelayOfferedBeforeItHeardTheGoodbye) {
  for (const bool relay_answers : {true, false}) {
    RoleWorld world;
    world.relay_script = [&](Session &session) {
      if (session.heard_end && session.last.starts_with("listen")) {
        session.say("offer 10.0.0.1 4430 crossing");
        if (relay_answers) {
          session.finish();
        }
      } else if (const auto head = session.message()) {
        session.last = *head;
        session.say("ok");
      }
    };
    world.start_listener();
    ASSERT_TRUE(world.run_until([&] { return world.online(); }));
    world.listener->drain();
    EXPECT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 1; }, 1'000));
    EXPECT_EQ(world.counters.channels_online, 0U);
    EXPECT_EQ(world.counters.channels_lost, 0U);
    ASSERT_TRUE(world.run_until([&] { return head_of(world, "accept") != nullptr; }));
    head_of(world, "accept")->finish();
    world.target.sessions.at(0).finish();
    // It does not wait longer for a relay that never says goodbye than for any other end.
    EXPECT_TRUE(world.run_until([&] { return world.stopped; }, ShardLimits{}.linger_ms + 100));
    EXPECT_EQ(world.end(), "");
  }
}

TEST(Listener, DrainLetsTunnelsEndAndDropDoesNot) {
  for (const bool drop : {false, true}) {
    RoleWorld world;
    world.relay_script = offering({"offer 10.0.0.1 4430 first"});
    world.start_listener();
    ASSERT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 1; }));
    drop ? world.listener->drop() : world.listener->drain();
    world.world.run_for(1'000);
    EXPECT_EQ(world.counters.tunnels.open(), drop ? 0U : 1U);
    EXPECT_EQ(world.counters.channels_online, 0U);
    EXPECT_EQ(head_of(world, "accept")->heard_end, drop);
    const std::uint64_t from_ms = world.world.now_ns() / 1'000'000U;
    EXPECT_TRUE(world.run_until([&] { return world.stopped; }));
    EXPECT_LE(world.world.now_ns() / 1'000'000U - from_ms, ShardLimits{}.drain_grace_ms);
  }
}

TEST(Listener, EndsWithNothingLeftAtAnyMoment) {
  for (std::uint64_t at_us = 0; at_us < 6'000; at_us += 50) {
    for (const bool drains_first : {false, true}) {
      for (const bool target_refuses : {false, true}) {
        RoleWorld world(at_us + 1);
        world.relay_script =
            offering({"offer 10.0.0.1 4430 a", "offer 10.0.0.1 4430 b", "offer 10.0.0.9 1 c"});
        if (target_refuses) {
          world.target.close();
        }
        world.start_listener();
        const std::uint64_t end_ns = world.world.now_ns() + at_us * 1'000;
        world.run_until([&] { return world.world.now_ns() >= end_ns; });
        if (drains_first) {
          world.listener->drain();
          world.run_until([&] { return world.world.now_ns() >= end_ns + 300'000; });
        }
        world.listener->drop();
        // At once: nothing waits for a deadline.
        EXPECT_TRUE(world.run_until([&] { return world.stopped; }, 100)) << at_us;
        EXPECT_EQ(world.end(), "") << at_us << "\n" << world.log.text();
      }
    }
  }
}

} // namespace
} // namespace culvert::test
