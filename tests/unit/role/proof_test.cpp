// What a sender does when it starts, before it says that it is ready.
#include "role/proof.hpp"
#include "unit/role/role_world.hpp"

#include <algorithm>

namespace culvert::test {
namespace {

constexpr char kReady[] = "ready for apps on here: the relay takes this sender entity=alpha";
constexpr char kNotThere[] = "not ready: the relay cannot be reached; trying again ";
constexpr char kNot[] = "not ready: the relay does not take this sender; trying again ";

struct ProofWorld {
  explicit ProofWorld(std::size_t keys = 1) : world(1, keys) {
    world.transport.proves = true;
    world.relay_script = [this](Session &session) {
      if (const auto head = session.message()) {
        heads.push_back(*head);
        session.say(answer);
      }
      if (session.heard_end) {
        session.drop();
      }
    };
    proof.emplace(world.kit(), world.sender_options.entity, world.counters);
  }
  ~ProofWorld() {
    proof->cancel();
    EXPECT_TRUE(world.run_until([&] { return !proof->running(); }));
    proof.reset();
    EXPECT_EQ(world.end(), "");
  }

  RoleWorld world;
  std::string answer = "ok";
  std::vector<std::string> heads;
  std::optional<Proof> proof;
};

TEST(Proof, SaysThatItIsReadyWhenTheRelayHasJudgedTheToken) {
  ProofWorld it;
  it.proof->start("here");
  ASSERT_TRUE(it.world.run_until([&] { return !it.proof->running(); }));
  EXPECT_EQ(it.heads, std::vector<std::string>{"prove alpha token0"});
  EXPECT_EQ(it.world.log.count(kReady), 1U);
  EXPECT_EQ(it.world.log.count(kNot), 0U);
  ASSERT_EQ(it.world.relay.sessions.size(), 1U);
  EXPECT_TRUE(it.world.run_until([&] { return it.world.relay.sessions.at(0).heard_end; }));
}

TEST(Proof, ASenderThatTheRelayTakesIsReadyWithoutAListener) {
  for (const char *answer : {"nobody", "none allowed"}) {
    ProofWorld it;
    it.answer = answer;
    it.proof->start("here");
    ASSERT_TRUE(it.world.run_until([&] { return !it.proof->running(); })) << answer;
    EXPECT_EQ(it.world.log.count(kReady), 1U);
    EXPECT_EQ(it.world.log.count(kNot), 0U);
  }
}

TEST(Proof, OfAProtocolThatHasNoneEndsBeforeAWordIsSaid) {
  ProofWorld it;
  it.world.transport.proves = false;
  it.proof->start("here");
  ASSERT_TRUE(it.world.run_until([&] { return !it.proof->running(); }));
  EXPECT_EQ(it.world.log.count(kReady), 1U);
  EXPECT_TRUE(it.world.run_until([&] { return it.world.relay.sessions.at(0).heard_end; }));
  EXPECT_TRUE(it.heads.empty());
}

TEST(Proof, ARelayThatIsNotThereIsTriedUntilItIs) {
  ProofWorld it;
  it.world.relay.close();
  it.proof->start("here");
  ASSERT_TRUE(it.world.run_until([&] { return it.world.log.count(kNotThere) >= 3; }));
  it.world.world.run_for(3'600'000);
  const auto is_warning = [](const TimedLine &line) { return line.level == LogLevel::kWarn; };
  const auto &lines = it.world.log.lines;
  EXPECT_GT(it.world.log.count(kNotThere), 200U);
  EXPECT_EQ(it.world.log.count(kNot), 0U);
  EXPECT_LE(std::count_if(lines.begin(), lines.end(), is_warning), 9) << "the first, and 2^n";
  it.world.relay.open();
  EXPECT_TRUE(it.world.run_until([&] { return it.world.log.count(kReady) == 1; }, 60'000));
}

TEST(Proof, ARefusedTokenIsTriedWithTheOtherKeyAtOnceAndThenSlowly) {
  for (const std::size_t keys : {1U, 2U}) {
    ProofWorld it(keys);
    it.answer = "no token";
    it.proof->start("here");
    ASSERT_TRUE(it.world.run_until([&] { return it.world.log.count(kNot) == 1; }));
    ASSERT_EQ(it.heads.size(), keys);
    EXPECT_EQ(it.heads.back(), keys == 1 ? "prove alpha token0" : "prove alpha token1");
    const std::uint64_t from_ms = it.world.log.lines.back().at_ms;
    ASSERT_TRUE(it.world.run_until([&] { return it.world.log.count(kNot) == 2; }));
    EXPECT_GE(it.world.log.lines.back().at_ms - from_ms, ClientLimits{}.reconnect_ceiling_ms / 2);
    EXPECT_EQ(it.world.log.count(kReady), 0U);
    it.answer = "ok";
    EXPECT_TRUE(it.world.run_until([&] { return it.world.log.count(kReady) == 1; }));
  }
}

TEST(Proof, UsesTheLatestConfigurationForTheNextTry) {
  ProofWorld it;
  it.answer = "no way";
  it.proof->start("here");
  ASSERT_TRUE(it.world.run_until([&] { return it.world.log.count(kNot) == 1; }));
  EntityAddress other = it.world.sender_options.entity;
  other.path = "beta";
  it.proof->use(it.world.kit(), other);
  it.answer = "ok";
  ASSERT_TRUE(it.world.run_until([&] { return !it.proof->running(); }));
  EXPECT_EQ(it.heads.back(), "prove beta token0");
}

TEST(Proof, EndsWithNothingLeftAtAnyMoment) {
  for (std::uint64_t ms = 0; ms < 60; ++ms) {
    ProofWorld it;
    it.answer = ms % 2 == 0 ? "ok" : "no way";
    it.proof->start("here");
    it.world.world.run_for(ms);
    it.proof->cancel();
    EXPECT_TRUE(it.world.run_until([&] { return !it.proof->running(); })) << ms;
    const std::size_t lines = it.world.log.lines.size();
    it.world.world.run_for(60'000);
    EXPECT_EQ(it.world.log.lines.size(), lines) << ms;
  }
}

} // namespace
} // namespace culvert::test
