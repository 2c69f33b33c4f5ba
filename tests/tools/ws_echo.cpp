// ws_echo --bind H:P [--tls-cert F --tls-key F]: a WebSocket server that echoes every message with
// its type, with UTF-8 checked.
#include "io/uring/uring_io.hpp"
#include "link/tcp.hpp"
#include "tools/echo_connection.hpp"
#include "tools/stderr_log.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <list>

namespace culvert::tools {
namespace {

class EchoServer {
public:
  EchoServer(EchoLoop &loop, TlsContext *tls) : loop_(loop), tls_(tls) {
    accept_.bind<&EchoServer::on_accept>(*this);
  }
  Status listen(const Address &address) {
    const Result<Socket> socket = loop_.io->listen(address);
    if (!socket.ok()) {
      return socket.status();
    }
    listener_ = socket.value();
    loop_.io->accept(listener_, accept_);
    std::printf("listening on %s\n", loop_.io->local_address(listener_).value().text().c_str());
    std::fflush(stdout);
    return {};
  }
  [[noreturn]] void run() {
    for (;;) {
      loop_.round();
      connections_.remove_if([](const EchoConnection &one) { return one.over(); });
    }
  }

private:
  void on_accept(Outcome outcome) {
    if (outcome.result >= 0) {
      std::unique_ptr<Link> link = std::make_unique<TcpLink>(loop_.shard, Socket{outcome.result});
      TlsLink *tls = nullptr;
      if (tls_ != nullptr) {
        auto owned = std::make_unique<TlsLink>(loop_.shard, std::move(link), *tls_);
        tls = owned.get();
        link = std::move(owned);
      }
      connections_.emplace_back(loop_.shard, loop_.digests, std::move(link), tls).start();
    }
    if (!outcome.more) {
      loop_.io->accept(listener_, accept_);
    }
  }

  EchoLoop &loop_;
  TlsContext *tls_;
  Socket listener_;
  Completion accept_;
  std::list<EchoConnection> connections_;
};

int fail(const Status &status) {
  std::fprintf(stderr, "ws_echo: %s\n", status.message.c_str());
  return 1;
}

int run(const std::string &bind, const std::string &certificate, const std::string &key) {
  const std::optional<Address> address = parse_address(bind, 0);
  if (!address) {
    return fail(Status::config("--bind wants an address and a port, such as 127.0.0.1:9001"));
  }
  StderrLog log;
  Result<std::unique_ptr<Io>> io = make_uring_io(log);
  if (!io.ok()) {
    return fail(io.status());
  }
  EchoLoop loop(log, std::move(io.value()));
  const TlsTickets tickets(loop.random);
  std::unique_ptr<TlsContext> tls;
  if (!certificate.empty()) {
    const Result<Credentials> credentials = load_credentials(certificate, key, loop.io->wall_s());
    if (!credentials.ok()) {
      return fail(credentials.status());
    }
    TlsServerOptions options;
    options.credentials = &credentials.value();
    options.tickets = &tickets;
    Result<std::unique_ptr<TlsContext>> made = TlsContext::server(*loop.io, options);
    if (!made.ok()) {
      return fail(made.status());
    }
    tls = std::move(made.value());
  }
  EchoServer server(loop, tls.get());
  const Status status = server.listen(*address);
  if (!status.ok()) {
    return fail(status);
  }
  server.run();
}

} // namespace
} // namespace culvert::tools

int main(int argc, char **argv) {
  CLI::App app("Echoes every WebSocket message with its type.");
  std::string bind;
  std::string certificate;
  std::string key;
  app.add_option("--bind", bind, "address and port")->required();
  CLI::Option *with_key = app.add_option("--tls-key", key, "PEM file");
  app.add_option("--tls-cert", certificate, "PEM file")->needs(with_key);
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGPIPE, SIG_IGN);
  return culvert::tools::run(bind, certificate, key);
}
