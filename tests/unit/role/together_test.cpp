// What arrives together in a set-up: an answer, or a part of one, and the end of the connection.
#include "unit/role/role_world.hpp"

namespace culvert::test {
namespace {

struct Row {
  const char *what;
  std::string answer; // as bytes: a length of two bytes and the words
  bool aborted;       // else the relay ends its connection in order
};

std::string message(const std::string &words) {
  return std::string{static_cast<char>(words.size() >> 8U), static_cast<char>(words.size())} +
         words;
}

const Row kRows[] = {
    {"something to say next, and an end", message("again more"), false},
    {"something to say next, and a break", message("again more"), true},
    {"success and an end", message("ok"), false},
    {"success and a break", message("ok"), true},
    {"success, its first bytes and an end", message("ok") + message("nothing"), false},
    {"a refusal and an end", message("no"), false},
    {"half an answer and an end", message("again more").substr(0, 5), false},
    {"nothing but an end", "", false},
};

/// Answers the first message of a connection that begins with `words`, and ends it.
std::function<void(Session &)> answering(const std::string &words, const Row &row) {
  return [words, row](Session &session) {
    while (const auto head = session.message()) {
      if (head->starts_with(words)) {
        session.raw(row.answer);
        row.aborted ? session.drop() : session.finish();
      } else if (head->starts_with("listen")) {
        session.say("ok");
        session.say("offer 10.0.0.1 4430 first");
      } else if (*head == "ping") {
        session.say("pong");
      }
    }
  };
}

TEST(Together, AnAnswerAndAnEndLeaveASenderAlive) {
  for (const Row &row : kRows) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      SCOPED_TRACE(std::string(row.what) + ", seed " + std::to_string(seed));
      RoleWorld world(seed);
      world.limits.setup_repeat_ms = 0;
      world.relay_script = answering("dial", row);
      world.start_sender();
      const RawPeer &app = world.app("question");
      EXPECT_TRUE(world.run_until([&] { return app.ended; }));
      EXPECT_EQ(world.end(), "");
    }
  }
}

TEST(Together, AnAnswerAndAnEndLeaveAListenerAlive) {
  for (const char *step : {"listen", "accept"}) {
    for (const Row &row : kRows) {
      for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        SCOPED_TRACE(std::string(step) + ": " + row.what + ", seed " + std::to_string(seed));
        RoleWorld world(seed);
        world.relay_script = answering(step, row);
        world.start_listener();
        world.world.run_for(3'000);
        world.relay_script = [](Session &session) {
          if (session.message()) {
            session.say("ok");
          }
        };
        EXPECT_TRUE(world.run_until([&] { return world.online(); }, 60'000));
        EXPECT_EQ(world.end(), "");
      }
    }
  }
}

} // namespace
} // namespace culvert::test
