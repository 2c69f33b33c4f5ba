#include "channel.hpp"

#include "../names/hosts_file.hpp"
#include "../names/table.hpp"

#include <arpa/inet.h>
#include <array>
#include <fstream>
#include <utility>

namespace dns {
namespace {

using culvert::sdk::Error;

constexpr std::size_t kMostServers = 16;

/// "ADDR" or "ADDR:PORT"; IPv6 in brackets if it has a port.
bool is_server(const std::string &text) {
  const std::size_t colon = text.rfind(':');
  const bool port = colon != std::string::npos &&
                    (text.find(':') == colon || (colon > 0 && text[colon - 1] == ']'));
  if (port) {
    const std::string digits = text.substr(colon + 1);
    if (digits.empty() || digits.size() > 5 ||
        digits.find_first_not_of("0123456789") != std::string::npos || std::stoi(digits) < 1 ||
        std::stoi(digits) > 65'535) {
      return false;
    }
  }
  return names::parse_literal(text.substr(0, port ? colon : std::string::npos)).has_value();
}

[[noreturn]] void fail(const std::string &message, culvert_source source) {
  throw Error(CULVERT_CONFIG, source, CULVERT_RETRY_NEVER, message);
}

void must(int status, const char *what) {
  if (status != ARES_SUCCESS) {
    fail(std::string("cannot ") + what + ": " + ares_strerror(status), CULVERT_SOURCE_LOCAL);
  }
}

std::string joined(const std::vector<std::string> &parts) {
  std::string all;
  for (const std::string &part : parts) {
    all += (all.empty() ? "" : ",") + part;
  }
  return all;
}

std::string text_of(const ares_addr_port_node &server) {
  std::array<char, INET6_ADDRSTRLEN> address{};
  const bool six = server.family == AF_INET6;
  ares_inet_ntop(server.family,
                 six ? static_cast<const void *>(&server.addr.addr6)
                     : static_cast<const void *>(&server.addr.addr4),
                 address.data(), address.size());
  const int port = server.udp_port == 0 ? 53 : server.udp_port;
  return (six ? "[" + std::string(address.data()) + "]" : std::string(address.data())) + ":" +
         std::to_string(port);
}

} // namespace

void Channel::check(const ServerSettings &settings) {
  for (const std::string &server : settings.servers) {
    if (!is_server(server)) {
      fail("the servers entry " + server.substr(0, 100) +
               " is no address; write ADDR or ADDR:PORT, with IPv6 in brackets",
           CULVERT_SOURCE_CONFIG);
    }
  }
  if (settings.servers.size() > kMostServers) {
    fail("there are more than " + std::to_string(kMostServers) + " servers", CULVERT_SOURCE_CONFIG);
  }
  if (settings.timeout_ms < 100 || settings.timeout_ms > 60'000) {
    fail("timeout_ms is " + std::to_string(settings.timeout_ms) + "; write 100 to 60000",
         CULVERT_SOURCE_CONFIG);
  }
  if (settings.tries < 1 || settings.tries > 10) {
    fail("tries is " + std::to_string(settings.tries) + "; write 1 to 10", CULVERT_SOURCE_CONFIG);
  }
}

Channel::Channel(culvert::sdk::Host host, const ServerSettings &settings,
                 void (*ended)(void *owner), void *owner)
    : host_(host), on_ended_(ended), owner_(owner) {
  std::string resolv_conf = settings.resolv_conf;
  names::refuse_pipe(resolv_conf, "resolv_conf");
  ares_options options{};
  int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB | ARES_OPT_RESOLVCONF;
  options.timeout = settings.timeout_ms;
  options.tries = settings.tries;
  options.sock_state_cb = &Channel::on_socket;
  options.sock_state_cb_data = this;
  options.resolvconf_path = resolv_conf.data();
#ifdef ARES_OPT_QUERY_CACHE
  mask |= ARES_OPT_QUERY_CACHE; // this plugin's cache knows what is fresh
  options.qcache_max_ttl = 0;
#endif
  must(ares_init_options(&channel_, &options, mask), "read the system's DNS settings");
  if (!settings.servers.empty()) {
    must(ares_set_servers_ports_csv(channel_, joined(settings.servers).c_str()),
         "use the DNS servers");
  }
  std::ifstream file(settings.resolv_conf); // one that is missing names nothing
  search_ = Search::read(file);
}

Channel::~Channel() {
  host_.cancel_timer(timeout_);
  ares_destroy(channel_); // ends every query, and with it the watches of each socket
}

void Channel::ask(Query &query, const std::string &name) {
  query.ended = false;
  query.channel = this;
  constexpr int kInternet = 1;
  constexpr int kTypeA = 1;
  constexpr int kTypeAaaa = 28;
  ares_query(channel_, name.c_str(), kInternet, query.type == Type::kA ? kTypeA : kTypeAaaa,
             &Channel::on_answer, &query);
  set_timer();
}

std::string Channel::servers() const {
  std::string all;
  ares_addr_port_node *first = nullptr;
  if (ares_get_servers_ports(channel_, &first) == ARES_SUCCESS) {
    for (const auto *server = first; server != nullptr; server = server->next) {
      all += (all.empty() ? "" : ", ") + text_of(*server);
    }
    ares_free_data(first);
  }
  return all;
}

// --- what c-ares calls ---------------------------------------------------------------------------

void Channel::on_answer(void *query, int status, int /*timeouts*/, unsigned char *bytes, int size) {
  auto &ended = *static_cast<Query *>(query);
  if (status == ARES_EDESTRUCTION) {
    return; // its owner may be gone, too
  }
  const std::size_t length = bytes == nullptr || size < 0 ? 0 : static_cast<std::size_t>(size);
  ended.answer = read_answer(ended.type, status, {bytes, length});
  ended.ended = true;
  ended.channel->ended_.push_back(&ended);
}

void Channel::on_socket(void *self, ares_socket_t descriptor, int readable, int writable) {
  auto &channel = *static_cast<Channel *>(self);
  auto &socket = channel.sockets_[descriptor];
  if (socket == nullptr) {
    socket = std::make_unique<Socket>(Socket{&channel, descriptor, {}, {}});
  }
  socket->wanted[CULVERT_READABLE] = readable != 0;
  socket->wanted[CULVERT_WRITABLE] = writable != 0;
  channel.watch(*socket);
  if (readable == 0 && writable == 0) {
    channel.sockets_.erase(descriptor); // c-ares closes it behind this
  }
}

// --- what the host calls -------------------------------------------------------------------------

void Channel::Socket::ready(culvert_interest interest) {
  watches[interest] = 0;
  channel->process(interest == CULVERT_READABLE ? descriptor : ARES_SOCKET_BAD,
                   interest == CULVERT_WRITABLE ? descriptor : ARES_SOCKET_BAD);
}

void Channel::on_timeout() {
  timeout_ = 0;
  process(ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

/// Lets c-ares work, and then waits for what it waits for.
void Channel::process(int readable, int writable) {
  ares_process_fd(channel_, readable, writable);
  for (const auto &[descriptor, socket] : sockets_) {
    watch(*socket);
  }
  set_timer();
  if (!ended_.empty()) {
    on_ended_(owner_); // this may be gone behind it
  }
}

/// Starts and cancels its watches, so that they are what c-ares wants.
void Channel::watch(Socket &socket) {
  for (const culvert_interest interest : {CULVERT_READABLE, CULVERT_WRITABLE}) {
    std::uint64_t &number = socket.watches[interest];
    if (!socket.wanted[interest]) {
      host_.cancel_watch(std::exchange(number, 0));
    } else if (number == 0 && interest == CULVERT_READABLE) {
      number = host_.watch<&Socket::on_readable>(socket.descriptor, interest, socket);
    } else if (number == 0) {
      number = host_.watch<&Socket::on_writable>(socket.descriptor, interest, socket);
    }
  }
}

void Channel::set_timer() {
  host_.cancel_timer(std::exchange(timeout_, 0));
  timeval left{};
  if (ares_timeout(channel_, nullptr, &left) != nullptr) {
    constexpr std::uint64_t kUsPerMs = 1'000;
    const std::uint64_t delay_ms =
        static_cast<std::uint64_t>(left.tv_sec) * 1'000 +
        (static_cast<std::uint64_t>(left.tv_usec) + kUsPerMs - 1) / kUsPerMs;
    timeout_ = host_.timer<&Channel::on_timeout>(delay_ms, *this);
  }
}

} // namespace dns
