// A key that no configuration holds any more is nowhere in this process's memory.
#include "unit/engine/embedder.hpp"
#include "unit/sanitized.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <random>
#include <unistd.h>

namespace culvert::test {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr unsigned char kMask = 0x55;

/// The key, in a form in which a search does not find itself.
using MaskedKey = std::array<unsigned char, kKeyBytes>;

MaskedKey make_key() {
  std::random_device source;
  std::uniform_int_distribution<int> letter('a', 'z');
  MaskedKey key;
  for (unsigned char &each : key) {
    each = static_cast<unsigned char>(letter(source)) ^ kMask;
  }
  return key;
}

Secret reveal(const MaskedKey &key) {
  std::string text;
  text.reserve(kKeyBytes);
  for (const unsigned char each : key) {
    text += static_cast<char>(each ^ kMask);
  }
  return Secret::take(text);
}

bool is_key(const unsigned char *at, const MaskedKey &key) {
  for (std::size_t i = 0; i < kKeyBytes; ++i) {
    if ((at[i] ^ kMask) != key[i]) {
      return false;
    }
  }
  return true;
}

/// How often the key stands in what this process may write to.
std::size_t copies(const MaskedKey &key) {
  static std::array<unsigned char, 1U << 20U> buffer;
  const auto own = reinterpret_cast<std::uintptr_t>(buffer.data());
  std::size_t found = 0;
  const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    char rights[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, rights) != 3 || rights[1] != 'w') {
      continue;
    }
    for (unsigned long at = begin; at < end; at += buffer.size() - kKeyBytes) {
      const std::size_t wanted = std::min<std::size_t>(buffer.size(), end - at);
      const ssize_t got = ::pread(memory, buffer.data(), wanted, static_cast<off_t>(at));
      for (std::size_t i = 0; got > 0 && i + kKeyBytes <= static_cast<std::size_t>(got); ++i) {
        const bool of_buffer = at + i + kKeyBytes > own && at + i < own + buffer.size();
        found += !of_buffer && is_key(buffer.data() + i, key) ? 1 : 0;
      }
    }
  }
  ::close(memory);
  return found;
}

/// Soon: a connection that was refused lingers for seconds, and a listener tries again.
bool is_wiped(Engine &engine, const MaskedKey &key) {
  for (int i = 0; i < 1'000 && copies(key) > 0; ++i) {
    engine.wait_stopped(10);
  }
  return copies(key) == 0;
}

class Secrets : public testing::Test {
protected:
  void SetUp() override {
#ifdef CULVERT_TEST_SANITIZED
    GTEST_SKIP() << "a sanitizer keeps freed memory and shadows of all there is to search";
#endif
  }
};

TEST_F(Secrets, AKeyIsWipedWhenItsConfigurationIsReplacedAndWhenItsRoleHasStopped) {
  for (const bool stop : {false, true}) {
    Setting setting;
    SilentLog log;
    const MaskedKey key = make_key();
    const auto engine = std::move(Engine::create(engine_config(false, 2), log).value());
    RoleId relay = 0;
    {
      RelayConfig config = setting.relay();
      config.rules[0].primary = reveal(key);
      relay = engine->start_relay(config).value();
    }
    EXPECT_GT(copies(key), 0U) << "the search finds it";
    const RoleId sender = engine->start_sender(setting.sender(engine->bound(relay).port)).value();
    App app(engine->bound(sender).port);
    EXPECT_EQ(app.receive(1), ""); // its token was judged with that key
    EXPECT_EQ(engine->stats(sender).setups_failed, 1U);
    if (stop) {
      ASSERT_TRUE(engine->stop(relay).ok());
      ASSERT_TRUE(engine->wait_for(relay, RoleStats::State::kStopped, kPatienceMs));
    } else {
      ASSERT_TRUE(engine->update(relay, setting.relay()).ok());
    }
    EXPECT_TRUE(is_wiped(*engine, key)) << (stop ? "stopped" : "updated");
  }
}

TEST_F(Secrets, AKeyOfASenderOrListenerIsWipedToo) {
  for (const bool stop : {false, true}) {
    Setting setting;
    SilentLog log;
    const MaskedKey key = make_key();
    const auto engine = std::move(Engine::create(engine_config(false, 2), log).value());
    const RoleId relay = engine->start_relay(setting.relay()).value();
    const std::uint16_t port = engine->bound(relay).port;
    RoleId sender = 0;
    RoleId listener = 0;
    {
      SenderConfig sends = setting.sender(port);
      sends.connection.key = reveal(key);
      sender = engine->start_sender(sends).value();
      ListenerConfig listens = setting.listener(port, 1);
      listens.connection.key = reveal(key);
      listener = engine->start_listener(listens).value();
    }
    EXPECT_GT(copies(key), 0U) << "the search finds it";
    App app(engine->bound(sender).port);
    EXPECT_EQ(app.receive(1), ""); // a token was made with that key
    for (const RoleId role : {sender, listener}) {
      if (stop) {
        ASSERT_TRUE(engine->stop(role).ok());
        ASSERT_TRUE(engine->wait_for(role, RoleStats::State::kStopped, kPatienceMs));
      } else {
        ASSERT_TRUE((role == sender ? engine->update(role, setting.sender(port))
                                    : engine->update(role, setting.listener(port, 1)))
                        .ok());
      }
    }
    EXPECT_TRUE(is_wiped(*engine, key)) << (stop ? "stopped" : "updated");
  }
}

} // namespace
} // namespace culvert::test
