#include "crypto/digest.hpp"

#include <gtest/gtest.h>

namespace culvert {
namespace {

std::string text_of(const std::vector<std::byte> &bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

TEST(Digest, Sha1MakesTheAcceptKeyOfRfc6455) {
  Digests digests;
  const std::string key = "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  EXPECT_EQ(base64(digests.sha1(bytes_of(key))), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(Digest, Sha256KnowsTheVectorsOfFips180) {
  Digests digests;
  EXPECT_EQ(hex(digests.sha256({})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(digests.sha256(bytes_of("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Digest, HmacKnowsTheVectorsOfRfc4231) {
  struct Row {
    std::string key;
    std::string data;
    std::string code;
  };
  const Row rows[] = {
      {std::string(20, '\x0b'), "Hi There",
       "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
      {"Jefe", "what do ya want for nothing?",
       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
      {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
       "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
      {"", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
  };
  Digests digests;
  for (const Row &row : rows) {
    EXPECT_EQ(hex(digests.hmac_sha256(bytes_of(row.key), bytes_of(row.data))), row.code);
  }
}

TEST(Digest, AnEmptyKeyDoesNotReuseTheOneBefore) {
  Digests digests;
  const Sha256Bytes alone = Digests().hmac_sha256({}, bytes_of("x"));
  digests.hmac_sha256(bytes_of("key"), bytes_of("x"));
  EXPECT_EQ(digests.hmac_sha256({}, bytes_of("x")), alone);
}

TEST(Base64, KnowsTheVectorsOfRfc4648BothWays) {
  const std::pair<std::string, std::string> rows[] = {{"", ""},
                                                      {"f", "Zg=="},
                                                      {"fo", "Zm8="},
                                                      {"foo", "Zm9v"},
                                                      {"foob", "Zm9vYg=="},
                                                      {"fooba", "Zm9vYmE="},
                                                      {"foobar", "Zm9vYmFy"},
                                                      {"\xfb\xff", "+/8="}};
  for (const auto &[plain, coded] : rows) {
    EXPECT_EQ(base64(bytes_of(plain)), coded);
    const auto decoded = from_base64(coded);
    ASSERT_TRUE(decoded) << coded;
    EXPECT_EQ(text_of(*decoded), plain);
  }
}

TEST(Base64, RefusesWhatIsNotStrict) {
  for (const char *text : {"Zg=", "Zg", "Z", "Zg===", "=", "====", "Zh==", "Zm9=", "Zm9v\n", "Zm 9",
                           "Zg==Zg==", "Zm-v", "Zm_v", "=Zg=", "Z=g=", "Zg=\xff"}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
}

TEST(Hex, BothWaysAndStrict) {
  const auto bytes = from_hex("00fFaB10");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(hex(*bytes), "00ffab10");
  for (const char *text : {"0", "0g", "g0", " 0", "0x"}) {
    EXPECT_FALSE(from_hex(text)) << text;
  }
}

TEST(ConstantTime, ComparesLengthAndEveryByte) {
  EXPECT_TRUE(equal_in_constant_time({}, {}));
  EXPECT_TRUE(equal_in_constant_time(bytes_of("abc"), bytes_of("abc")));
  EXPECT_FALSE(equal_in_constant_time(bytes_of("abc"), bytes_of("abd")));
  EXPECT_FALSE(equal_in_constant_time(bytes_of("abc"), bytes_of("xbc")));
  EXPECT_FALSE(equal_in_constant_time(bytes_of("abc"), bytes_of("ab")));
}

} // namespace
} // namespace culvert
