// c-ares with the host's event loop: questions to DNS servers, their sockets and timeouts.
//
// Belongs to one instance. A query ends once, with its answer; the answers are handed out by
// take_ended() and never inside ask(). Its sockets are c-ares' own; each has at most two watches,
// which are cancelled before c-ares closes it.
#pragma once

#include "answer.hpp"
#include "ares.hpp"
#include "search.hpp"

#include "culvert/plugin.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace dns {

/// The settings of the plugin that concern servers.
struct ServerSettings {
  std::vector<std::string> servers; // ADDR or ADDR:PORT; empty: those of resolv_conf
  std::string resolv_conf;
  int timeout_ms = 0; // of the first try; each further one waits longer
  int tries = 0;      // at each server
};

/// One question under way. Its owner keeps it in place until it has ended or the channel is gone.
struct Query {
  Type type = Type::kA;
  bool ended = true;
  Answer answer; // when it has ended
  void *owner = nullptr;
  class Channel *channel = nullptr;
};

class Channel {
public:
  /// Throws an sdk::Error that says which setting is wrong.
  static void check(const ServerSettings &settings);

  /// `ended`: called from the loop when queries have ended, and never inside ask().
  Channel(culvert::sdk::Host host, const ServerSettings &settings, void (*ended)(void *owner),
          void *owner);
  Channel(const Channel &) = delete;
  Channel &operator=(const Channel &) = delete;
  ~Channel();

  /// The names to ask for in turn, because of the search domains.
  [[nodiscard]] std::vector<std::string> candidates(const std::string &name) const {
    return search_.candidates(name);
  }
  /// The query must have ended, and its type be set.
  void ask(Query &query, const std::string &name);
  /// Those that have ended since the last call.
  std::vector<Query *> take_ended() { return std::exchange(ended_, {}); }
  /// "10.0.0.2:53, [::1]:53", for a message.
  [[nodiscard]] std::string servers() const;

private:
  struct Socket {
    void on_readable() { ready(CULVERT_READABLE); }
    void on_writable() { ready(CULVERT_WRITABLE); }
    void ready(culvert_interest interest);

    Channel *channel;
    int descriptor;
    bool wanted[2]; // by culvert_interest
    std::uint64_t watches[2];
  };

  static void on_socket(void *self, ares_socket_t descriptor, int readable, int writable);
  static void on_answer(void *query, int status, int timeouts, unsigned char *bytes, int size);
  void on_timeout();
  void watch(Socket &socket);
  void process(int readable, int writable);
  void set_timer();

  const culvert::sdk::Host host_;
  void (*const on_ended_)(void *owner);
  void *const owner_;
  ares_channel channel_ = nullptr;
  Search search_;
  std::map<int, std::unique_ptr<Socket>> sockets_;
  std::uint64_t timeout_ = 0; // the timer's number
  std::vector<Query *> ended_;
};

} // namespace dns
