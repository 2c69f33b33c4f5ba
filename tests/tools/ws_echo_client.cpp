// ws_echo_client URL [--ca F]: connects to ws:// or wss://, path and query as given, echoes every
// message with its type until the peer closes, then exits.
#include "io/uring/uring_io.hpp"
#include "link/tcp.hpp"
#include "tools/echo_connection.hpp"
#include "tools/stderr_log.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>

namespace culvert::tools {
namespace {

int fail(const std::string &message) {
  std::fprintf(stderr, "ws_echo_client: %s\n", message.c_str());
  return 1;
}

struct Connect {
  Connect() { completion.bind<&Connect::on_outcome>(*this); }
  void on_outcome(Outcome outcome) { result = outcome.result; }
  Completion completion;
  int result = 1;
};

Result<std::unique_ptr<TlsContext>> make_context(Io &io, const std::string &authorities) {
  TlsClientOptions options;
  if (!authorities.empty()) {
    const Result<std::string> pem = load_authorities(authorities);
    if (!pem.ok()) {
      return pem.status();
    }
    options.authorities_pem = pem.value();
  }
  return TlsContext::client(io, options);
}

int echo(EchoLoop &loop, std::unique_ptr<Link> link, TlsLink *tls, EchoRequest request) {
  EchoConnection connection(loop.shard, loop.digests, std::move(link), tls, std::move(request));
  connection.start();
  while (!connection.over()) {
    loop.round();
  }
  return connection.status().ok() ? 0 : fail(connection.status().message);
}

int run(const std::string &url, const std::string &authorities) {
  const bool secure = url.rfind("wss://", 0) == 0;
  if (!secure && url.rfind("ws://", 0) != 0) {
    return fail("the URL begins with ws:// or wss://");
  }
  const std::string rest = url.substr(secure ? 6 : 5);
  const std::size_t slash = std::min(rest.find_first_of("/?"), rest.size());
  const std::string authority = rest.substr(0, slash);
  std::string target = rest.substr(slash);
  if (target.empty() || target.front() != '/') {
    target.insert(0, "/");
  }
  const std::optional<Address> address = parse_address(authority, secure ? 443 : 80);
  if (!address) {
    return fail("the host is an IP literal or localhost");
  }
  StderrLog log;
  Result<std::unique_ptr<Io>> io = make_uring_io(log);
  if (!io.ok()) {
    return fail(io.status().message);
  }
  EchoLoop loop(log, std::move(io.value()));
  const Result<Socket> socket = loop.io->open(*address);
  if (!socket.ok()) {
    return fail(socket.status().message);
  }
  Connect connect;
  loop.io->connect(socket.value(), *address, connect.completion);
  while (connect.completion.in_flight()) {
    loop.round();
  }
  if (connect.result != 0) {
    loop.io->close(socket.value());
    return fail("cannot connect to " + address->text());
  }
  std::unique_ptr<Link> link = std::make_unique<TcpLink>(loop.shard, socket.value());
  if (!secure) {
    return echo(loop, std::move(link), nullptr, {authority, target});
  }
  const Result<std::unique_ptr<TlsContext>> context = make_context(*loop.io, authorities);
  if (!context.ok()) {
    return fail(context.status().message);
  }
  TlsPeer peer;
  peer.host = authority.rfind("localhost", 0) == 0 ? "localhost" : address->host();
  peer.port = address->port;
  auto tls = std::make_unique<TlsLink>(loop.shard, std::move(link), *context.value(), peer);
  TlsLink *raw = tls.get();
  return echo(loop, std::move(tls), raw, {authority, target});
}

} // namespace
} // namespace culvert::tools

int main(int argc, char **argv) {
  CLI::App app("Echoes every WebSocket message with its type until the peer closes.");
  std::string url;
  std::string authorities;
  app.add_option("url", url, "ws:// or wss://")->required();
  app.add_option("--ca", authorities, "PEM bundle to trust instead of the system's");
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  return culvert::tools::run(url, authorities);
}
