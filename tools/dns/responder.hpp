// The DNS responder: it leads redirected names to their loopback addresses and asks the system's
// own name servers all else.
//
// A thread of its own, with less of the processor than the event loops where there is not enough,
// and bounds of its own: however many queries come, tunnels do not wait for it. The public
// functions may be called from any thread.
#pragma once

#include "culvert/log.hpp"
#include "dns/upstreams.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace culvert::dns {

class Responder {
public:
  /// Listens at these loopback addresses, over UDP and TCP. An error names the address and what to
  /// do.
  static Result<std::unique_ptr<Responder>> start(const std::vector<HostPort> &binds, Log &log);
  Responder(const Responder &) = delete;
  Responder &operator=(const Responder &) = delete;
  /// Queries that wait get no answer.
  ~Responder();

  /// From now on; what waits for an upstream goes on. An upstream that leads back to this responder
  /// is left out, and the log says so.
  void use(NameTable names, const std::vector<HostPort> &upstreams, std::uint32_t ttl_s);

private:
  explicit Responder(Log &log) : log_(log) {}
  Status listen(const HostPort &where);
  Task<void> serve_udp(boost::asio::ip::udp::socket &socket);
  Task<void> accept_tcp(boost::asio::ip::tcp::acceptor &acceptor);
  Task<void> serve_connection(boost::asio::ip::tcp::socket socket);
  /// One query and its answer; nothing: the connection has ended.
  Task<std::optional<Message>> exchange(boost::asio::ip::tcp::socket &socket);
  Task<void> answer_later(boost::asio::ip::udp::socket &socket,
                          boost::asio::ip::udp::endpoint client, Query query);
  /// What an upstream says, or SERVFAIL.
  Task<Message> forward(Query query, Way way);
  /// The answer that needs no upstream; nothing: ask one, or send nothing.
  Decision judge(std::span<const std::uint8_t> message);
  Task<void> probe(std::shared_ptr<Upstreams> upstreams, std::size_t place);
  void say_loop(std::size_t place);

  Log &log_;
  boost::asio::io_context context_{1};
  std::list<boost::asio::ip::udp::socket> sockets_;
  std::list<boost::asio::ip::tcp::acceptor> acceptors_;
  std::shared_ptr<Upstreams> upstreams_ = std::make_shared<Upstreams>(std::vector<HostPort>{});
  NameTable names_{{}};
  std::uint32_t ttl_s_ = 0;
  std::size_t waiting_ = 0;                   // for an upstream
  std::size_t connections_ = 0;               // of TCP
  std::map<std::string, std::size_t> probes_; // under way: the name, and the upstream's place
  std::thread thread_;
};

} // namespace culvert::dns
