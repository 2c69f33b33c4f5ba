#include "dns/responder.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <cerrno>
#include <openssl/rand.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>

namespace culvert::dns {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using boost::system::error_code;

/// Queries that wait for upstreams at one time. More are answered with SERVFAIL.
constexpr std::size_t kMostWaiting = 512;
/// TCP connections at one time. More are closed.
constexpr std::size_t kMostConnections = 64;
/// How long a TCP connection may take for a query and its answer (RFC 7766, section 6.2.3).
constexpr std::chrono::seconds kExchange{15};
constexpr std::size_t kLargestMessage = 65'535;
/// The nice value of the thread.
constexpr int kNice = 10;

auto telling(error_code &error) {
  return asio::redirect_error(asio::use_awaitable, error);
}

Status cannot_listen(const HostPort &where, const error_code &error) {
  std::string rest;
  if (error.value() == EADDRINUSE) {
    rest = "; another name server has it, or a culvert that runs with this file: stop it, or write "
           "another loopback address";
  } else if (error.value() == EACCES) {
    rest = "; ports below 1024 need the capability CAP_NET_BIND_SERVICE (or root)";
  }
  return Status::machine("dns bind " + where.text() + ": " + error.message() + rest);
}

/// A name that nobody else asks for, in a domain that does not exist (RFC 6761).
std::string probe_name() {
  std::array<unsigned char, 8> bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  std::string name = "culvert-";
  for (const unsigned char byte : bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    name += kDigits[byte >> 4U];
    name += kDigits[byte & 0xFU];
  }
  return name + ".invalid";
}

} // namespace

Result<std::unique_ptr<Responder>> Responder::start(const std::vector<HostPort> &binds, Log &log) {
  std::unique_ptr<Responder> responder(new Responder(log));
  for (const HostPort &where : binds) {
    if (Status status = responder->listen(where); !status.ok()) {
      return status;
    }
  }
  for (udp::socket &socket : responder->sockets_) {
    co_spawn(responder->context_, responder->serve_udp(socket), asio::detached);
  }
  for (tcp::acceptor &acceptor : responder->acceptors_) {
    co_spawn(responder->context_, responder->accept_tcp(acceptor), asio::detached);
  }
  responder->thread_ = std::thread([&context = responder->context_] {
    setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
    context.run();
  });
  return responder;
}

Responder::~Responder() {
  context_.stop();
  if (thread_.joinable()) {
    thread_.join();
  }
}

Status Responder::listen(const HostPort &where) {
  error_code error;
  const asio::ip::address address = asio::ip::make_address(where.host, error);
  const udp::endpoint place(address, where.port);
  udp::socket &socket = sockets_.emplace_back(context_);
  socket.open(place.protocol(), error);
  socket.bind(place, error);
  if (error) {
    return cannot_listen(where, error);
  }
  const tcp::endpoint same(address, socket.local_endpoint().port());
  tcp::acceptor &acceptor = acceptors_.emplace_back(context_);
  acceptor.open(same.protocol(), error);
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  acceptor.bind(same, error);
  if (!error) {
    acceptor.listen(asio::socket_base::max_listen_connections, error);
  }
  if (error) {
    return cannot_listen(where, error);
  }
  const HostPort bound{where.host, same.port(), ""};
  log_.write(LogLevel::kInfo, "answering DNS queries on " + bound.text(), {});
  return {};
}

void Responder::use(NameTable names, const std::vector<HostPort> &upstreams, std::uint32_t ttl_s) {
  asio::post(context_, [this, names = std::move(names), upstreams, ttl_s]() mutable {
    names_ = std::move(names);
    ttl_s_ = ttl_s;
    upstreams_ = std::make_shared<Upstreams>(upstreams);
    probes_.clear();
    for (std::size_t place = 0; place < upstreams.size(); ++place) {
      co_spawn(context_, probe(upstreams_, place), asio::detached);
    }
  });
}

Task<void> Responder::serve_udp(udp::socket &socket) {
  Message buffer(kLargestMessage);
  for (;;) {
    udp::endpoint client;
    error_code error;
    const std::size_t size =
        co_await socket.async_receive_from(asio::buffer(buffer), client, telling(error));
    if (error) {
      continue; // what an ICMP message says of an earlier answer
    }
    Decision decision = judge({buffer.data(), size});
    if (decision.answer) {
      co_await socket.async_send_to(asio::buffer(*decision.answer), client, telling(error));
    } else if (decision.query) {
      co_spawn(context_, answer_later(socket, client, std::move(*decision.query)), asio::detached);
    }
  }
}

Task<void> Responder::answer_later(udp::socket &socket, udp::endpoint client, Query query) {
  const Message answer = co_await forward(std::move(query), Way::kUdp);
  error_code error;
  co_await socket.async_send_to(asio::buffer(answer), client, telling(error));
}

Task<void> Responder::accept_tcp(tcp::acceptor &acceptor) {
  for (;;) {
    error_code error;
    tcp::socket socket = co_await acceptor.async_accept(telling(error));
    if (!error && connections_ < kMostConnections) {
      co_spawn(context_, serve_connection(std::move(socket)), asio::detached);
    }
  }
}

Task<void> Responder::serve_connection(tcp::socket socket) {
  ++connections_;
  bool open = true;
  while (open) {
    open = (co_await within(kExchange, exchange(socket))).has_value();
  }
  --connections_;
}

Task<std::optional<Message>> Responder::exchange(tcp::socket &socket) {
  std::optional<Message> message = co_await read_message(socket);
  if (!message) {
    co_return std::nullopt;
  }
  Decision decision = judge(*message);
  if (decision.query) {
    decision.answer = co_await forward(std::move(*decision.query), Way::kTcp);
  }
  if (!decision.answer || !co_await write_message(socket, *decision.answer)) {
    co_return std::nullopt;
  }
  co_return message;
}

Task<Message> Responder::forward(Query query, Way way) {
  if (waiting_ >= kMostWaiting) {
    co_return failure(query, Rcode::kServerFailure);
  }
  ++waiting_;
  const std::shared_ptr<Upstreams> upstreams = upstreams_;
  std::optional<Message> answer = co_await upstreams->ask(query, way);
  --waiting_;
  co_return answer ? std::move(*answer) : failure(query, Rcode::kServerFailure);
}

Decision Responder::judge(std::span<const std::uint8_t> message) {
  Decision decision = decide(message, names_, ttl_s_);
  if (decision.query) {
    if (const auto probe = probes_.find(decision.query->name); probe != probes_.end()) {
      say_loop(probe->second);
      upstreams_->leave_out(probe->second);
      probes_.erase(probe);
      decision.answer = failure(*decision.query, Rcode::kRefused);
      decision.query.reset();
    }
  }
  return decision;
}

Task<void> Responder::probe(std::shared_ptr<Upstreams> upstreams, std::size_t place) {
  const std::string name = probe_name();
  probes_.emplace(name, place);
  (void)co_await upstreams->ask_one(place, question(name), Way::kUdp);
  probes_.erase(name);
}

void Responder::say_loop(std::size_t place) {
  log_.write(LogLevel::kWarn,
             "a name server leads back to this responder, so it is not asked; write the network's "
             "own as upstreams",
             {{"upstream", upstreams_->addresses()[place]}});
}

} // namespace culvert::dns
