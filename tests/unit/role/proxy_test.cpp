// The way to a relay through an HTTP proxy: what is said to it, what its answers mean, and the
// roles behind it.
#include "role/proof.hpp"
#include "role/proxy.hpp"
#include "unit/role/role_world.hpp"

namespace culvert::test {
namespace {

constexpr char kProxyHost[] = "10.0.0.5";
constexpr std::uint16_t kProxyPort = 3128;

ProxyConfig config(std::string_view credentials = "", std::vector<std::string> except = {}) {
  ProxyConfig made;
  made.address = {kProxyHost, kProxyPort, {}};
  made.credentials = Secret(credentials);
  made.except = std::move(except);
  return made;
}

TEST(Proxy, IsAskedForTheRelayByNameAndPort) {
  EXPECT_EQ(Proxy(config()).request("relay.test", 443).value(),
            "CONNECT relay.test:443 HTTP/1.1\r\nHost: relay.test:443\r\n\r\n");
  EXPECT_EQ(Proxy(config()).request("::1", 8443).value(),
            "CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n");
  EXPECT_EQ(Proxy(config("Aladdin:open sesame")).request("relay.test", 443).value(),
            "CONNECT relay.test:443 HTTP/1.1\r\nHost: relay.test:443\r\n"
            "Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n");
}

TEST(Proxy, DoesNotLeadToTheExceptions) {
  struct Row {
    const char *except;
    std::vector<std::string> direct;
    std::vector<std::string> by_proxy;
  };
  const Row rows[] = {
      {"*", {"relay.test", "10.1.2.3", "::1"}, {}},
      {"Example.com", {"example.com", "a.EXAMPLE.com"}, {"badexample.com", "example.com.test"}},
      {".example.com", {"example.com", "a.b.example.com"}, {"badexample.com"}},
      {"*.example.com", {"a.example.com"}, {"badexample.com"}},
      {"10.1.2.3", {"10.1.2.3"}, {"10.1.2.30", "110.1.2.3"}},
      {"10.1.0.0/16", {"10.1.2.3", "10.1.255.255"}, {"10.2.0.1", "::1"}},
      {"10.1.2.128/25", {"10.1.2.129"}, {"10.1.2.127"}},
      {"0.0.0.0/0", {"10.1.2.3"}, {"relay.test", "::1"}},
      {"10.1.2.3/33", {}, {"10.1.2.3"}},
      {"10.1.2.3/x", {}, {"10.1.2.3"}},
      {"2001:db8::/32", {"2001:db8:1::5"}, {"2001:db9::1"}},
      {"[::1]", {"::1"}, {"::2"}},
      {".", {}, {"relay.test"}},
  };
  for (const Row &row : rows) {
    const Proxy proxy(config("", {row.except}));
    for (const std::string &host : row.direct) {
      EXPECT_FALSE(proxy.leads_to(host)) << row.except << " " << host;
    }
    for (const std::string &host : row.by_proxy) {
      EXPECT_TRUE(proxy.leads_to(host)) << row.except << " " << host;
    }
  }
  EXPECT_TRUE(Proxy(config()).leads_to("relay.test"));
}

/// A sender's proof behind a proxy that answers CONNECT with `answer` and is the relay after it.
struct ProxyWorld {
  ProxyWorld()
      : http(world.world, world.log, kProxyHost, kProxyPort,
             [this](Session &session) { on_bytes(session); }) {
    world.transport.proves = true;
    world.sender_options.entity.host = "relay.test"; // which no table has: it is not looked up
  }
  ~ProxyWorld() {
    if (proof) {
      proof->cancel();
      EXPECT_TRUE(world.run_until([&] { return !proof->running(); }));
      proof.reset();
    }
    http.close();
    http.drop_all();
    EXPECT_TRUE(world.run_until([&] { return http.ended(); }));
    EXPECT_EQ(world.end(), "");
  }
  void on_bytes(Session &session) {
    const std::size_t end = session.heard.find("\r\n\r\n");
    if (session.last.empty() && end != std::string::npos) {
      session.last = session.heard.substr(0, end);
      session.heard.erase(0, end + 4);
      session.raw(answer);
      if (ends) {
        session.finish();
      }
    }
    if (const auto head = session.message()) {
      said.push_back(*head);
      session.say("ok");
    }
  }
  void prove(ProxyConfig by = config()) {
    world.proxy.emplace(by);
    proof.emplace(world.kit(), world.sender_options.entity, world.counters);
    proof->start("here");
  }

  RoleWorld world;
  std::string answer = "HTTP/1.1 200 OK\r\n\r\n";
  bool ends = false;             // behind its answer
  std::vector<std::string> said; // to the relay
  Service http;
  std::optional<Proof> proof;
};

TEST(Proxy, LeadsAProofToARelayWhoseNameIsNotLookedUpHere) {
  ProxyWorld it;
  it.answer = "HTTP/1.0 200 Connection established\r\nVia: 1.0 it\r\n\r\n";
  it.prove();
  ASSERT_TRUE(it.world.run_until([&] { return !it.proof->running(); })) << it.world.log.text();
  EXPECT_EQ(it.http.sessions.at(0).last,
            "CONNECT relay.test:4430 HTTP/1.1\r\nHost: relay.test:4430");
  EXPECT_EQ(it.said, std::vector<std::string>{"prove alpha token0"});
  EXPECT_TRUE(it.world.relay.sessions.empty());
}

TEST(Proxy, BytesBehindItsAnswerAreTheRelays) {
  ProxyWorld it;
  it.answer = "HTTP/1.1 200 OK\r\n\r\n";
  it.answer.append({0, 5}).append("no wa");
  it.prove();
  EXPECT_TRUE(it.world.run_until([&] { return it.world.log.count("it said: no wa") > 0; }))
      << it.world.log.text();
}

TEST(Proxy, IsNotUsedForAnException) {
  ProxyWorld it;
  it.world.sender_options.entity.host = "10.0.0.1";
  it.prove(config("", {"10.0.0.0/24"}));
  ASSERT_TRUE(it.world.run_until([&] { return !it.proof->running(); }));
  EXPECT_TRUE(it.http.sessions.empty());
  EXPECT_EQ(it.world.relay.sessions.size(), 1U);
}

TEST(Proxy, EachOfItsAnswersIsOneSentenceThatNamesIt) {
  struct Row {
    const char *answer;
    const char *credentials;
    const char *sentence;
  };
  const Row rows[] = {
      {"HTTP/1.1 407 X\r\nProxy-Authenticate: Basic realm=\"a\"\r\n\r\n", "",
       "it asks for a user and a password (407): set proxy_credentials to "},
      {"HTTP/1.1 407 X\r\nProxy-Authenticate: Basic realm=\"a\"\r\n\r\n", "u:secret",
       "it refuses the user or the password in proxy_credentials (407): correct them"},
      {"HTTP/1.0 401 X\r\nWWW-Authenticate: Basic realm=\"a\"\r\n\r\n", "u:secret",
       "it refuses the user or the password in proxy_credentials (401): correct them"},
      {"HTTP/1.1 407 X\r\nProxy-Authenticate: Negotiate\r\n\r\n", "u:secret",
       "it asks for an authentication other than Basic (407)"},
      {"HTTP/1.1 403 X\r\n\r\n", "", "it does not allow connections to relay.test:4430 (403): let"},
      {"HTTP/1.1 502 X\r\n\r\n", "", "it does not reach relay.test:4430 (502): check"},
      {"HTTP/1.1 503 X\r\n\r\n", "", "it does not reach relay.test:4430 (503): check"},
      {"HTTP/1.1 504 X\r\n\r\n", "", "it does not reach relay.test:4430 (504): check"},
      {"HTTP/1.1 405 Not here\r\n\r\n", "",
       "it answers CONNECT to relay.test:4430 with 405: check"},
      {"220 mail ESMTP\r\n\r\n", "", "its answer to CONNECT is not HTTP: check"},
      {"\1\2\3", "", "its answer to CONNECT is not HTTP: check"},
      {"", "", "it closed the connection before it answered CONNECT: check"},
      {"HTTP/1.1 200", "", "it closed the connection before it answered CONNECT: check"},
  };
  for (const Row &row : rows) {
    ProxyWorld it;
    it.answer = row.answer;
    it.ends = true;
    it.prove(config(row.credentials));
    const std::string line = std::string("source=proxy why=proxy 10.0.0.5:3128: ") + row.sentence;
    EXPECT_TRUE(it.world.run_until([&] { return it.world.log.count(line) > 0; }))
        << line << it.world.log.text();
    EXPECT_TRUE(it.said.empty());
    EXPECT_TRUE(it.world.relay.sessions.empty()); // no other way is tried
    EXPECT_EQ(it.world.log.count("secret"), 0U);
  }
}

TEST(Proxy, ThatIsNotThereOrSilentIsNamedWithItsAddress) {
  ProxyWorld it;
  it.answer = "";
  it.world.limits.proxy_ms = 700;
  const std::uint64_t from_ns = it.world.world.now_ns();
  it.prove();
  EXPECT_TRUE(it.world.run_until([&] {
    return it.world.log.count("source=proxy why=proxy 10.0.0.5:3128: connect took longer") > 0;
  })) << it.world.log.text();
  EXPECT_LT(it.world.world.now_ns() - from_ns, 900'000'000U);
  it.http.close();
  EXPECT_TRUE(it.world.run_until([&] {
    return it.world.log.count("source=proxy why=proxy 10.0.0.5:3128: ") > 1;
  })) << it.world.log.text();
}

TEST(Proxy, LeadsTheListenersChannelAndItsFetches) {
  ProxyWorld it;
  RoleWorld &world = it.world;
  world.relay.close();
  world.listener_options.entity.host = "relay.test";
  world.proxy.emplace(config());
  world.start_listener();
  ASSERT_TRUE(world.run_until([&] { return world.online(); })) << world.log.text();
  it.http.sessions.at(0).say("offer relay.test 4430 first");
  ASSERT_TRUE(world.run_until([&] { return world.counters.tunnels.open() == 1; }))
      << world.log.text();
  EXPECT_EQ(it.said, (std::vector<std::string>{"listen alpha token0", "accept first"}));
  EXPECT_EQ(it.http.sessions.size(), 2U);
}

TEST(Proxy, EndsWithNothingLeftAtAnyMoment) {
  for (std::uint64_t ms = 0; ms < 60; ++ms) {
    ProxyWorld it;
    it.answer = ms % 2 == 0 ? it.answer : "HTTP/1.1 503 X\r\n\r\n";
    it.prove();
    it.world.world.run_for(ms);
    it.proof->cancel();
    EXPECT_TRUE(it.world.run_until([&] { return !it.proof->running(); })) << ms;
  }
}

} // namespace
} // namespace culvert::test
