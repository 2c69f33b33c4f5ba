#include "dns/upstreams.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <ldns/ldns.h>
#include <memory>
#include <openssl/rand.h>

namespace culvert::dns {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using boost::system::error_code;

/// How long one upstream may take. The resolver of the C library waits 5 s for all of them.
constexpr std::chrono::milliseconds kUpstreamPatience{2'000};
/// How long one that has not answered comes last.
constexpr std::chrono::seconds kSilentFor{10};
constexpr std::size_t kMostAsked = 3; // for one query
constexpr std::uint16_t kDnsPort = 53;
/// systemd-resolved listens at 127.0.0.53 and 127.0.0.54.
constexpr std::array<const char *, 2> kResolved{"127.0.0.53", "127.0.0.54"};

auto telling(error_code &error) {
  return asio::redirect_error(asio::use_awaitable, error);
}

std::uint16_t random_id() {
  std::uint16_t id = 0;
  RAND_bytes(reinterpret_cast<unsigned char *>(&id), sizeof id);
  return id;
}

/// On a port of its own, so that a forger of answers must guess the port, too. The caller waits,
/// and keeps what it passes.
Task<std::optional<Message>> ask_udp(const udp::endpoint &upstream, const Query &query) {
  udp::socket socket(co_await asio::this_coro::executor);
  error_code error;
  socket.connect(upstream, error); // opens it, too
  if (!error) {
    co_await socket.async_send(asio::buffer(query.bytes), telling(error));
  }
  Message answer(query.answer_size + 1); // one that fills it is too large for the client
  while (!error) {
    const std::size_t size = co_await socket.async_receive(asio::buffer(answer), telling(error));
    if (!error && is_answer(query, {answer.data(), size})) {
      answer.resize(size);
      co_return size > query.answer_size ? truncated(query) : std::move(answer);
    }
  }
  co_return std::nullopt;
}

Task<std::optional<Message>> ask_tcp(const tcp::endpoint &upstream, const Query &query) {
  tcp::socket socket(co_await asio::this_coro::executor);
  error_code error;
  co_await socket.async_connect(upstream, telling(error));
  if (error || !co_await write_message(socket, query.bytes)) {
    co_return std::nullopt;
  }
  std::optional<Message> answer = co_await read_message(socket);
  if (answer && !is_answer(query, *answer)) {
    answer.reset();
  }
  co_return answer;
}

struct FreeResolver {
  void operator()(ldns_resolver *resolver) const { ldns_resolver_deep_free(resolver); }
};

Result<std::vector<HostPort>> upstreams_of_file(const std::string &path) {
  ldns_resolver *made = nullptr;
  const ldns_status status = ldns_resolver_new_frm_file(&made, path.c_str());
  const std::unique_ptr<ldns_resolver, FreeResolver> resolver(made);
  if (status != LDNS_STATUS_OK) {
    return Status::machine("cannot read the name servers of " + path + ": " +
                           ldns_get_errorstr_by_id(status) + "; write upstreams");
  }
  std::vector<HostPort> found;
  for (std::size_t i = 0; i < ldns_resolver_nameserver_count(resolver.get()); ++i) {
    char *text = ldns_rdf2str(ldns_resolver_nameservers(resolver.get())[i]);
    found.push_back({text, kDnsPort, ""});
    LDNS_FREE(text);
  }
  return found;
}

} // namespace

Task<std::optional<Message>> read_message(tcp::socket &socket) {
  std::array<std::uint8_t, 2> size{};
  error_code error;
  co_await asio::async_read(socket, asio::buffer(size), telling(error));
  Message message(static_cast<std::size_t>(size[0]) << 8U | size[1]);
  if (!error) {
    co_await asio::async_read(socket, asio::buffer(message), telling(error));
  }
  if (error) {
    co_return std::nullopt;
  }
  co_return message;
}

Task<bool> write_message(tcp::socket &socket, const Message &message) {
  const std::array<std::uint8_t, 2> size{static_cast<std::uint8_t>(message.size() >> 8U),
                                         static_cast<std::uint8_t>(message.size())};
  const std::array<asio::const_buffer, 2> both{asio::buffer(size), asio::buffer(message)};
  error_code error;
  co_await asio::async_write(socket, both, telling(error));
  co_return !error;
}

Task<std::optional<Message>> within(std::chrono::milliseconds patience,
                                    Task<std::optional<Message>> task) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(co_await asio::this_coro::executor, patience);
  error_code ended;
  auto first = co_await (std::move(task) || timer.async_wait(telling(ended)));
  if (first.index() == 0) {
    co_return std::get<0>(std::move(first));
  }
  co_return std::nullopt;
}

Result<std::vector<HostPort>> system_upstreams(const std::string &resolv_conf,
                                               const std::string &of_resolved) {
  Result<std::vector<HostPort>> found = upstreams_of_file(resolv_conf);
  const auto is_resolved = [](const HostPort &upstream) {
    return std::find(kResolved.begin(), kResolved.end(), upstream.host) != kResolved.end();
  };
  if (found.ok() && std::any_of(found.value().begin(), found.value().end(), is_resolved)) {
    found = upstreams_of_file(of_resolved);
  }
  return found;
}

Upstreams::Upstreams(const std::vector<HostPort> &addresses) {
  for (const HostPort &each : addresses) {
    error_code error;
    Upstream &upstream = all_.emplace_back();
    upstream.address = asio::ip::make_address(each.host, error);
    upstream.port = each.port == 0 ? kDnsPort : each.port;
    upstream.left_out = static_cast<bool>(error);
  }
}

Task<std::optional<Message>> Upstreams::ask(const Query &query, Way way) {
  std::optional<Message> failed;
  for (const std::size_t place : order()) {
    std::optional<Message> answer = co_await ask_one(place, query, way);
    if (!answer) {
      continue;
    }
    const Rcode rcode = rcode_of(*answer);
    if (rcode != Rcode::kServerFailure && rcode != Rcode::kRefused) {
      co_return answer;
    }
    failed = std::move(answer);
  }
  co_return failed;
}

Task<std::optional<Message>> Upstreams::ask_one(std::size_t place, Query query, Way way) {
  const std::uint16_t asked_with = id_of(query.bytes);
  query.bytes = with_id(std::move(query.bytes), random_id());
  const udp::endpoint udp_place(all_[place].address, all_[place].port);
  const tcp::endpoint tcp_place(all_[place].address, all_[place].port);
  Task<std::optional<Message>> asking =
      way == Way::kUdp ? ask_udp(udp_place, query) : ask_tcp(tcp_place, query);
  std::optional<Message> answer = co_await within(kUpstreamPatience, std::move(asking));
  all_[place].silent_until = answer ? std::chrono::steady_clock::time_point{}
                                    : std::chrono::steady_clock::now() + kSilentFor;
  if (answer) {
    answer = with_id(std::move(*answer), asked_with);
  }
  co_return answer;
}

std::vector<std::string> Upstreams::addresses() const {
  std::vector<std::string> texts;
  for (const Upstream &each : all_) {
    texts.push_back(HostPort{each.address.to_string(), each.port, ""}.text());
  }
  return texts;
}

std::vector<std::size_t> Upstreams::order() const {
  const auto now = std::chrono::steady_clock::now();
  std::vector<std::size_t> places;
  for (const bool silent : {false, true}) {
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (!all_[i].left_out && (all_[i].silent_until > now) == silent) {
        places.push_back(i);
      }
    }
  }
  places.resize(std::min(places.size(), kMostAsked));
  return places;
}

} // namespace culvert::dns
