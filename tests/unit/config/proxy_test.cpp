// The URL of an HTTP proxy.
#include "culvert/config.hpp"

#include <gtest/gtest.h>

namespace culvert::test {
namespace {

TEST(ProxyUrl, NamesAHostAndAPort) {
  EXPECT_EQ(ProxyConfig::parse("http://proxy.test:3128").value().address.text(), "proxy.test:3128");
  EXPECT_EQ(ProxyConfig::parse("HTTP://proxy.test/").value().address.text(), "proxy.test:80");
  EXPECT_EQ(ProxyConfig::parse("http://[::1]:3128/").value().address.text(), "[::1]:3128");
  EXPECT_EQ(ProxyConfig::parse("http://[::1]").value().address.text(), "[::1]:80");
}

TEST(ProxyUrl, MayHoldAUserAndAPassword) {
  const auto proxy = ProxyConfig::parse("http://us%40er:p%3ass@w%zz@proxy.test:3128");
  ASSERT_TRUE(proxy.ok());
  EXPECT_EQ(proxy.value().credentials.reveal(), "us@er:p:ss@w%zz");
  EXPECT_EQ(proxy.value().address.text(), "proxy.test:3128");
}

TEST(ProxyUrl, IsRefusedWithoutItsText) {
  for (const char *url :
       {"", "proxy.test:3128", "http://", "http://:3128", "http://proxy.test:0",
        "http://proxy.test:66000", "http://hidden:hidden@", "http://proxy.test/path",
        "http://unix:/path", "ftp://proxy.test", "https://hidden@proxy.test", "socks5://proxy"}) {
    const auto proxy = ProxyConfig::parse(url);
    ASSERT_FALSE(proxy.ok()) << url;
    EXPECT_EQ(proxy.status().source, Source::kConfig);
    EXPECT_NE(proxy.status().message.find("write http://HOST:PORT"), std::string::npos);
    EXPECT_EQ(proxy.status().message.find("hidden"), std::string::npos);
  }
}

} // namespace
} // namespace culvert::test
