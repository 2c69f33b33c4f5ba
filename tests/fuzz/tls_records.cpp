// A TLS session between two of our links, whose bytes are cut, changed, dropped or doubled on the
// way. What one side reads is a beginning of what the other wrote; an end without close_notify is
// never a clean one; and where nothing was touched everything arrives.
//
// Input: pairs of bytes, an action and its size. All random bytes come from one seed.
#include "link_world.hpp"

#include "link/tls.hpp"
#include "sim/seeded_openssl.hpp"

#include <array>

using namespace culvert;
using namespace culvert::fuzz;

namespace {

constexpr std::size_t kMostActions = 64;
constexpr std::int64_t kDaySec = 86'400;

/// Certificates and contexts of the whole run; nothing is resumed, so each input starts the same.
struct Kit {
  Kit() {
    Io &io = LinkWorld::get().shard.io;
    SeededRandom random(1);
    ThrowAwayOptions options;
    options.names = {"relay.test"};
    options.kind = KeyKind::kEd25519;
    options.not_before_s = io.wall_s() - kDaySec;
    options.not_after_s = io.wall_s() + 100'000 * kDaySec;
    options.seed = &random;
    const ThrowAway made = std::move(make_throw_away(options).value());
    TlsServerOptions server_options;
    server_options.credentials = &made.server;
    server = std::move(TlsContext::server(io, server_options).value());
    TlsClientOptions client_options;
    client_options.authorities_pem = made.authority_pem;
    client_options.resume = false;
    client = std::move(TlsContext::client(io, client_options).value());
    peer.host = "relay.test";
    peer.port = 443;
  }
  static Kit &get() {
    static Kit &kit = *new Kit;
    return kit;
  }
  std::unique_ptr<TlsContext> server;
  std::unique_ptr<TlsContext> client;
  TlsPeer peer;
};

/// One end of the session, and the way from it to the other end.
struct End {
  End(MemoryLink::Pair pair, bool server) : wire(std::move(pair.second)) {
    Kit &kit = Kit::get();
    Shard &shard = LinkWorld::get().shard;
    link = server ? std::make_unique<TlsLink>(shard, std::move(pair.first), *kit.server)
                  : std::make_unique<TlsLink>(shard, std::move(pair.first), *kit.client, kit.peer);
    shaken.bind<&End::on_shaken>(*this);
    link->handshake(shaken);
    out.emplace(*wire);
  }
  void on_shaken(Outcome outcome) {
    ready = outcome.result == 0;
    must(ready || !link->failure().ok());
    if (ready) {
      reader.emplace(*link);
    }
  }
  [[nodiscard]] bool writes() const {
    return ready && !finished && !link->broken() && link->held() == 0;
  }
  void write(std::size_t size) {
    constexpr std::size_t kPrime = 251; // so that no two records are the same
    std::string text(kHeadroom + size, ' ');
    for (std::size_t i = 0; i < size; ++i) {
      text[kHeadroom + i] = static_cast<char>((sent.size() + i) % kPrime);
    }
    sent += text.substr(kHeadroom);
    for (std::size_t at = 0; at < size; at += kRecordBytes) {
      auto *data = reinterpret_cast<std::byte *>(text.data()) + kHeadroom + at;
      link->send({data, std::min(kRecordBytes, size - at), kHeadroom});
    }
    link->flush();
  }
  [[nodiscard]] std::size_t waiting() const { return out->bytes.size() - passed; }
  [[nodiscard]] bool ended_clean() const {
    return reader && reader->end() != nullptr && !reader->end()->aborted;
  }
  void drop() {
    LinkWorld::get().drop(std::move(link));
    LinkWorld::get().drop(std::move(wire));
  }

  std::unique_ptr<TlsLink> link;
  std::unique_ptr<Link> wire;
  Completion shaken;
  bool ready = false;
  bool finished = false;
  bool closed = false; // the other end has no more bytes to come
  std::string sent;
  std::optional<LinkReader> out;    // the ciphertext
  std::optional<LinkReader> reader; // the plaintext
  std::size_t passed = 0;           // of the ciphertext
};

class Session {
public:
  Session() {
    ends_[0].emplace(MemoryLink::make_pair(LinkWorld::get().shard), false);
    ends_[1].emplace(MemoryLink::make_pair(LinkWorld::get().shard), true);
    settle();
  }
  /// An action's highest bit says whose it is, the lowest three what it does.
  void act(std::uint8_t action, std::uint8_t size);
  void end();

private:
  void settle() {
    LinkWorld::get().settle();
    check();
  }
  void check() const {
    for (std::size_t i = 0; i < ends_.size(); ++i) {
      const End &from = *ends_[i];
      const End &to = *ends_[1 - i];
      const std::string_view read = to.reader ? std::string_view(to.reader->bytes) : "";
      must(std::string_view(from.sent).starts_with(read));
      must(!to.ended_clean() || (from.finished && read.size() == from.sent.size()));
    }
  }
  void pass(std::size_t from, std::size_t size);
  void pass_all() {
    while (ends_[0]->waiting() > 0 || ends_[1]->waiting() > 0) {
      pass(0, SIZE_MAX);
      pass(1, SIZE_MAX);
    }
  }
  void close(std::size_t from);

  std::array<std::optional<End>, 2> ends_;
  bool touched_ = false;
};

void Session::pass(std::size_t from, std::size_t size) {
  End &end = *ends_[from];
  size = std::min(size, end.waiting());
  if (size > 0 && !end.closed) {
    send_bytes(*ends_[1 - from]->wire, end.out->bytes.substr(end.passed, size));
  }
  end.passed += size;
  settle();
}

/// A FIN on the way to the other end; one that does not read any more gets none.
void Session::close(std::size_t from) {
  Link &wire = *ends_[1 - from]->wire;
  if (!ends_[from]->closed && wire.held() == 0) {
    finish(wire);
    check();
  }
  ends_[from]->closed = true;
}

void Session::act(std::uint8_t action, std::uint8_t size) {
  enum { kPass, kPassAll, kWrite, kFinish, kChange, kDrop, kDouble, kClose };
  const std::size_t from = action >> 7U;
  End &end = *ends_[from];
  const std::size_t at = end.passed + size;
  const bool there = at < end.out->bytes.size();
  touched_ = touched_ || (action & 4U) != 0;
  switch (action & 7U) {
  case kPass:
    return pass(from, size + 1U);
  case kPassAll:
    return pass_all();
  case kWrite:
    if (end.writes()) {
      end.write(1U + size * size / 3U); // 1 byte to two records
    }
    return settle();
  case kFinish:
    if (end.writes()) {
      end.finished = true;
      finish(*end.link);
    }
    return settle();
  case kChange:
    if (there) {
      end.out->bytes[at] = static_cast<char>(end.out->bytes[at] ^ (1U << (action >> 3U & 7U)));
    }
    return;
  case kDrop:
    if (there) {
      end.out->bytes.erase(at, 1);
    }
    return;
  case kDouble:
    if (there) {
      end.out->bytes.insert(at, 1, end.out->bytes[at]);
    }
    return;
  default:
    return close(from);
  }
}

void Session::end() {
  pass_all();
  if (!touched_) {
    for (std::size_t i = 0; i < ends_.size(); ++i) {
      const End &to = *ends_[1 - i];
      must(to.ready && to.reader->bytes == ends_[i]->sent);
      must(to.ended_clean() == ends_[i]->finished);
    }
  }
  close(0);
  close(1);
  for (const auto &end : ends_) {
    must(!end->shaken.in_flight() && (!end->ready || end->reader->end() != nullptr));
  }
  ends_[0]->drop();
  ends_[1]->drop();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  Kit::get(); // made before, so that every input gets the same random bytes
  simtest::seed_openssl(1);
  Session session;
  for (std::size_t i = 0; i + 1 < size && i < 2 * kMostActions; i += 2) {
    session.act(data[i], data[i + 1]);
  }
  session.end();
  LinkWorld::get().check_empty();
  return 0;
}
