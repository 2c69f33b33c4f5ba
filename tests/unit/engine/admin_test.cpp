// The admin endpoint of an engine, as an embedder has it.
#include "unit/engine/embedder.hpp"

#include <functional>
#include <future>
#include <thread>

namespace culvert::test {
namespace {

constexpr std::size_t kWhole = 1U << 20U; // more than an answer: it is read to its end

HostPort loopback() {
  return {"127.0.0.1", 0, ""};
}

class AdminTest : public testing::Test {
protected:
  void make(bool driven_by_host, bool reloads = false) {
    EngineConfig config = engine_config(driven_by_host);
    config.admin.bind = loopback();
    config.admin.reloads = reloads;
    Result<std::unique_ptr<Engine>> made = Engine::create(config, log_);
    ASSERT_TRUE(made.ok()) << made.status().message;
    engine_ = std::move(made.value());
  }
  /// The answer, when it is there.
  std::future<std::string> ask(const std::string &line) {
    return std::async(std::launch::async, [line, port = engine_->admin_bound().port] {
      App client(port);
      client.send(line + " HTTP/1.1\r\n\r\n");
      return client.receive(kWhole);
    });
  }

  SilentLog log_;
  std::unique_ptr<Engine> engine_;
};

bool there(const std::future<std::string> &answer, std::uint64_t within_ms = 0) {
  return answer.wait_for(std::chrono::milliseconds(within_ms)) == std::future_status::ready;
}

TEST_F(AdminTest, AHostThatRunsItsLoopIsHealthyAndOneThatDoesNotIsNot) {
  make(true);
  EXPECT_NE(ask("GET /healthz").get().find(" 503 "), std::string::npos) << "nobody runs the shard";
  std::future<std::string> answer = ask("GET /healthz");
  while (!there(answer, 1)) {
    while (engine_->run_ready()) {
    }
  }
  EXPECT_NE(answer.get().find(" 200 "), std::string::npos);
}

TEST_F(AdminTest, AnEngineWithoutARoleIsHealthyAndNotReady) {
  make(false);
  EXPECT_NE(ask("GET /healthz").get().find(" 200 "), std::string::npos);
  EXPECT_NE(ask("GET /readyz").get().find("no relay, listener or sender runs"), std::string::npos);
}

TEST_F(AdminTest, AReloadIsTakenOnceAndItsAnswerReachesWhoAsked) {
  make(false, true);
  EXPECT_FALSE(engine_->take_reload());
  std::future<std::string> answer = ask("POST /reload");
  while (!engine_->take_reload()) {
    ASSERT_FALSE(there(answer, 1));
  }
  EXPECT_FALSE(engine_->take_reload());
  EXPECT_NE(ask("POST /reload").get().find(" 409 "), std::string::npos) << "one at a time";
  engine_->answer_reload(true, {"all of it"});
  const std::string text = answer.get();
  EXPECT_NE(text.find(" 200 "), std::string::npos) << text;
  EXPECT_NE(text.find("all of it"), std::string::npos) << text;
}

TEST_F(AdminTest, AReloadThatNobodyTakesIsRefused) {
  make(false);
  EXPECT_NE(ask("POST /reload").get().find(" 501 "), std::string::npos);
  EXPECT_FALSE(engine_->take_reload());
}

TEST_F(AdminTest, AnEngineMayEndWhileSomebodyWaitsForAReload) {
  make(false, true);
  std::future<std::string> answer = ask("POST /reload");
  while (!engine_->take_reload()) {
    ASSERT_FALSE(there(answer, 1));
  }
  engine_.reset();
  EXPECT_EQ(answer.get(), "");
}

TEST_F(AdminTest, AnAddressThatOthersReachIsRefused) {
  for (const char *host : {"0.0.0.0", "::", "192.0.2.1", "localhost", "127.0.0.1.example"}) {
    EngineConfig config = engine_config();
    config.admin.bind = {host, 0, ""};
    const Result<std::unique_ptr<Engine>> made = Engine::create(config, log_);
    ASSERT_FALSE(made.ok()) << host;
    EXPECT_NE(made.status().message.find("no loopback address"), std::string::npos);
  }
}

TEST_F(AdminTest, WithoutAnAddressThereIsNoEndpoint) {
  const Result<std::unique_ptr<Engine>> made = Engine::create(engine_config(), log_);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made.value()->admin_bound().text(), HostPort{}.text());
  EXPECT_FALSE(made.value()->take_reload());
}

} // namespace
} // namespace culvert::test
