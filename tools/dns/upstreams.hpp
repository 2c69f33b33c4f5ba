// The name servers that a responder asks what it does not answer itself.
//
// One thread: that of its event loop. The functions may be called from anywhere.
#pragma once

#include "culvert/config.hpp"
#include "culvert/status.hpp"
#include "dns/messages.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace culvert::dns {

template <typename Result> using Task = boost::asio::awaitable<Result>;

/// How a query came, and how it goes on.
enum class Way : std::uint8_t { kUdp, kTcp };

/// One message of a TCP connection: RFC 1035, section 4.2.2. Nothing: the connection has ended.
Task<std::optional<Message>> read_message(boost::asio::ip::tcp::socket &socket);
/// False: the connection has ended.
Task<bool> write_message(boost::asio::ip::tcp::socket &socket, const Message &message);
/// The result of the task, or nothing when it takes longer.
Task<std::optional<Message>> within(std::chrono::milliseconds patience,
                                    Task<std::optional<Message>> task);

/// The name servers of this system: those of resolv.conf or, where it names systemd-resolved's own
/// address, those that systemd-resolved asks. A failure says what is wrong with the files.
Result<std::vector<HostPort>>
system_upstreams(const std::string &resolv_conf = "/etc/resolv.conf",
                 const std::string &of_resolved = "/run/systemd/resolve/resolv.conf");

class Upstreams {
public:
  /// Addresses, not names.
  explicit Upstreams(const std::vector<HostPort> &addresses);

  /// Asks one after the other until one answers without SERVFAIL or REFUSED; those that have not
  /// answered of late come last. Nothing: none has answered; else the last failure.
  Task<std::optional<Message>> ask(const Query &query, Way way);
  /// Asks the one at this place of addresses().
  Task<std::optional<Message>> ask_one(std::size_t place, Query query, Way way);
  [[nodiscard]] std::vector<std::string> addresses() const;
  /// It is asked no more.
  void leave_out(std::size_t place) { all_[place].left_out = true; }

private:
  struct Upstream {
    boost::asio::ip::address address;
    std::uint16_t port = 0;
    bool left_out = false;
    std::chrono::steady_clock::time_point silent_until; // it comes last until then
  };

  [[nodiscard]] std::vector<std::size_t> order() const;

  std::vector<Upstream> all_;
};

} // namespace culvert::dns
