#include "unit/tls/raw_peer.hpp"

#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace culvert::test {
namespace {

/// A self-signed RSA certificate, which is its own authority.
ThrowAway rsa_at(std::int64_t now_s, const char *alternative_names = "DNS:relay.test") {
  const KeyOwner key(EVP_RSA_gen(2048));
  const CertificateOwner certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  ASN1_TIME_set(X509_getm_notBefore(certificate.get()), now_s - kTestDaySec);
  ASN1_TIME_set(X509_getm_notAfter(certificate.get()), now_s + kTestDaySec);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char *>("relay.test"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get()));
  if (alternative_names != nullptr) {
    X509_EXTENSION *names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, alternative_names);
    X509_add_ext(certificate.get(), names, -1);
    X509_EXTENSION_free(names);
  }
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  const auto text = [](auto write) {
    const BioOwner memory(BIO_new(BIO_s_mem()));
    write(memory.get());
    char *data = nullptr;
    const long size = BIO_get_mem_data(memory.get(), &data);
    return std::string(data, static_cast<std::size_t>(size));
  };
  ThrowAway made;
  made.authority_pem = text([&](BIO *out) { PEM_write_bio_X509(out, certificate.get()); });
  made.server.certificate_pem = made.authority_pem;
  std::string pem = text([&](BIO *out) {
    PEM_write_bio_PKCS8PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  made.server.key_pem = Secret::take(pem);
  return made;
}

class RsaTls : public RawTls {
protected:
  RsaTls() { use("DNS:relay.test"); }
  void use(const char *alternative_names) {
    kit.made = rsa_at(lab.shard().io.wall_s(), alternative_names);
    kit.client_options.authorities_pem.clear();
    kit.remake_server(lab.shard());
    kit.remake_client(lab.shard());
  }
};

TEST_F(RsaTls, RsaCertificatesServeAndAreVerifiedInBothVersions) {
  for (const bool our_server : {true, false}) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      make(our_server, [&](RawPeer &peer) {
        SSL_CTX_set_max_proto_version(peer.context, version);
        SSL_CTX_set_min_proto_version(peer.context, version);
      });
      ASSERT_EQ(shake(), 0) << link->failure().message;
      read();
      raw->write("hello");
      EXPECT_TRUE(until([&] { return text == "hello"; }));
      TearDown();
      text.clear();
      shaken.outcomes.clear();
    }
  }
}

TEST_F(RsaTls, ACommonNameAloneIsNoNameOfTheServer) { // RFC 9525, section 2
  for (const char *names : {static_cast<const char *>(nullptr), "IP:192.0.2.1"}) {
    use(names);
    make(false);
    EXPECT_EQ(shake(), -EPROTO);
    const std::string &why = link->failure().message;
    EXPECT_NE(why.find(names == nullptr ? "no subjectAltName" : "it is for '192.0.2.1'"),
              std::string::npos)
        << why;
    EXPECT_EQ(certificate_covers(kit.made.server.certificate_pem, "relay.test"), false);
    TearDown();
    shaken.outcomes.clear();
  }
}

TEST_F(RawTls, TheModernPresetKnowsTls13Alone) {
  kit.server_options.preset = TlsPreset::kModern;
  kit.client_options.preset = TlsPreset::kModern;
  kit.remake_server(lab.shard());
  kit.remake_client(lab.shard());
  for (const bool our_server : {true, false}) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      make(our_server,
           [&](RawPeer &peer) { SSL_CTX_set_max_proto_version(peer.context, version); });
      const int result = shake();
      EXPECT_EQ(result, version == TLS1_3_VERSION ? 0 : -EPROTO);
      EXPECT_EQ(link->failure().ok(), result == 0);
      TearDown();
      shaken.outcomes.clear();
    }
  }
}

} // namespace
} // namespace culvert::test
