// The other side of a TLS link in a test: plain OpenSSL on a socket of the lab's Io, or plain
// bytes.
//
// Used on the test's thread; pump() is called from the predicate the test waits with. It owns its
// socket and its SSL objects.
#pragma once

#include "crypto/openssl.hpp"
#include "link/tcp.hpp"
#include "unit/io/io_tools.hpp"
#include "unit/tls/tls_tools.hpp"

#include <algorithm>
#include <openssl/ssl.h>
#include <string>

namespace culvert::test {

class RawPeer {
public:
  RawPeer(Io &io, Socket socket, bool server)
      : context(SSL_CTX_new(server ? TLS_server_method() : TLS_client_method())), io_(io),
        socket_(socket), server_(server) {}
  ~RawPeer() {
    SSL_free(ssl);
    SSL_CTX_free(context);
    close();
  }
  void use(const Credentials &credentials) {
    SSL_CTX_use_certificate(context, parse_certificates(credentials.certificate_pem)[0].get());
    SSL_CTX_use_PrivateKey(context, parse_private_key(credentials.key_pem.reveal()).get());
  }
  /// After the context was set up.
  void start() {
    ssl = SSL_new(context);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    server_ ? SSL_set_accept_state(ssl) : SSL_set_connect_state(ssl);
  }
  /// Moves what there is, both ways.
  void pump() {
    const int got = socket_.valid() ? receive_text(io_, socket_, arrived) : -1;
    ended = ended || got == 0;
    reset = reset || (got < 0 && got != -EAGAIN && socket_.valid());
    if (ssl == nullptr) {
      return;
    }
    BIO_write(SSL_get_rbio(ssl), arrived.data() + fed_, static_cast<int>(arrived.size() - fed_));
    fed_ = arrived.size();
    if (SSL_do_handshake(ssl) == 1) {
      shaken = true;
      char buffer[16384];
      int count = 0;
      while ((count = SSL_read(ssl, buffer, sizeof buffer)) > 0) {
        plain.append(buffer, static_cast<std::size_t>(count));
      }
    }
    push();
  }
  void write(std::string_view text) {
    SSL_write(ssl, text.data(), static_cast<int>(text.size()));
    push();
  }
  void push() {
    char *data = nullptr;
    const long size = BIO_get_mem_data(SSL_get_wbio(ssl), &data);
    out_.append(data, static_cast<std::size_t>(size));
    BIO_reset(SSL_get_wbio(ssl));
    const int sent = out_.empty() || !socket_.valid() ? 0 : send_text(io_, socket_, out_);
    out_.erase(0, static_cast<std::size_t>(std::max(sent, 0)));
  }
  void close() {
    if (socket_.valid()) {
      io_.close(socket_);
    }
    socket_ = {};
  }
  void end() { io_.shutdown_send(socket_); }
  void send_raw(std::string_view bytes) { send_text(io_, socket_, bytes); }
  /// Sizes of the application data records that arrived, header included.
  std::vector<std::size_t> record_sizes(std::size_t from) const {
    std::vector<std::size_t> sizes;
    for (std::size_t at = from; at + 5 <= arrived.size();) {
      const auto high = static_cast<unsigned char>(arrived[at + 3]);
      const auto low = static_cast<unsigned char>(arrived[at + 4]);
      sizes.push_back(5U + high * 256U + low);
      at += sizes.back();
    }
    return sizes;
  }

  SSL_CTX *context;
  SSL *ssl = nullptr;
  std::string arrived; // ciphertext
  std::string plain;
  bool shaken = false;
  bool ended = false;
  bool reset = false;

private:
  Io &io_;
  Socket socket_;
  bool server_;
  std::size_t fed_ = 0;
  std::string out_;
};

/// A TLS link of ours on one end of a socket, a RawPeer on the other.
class RawTls : public testing::Test {
protected:
  void make(bool our_server, const std::function<void(RawPeer &)> &set_up = {}) {
    const Pair sockets = connected_pair(lab.world(), lab.shard().io);
    auto below = std::make_unique<TcpLink>(lab.shard(), sockets.client);
    link = our_server
               ? std::make_unique<TlsLink>(lab.shard(), std::move(below), *kit.server)
               : std::make_unique<TlsLink>(lab.shard(), std::move(below), *kit.client, kit.peer);
    raw = std::make_unique<RawPeer>(lab.shard().io, sockets.server, !our_server);
    if (!our_server) {
      raw->use(kit.made.server);
    }
    if (set_up) {
      set_up(*raw);
    }
  }
  /// Until our handshake has ended.
  int shake() {
    if (raw->ssl == nullptr) {
      raw->start();
    }
    link->handshake(shaken.completion);
    EXPECT_TRUE(until([&] { return shaken.done() && (shaken.result() != 0 || raw->shaken); }));
    return shaken.result();
  }
  bool until(const std::function<bool()> &predicate) {
    return lab.run_until([&] {
      raw->pump();
      return predicate();
    });
  }
  void read() {
    receiving.then = [this](int result) {
      Chunk chunk;
      while (result == 0 && link->take(chunk, {})) {
        text.append(reinterpret_cast<const char *>(chunk.data), chunk.size);
      }
      if (result == 0 && link->received_end() == nullptr) {
        link->receive(receiving.completion);
      }
    };
    link->receive(receiving.completion);
  }
  void write(std::string bytes) {
    bytes.insert(0, kHeadroom, ' ');
    link->send({reinterpret_cast<std::byte *>(bytes.data()) + kHeadroom, bytes.size() - kHeadroom,
                kHeadroom, ChunkKind::kBinary, true});
  }
  void finish() {
    link->finish(Ending::finished(), finished.completion);
    EXPECT_TRUE(until([&] { return finished.done(); }));
  }
  void TearDown() override {
    if (link != nullptr) {
      Event gone;
      link->drop(gone.completion);
      EXPECT_TRUE(lab.run_until([&] { return gone.done() && !ended.completion.in_flight(); }));
    }
    link.reset();
    raw.reset();
    EXPECT_TRUE(lab.run_until([&] { return lab.leaks().empty(); })) << lab.leaks();
  }

  LinkLab lab{make_uring_world()};
  TlsKit kit{lab.shard()};
  std::unique_ptr<TlsLink> link;
  std::unique_ptr<RawPeer> raw;
  Event shaken, receiving, finished, ended;
  std::string text;
};

} // namespace culvert::test
