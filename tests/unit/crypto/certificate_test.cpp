#include "crypto/certificate.hpp"

#include "core/limits.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace culvert {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;
constexpr std::int64_t kDay = 86'400;

ThrowAwayOptions options_for(std::vector<std::string> names) {
  ThrowAwayOptions options;
  options.names = std::move(names);
  options.not_before_s = kNow - kDay;
  options.not_after_s = kNow + kDay;
  return options;
}

class Certificate : public testing::Test {
protected:
  Certificate() {
    std::string name = (std::filesystem::temp_directory_path() / "culvert-XXXXXX").string();
    folder = mkdtemp(name.data());
  }
  ~Certificate() override { std::filesystem::remove_all(folder); }

  std::string file(const std::string &name, std::string_view content) {
    const std::string path = folder + "/" + name;
    EXPECT_TRUE(write_private_file(path, content).ok());
    return path;
  }
  std::string folder;
};

TEST_F(Certificate, AThrowAwayOneLoadsAndSaysItsNames) {
  const auto made =
      make_throw_away(options_for({"relay.test", "*.relay.test", "127.0.0.1", "::1"}));
  ASSERT_TRUE(made.ok());
  const Credentials &server = made.value().server;
  const auto loaded = load_credentials(file("cert", server.certificate_pem),
                                       file("key", server.key_pem.reveal()), kNow);
  ASSERT_TRUE(loaded.ok()) << loaded.status().message;
  const auto facts = inspect_certificate(loaded.value().certificate_pem);
  ASSERT_TRUE(facts.ok());
  EXPECT_EQ(facts.value().subject, "relay.test");
  EXPECT_EQ(facts.value().names,
            (std::vector<std::string>{"relay.test", "*.relay.test", "127.0.0.1", "::1"}));
  EXPECT_EQ(facts.value().not_before_s, kNow - kDay);
  EXPECT_EQ(facts.value().not_after_s, kNow + kDay);
  EXPECT_TRUE(load_authorities(file("ca", made.value().authority_pem)).ok());
}

TEST_F(Certificate, CoversTheNamesThatAClientOfOursAccepts) {
  const auto made =
      make_throw_away(options_for({"relay.test", "*.wild.test", "127.0.0.1", "2001:db8::1"}));
  const std::string &pem = made.value().server.certificate_pem;
  for (const char *name :
       {"relay.test", "RELAY.test", "a.wild.test", "127.0.0.1", "2001:db8::1", "2001:DB8:0::1"}) {
    EXPECT_TRUE(certificate_covers(pem, name)) << name;
  }
  for (const char *name : {"other.test", "a.relay.test", "wild.test", "a.b.wild.test", "127.0.0.2",
                           "::1", "", "relay.test.", "relay"}) {
    EXPECT_FALSE(certificate_covers(pem, name)) << name;
  }
  EXPECT_FALSE(certificate_covers("no certificate", "relay.test"));
}

TEST_F(Certificate, OneSeedMakesOneCertificateToTheByte) {
  const auto make = [](std::uint64_t seed) {
    SeededRandom random(seed);
    ThrowAwayOptions options = options_for({"relay.test"});
    options.kind = KeyKind::kEd25519;
    options.seed = &random;
    return std::move(make_throw_away(options).value());
  };
  const ThrowAway first = make(7);
  const ThrowAway again = make(7);
  EXPECT_EQ(first.authority_pem, again.authority_pem);
  EXPECT_EQ(first.server.certificate_pem, again.server.certificate_pem);
  EXPECT_EQ(first.server.key_pem.reveal(), again.server.key_pem.reveal());
  const ThrowAway other = make(8);
  EXPECT_NE(first.server.certificate_pem, other.server.certificate_pem);
  EXPECT_EQ(first.server.certificate_pem.size(), other.server.certificate_pem.size());
}

TEST_F(Certificate, TwoThrowAwayOnesShareNothing) {
  const auto first = make_throw_away(options_for({"a.test"}));
  const auto second = make_throw_away(options_for({"a.test"}));
  EXPECT_NE(first.value().authority_pem, second.value().authority_pem);
  EXPECT_NE(first.value().server.key_pem.reveal(), second.value().server.key_pem.reveal());
}

TEST_F(Certificate, EveryOperatorMistakeNamesTheFileAndTheRemedy) {
  const auto made = make_throw_away(options_for({"relay.test"}));
  const auto other = make_throw_away(options_for({"other.test"}));
  const Credentials &server = made.value().server;
  const std::string good_certificate = file("good-cert", server.certificate_pem);
  const std::string good_key = file("good-key", server.key_pem.reveal());
  const std::string text = file("text", "hello");
  const std::string cut = file("cut", server.certificate_pem.substr(0, 200));
  const std::string tail_cut =
      file("tail-cut", server.certificate_pem + other.value().authority_pem.substr(0, 200));
  const std::string encrypted =
      file("encrypted", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED "
                        "PRIVATE KEY-----\n");
  const std::string foreign = file("foreign", other.value().server.key_pem.reveal());
  const std::string pipe = folder + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  struct Row {
    std::string certificate;
    std::string key;
    std::int64_t now;
    std::string start;
  };
  const Row rows[] = {
      {folder + "/none", good_key, kNow,
       "cannot read the certificate '" + folder + "/none': No such file or directory"},
      {folder, good_key, kNow, "cannot read the certificate '" + folder + "': Is a directory"},
      {pipe, good_key, kNow,
       "cannot read the certificate '" + pipe + "': it is no regular file; name a PEM file"},
      {good_certificate, pipe, kNow,
       "cannot read the private key '" + pipe + "': it is no regular file; name a PEM file"},
      {"/dev/null", good_key, kNow, "cannot read the certificate '/dev/null': it is no regular"},
      {good_certificate, folder + "/none", kNow,
       "cannot read the private key '" + folder + "/none': No such file or directory"},
      {text, good_key, kNow, "'" + text + "' holds no certificate in PEM form"},
      {cut, good_key, kNow, "'" + cut + "' holds a certificate that is cut off or damaged"},
      {tail_cut, good_key, kNow,
       "'" + tail_cut + "' holds a certificate that is cut off or damaged"},
      {good_certificate, text, kNow, "'" + text + "' holds no private key in PEM form"},
      {good_certificate, good_certificate, kNow,
       "'" + good_certificate + "' holds no private key in PEM form"},
      {good_certificate, encrypted, kNow, "'" + encrypted + "' holds no private key in PEM form"},
      {good_certificate, foreign, kNow,
       "the private key '" + foreign + "' does not belong to the certificate '" + good_certificate +
           "' (relay.test)"},
      {good_certificate, good_key, kNow + 2 * kDay,
       "the certificate '" + good_certificate + "' expired at 2027-01-16 08:00:00 UTC; renew it"},
      {good_certificate, good_key, kNow - 2 * kDay,
       "the certificate '" + good_certificate + "' is not valid before 2027-01-14 08:00:00 UTC"},
  };
  for (const Row &row : rows) {
    const auto loaded = load_credentials(row.certificate, row.key, row.now);
    ASSERT_FALSE(loaded.ok()) << row.start;
    EXPECT_EQ(loaded.status().code, Code::kConfig);
    EXPECT_EQ(loaded.status().source, Source::kLocal);
    EXPECT_EQ(loaded.status().message.substr(0, row.start.size()), row.start);
    EXPECT_EQ(loaded.status().message.find("PRIVATE KEY-----\n"), std::string::npos);
  }
  const std::string large = file("large", made.value().authority_pem);
  std::filesystem::resize_file(large, kPemFileBytes);
  EXPECT_TRUE(load_authorities(large).ok()); // bytes behind the certificate are no matter
  std::filesystem::resize_file(large, kPemFileBytes + 1); // a hole: nothing is written
  EXPECT_EQ(load_credentials(large, good_key, kNow).status().message,
            "cannot read the certificate '" + large + "': it is no PEM file");
  EXPECT_EQ(load_credentials(good_certificate, large, kNow).status().message,
            "cannot read the private key '" + large + "': it is no PEM file");
  EXPECT_FALSE(load_authorities(text).ok());
  EXPECT_FALSE(load_authorities(folder + "/none").ok());
  EXPECT_NE(load_authorities(pipe).status().message.find("it is no regular file"),
            std::string::npos);
}

TEST_F(Certificate, ABundleHasOneThatCanVouchForAServer) {
  const auto made = make_throw_away(options_for({"relay.test"}));
  const std::string &server = made.value().server.certificate_pem;
  const std::string alone = file("alone", server);
  EXPECT_EQ(load_authorities(alone).status().message,
            "'" + alone +
                "' holds no certificate of an authority (CA:FALSE); name the certificate of the "
                "authority that signed the relay's, for example ca.pem");
  EXPECT_TRUE(load_authorities(file("both", server + made.value().authority_pem)).ok());
}

TEST_F(Certificate, IsToBeRenewedInItsLastFourteenDays) {
  CertificateFacts facts;
  facts.not_after_s = kNow + kRenewCertificateSec;
  EXPECT_EQ(certificate_warning(facts, "r.pem", kNow - 1), "");
  const auto warning = [&](std::int64_t left_s) {
    return certificate_warning(facts, "r.pem", facts.not_after_s - left_s);
  };
  const std::string begin = "the certificate 'r.pem' ends at 2027-01-29 08:00:00 UTC, in ";
  EXPECT_EQ(warning(14 * kDay), begin + "14 days; renew it");
  EXPECT_EQ(warning(2 * kDay - 1), begin + "1 day; renew it");
  EXPECT_EQ(warning(kDay - 1), begin + "less than a day; renew it");
}

TEST_F(Certificate, PrivateFilesAreTheirOwnersAlone) {
  const std::string path = folder + "/key";
  std::ofstream(path) << "wide open";
  ASSERT_EQ(chmod(path.c_str(), 0666), 0);
  ASSERT_TRUE(write_private_file(path, "secret").ok());
  struct stat facts {};
  ASSERT_EQ(stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  std::string content;
  std::getline(std::ifstream(path), content);
  EXPECT_EQ(content, "secret");
  const Status refused = write_private_file(folder + "/none/key", "secret");
  EXPECT_EQ(refused.message, "cannot write '" + folder + "/none/key': No such file or directory");
}

TEST_F(Certificate, NamesAreValuesAndNotSyntax) {
  const auto made = make_throw_away(options_for({"a.test,DNS:evil.test"}));
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(inspect_certificate(made.value().server.certificate_pem).value().names,
            std::vector<std::string>{"a.test,DNS:evil.test"});
  EXPECT_FALSE(make_throw_away(options_for({})).ok());
}

} // namespace
} // namespace culvert
