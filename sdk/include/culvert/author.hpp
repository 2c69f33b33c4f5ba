// For authors of plugins in C++: errors to throw, arenas to write results into, the host's
// services, and the classes to derive an instance from.
//
// Include culvert/plugin.hpp, which includes this header. Views and arenas are valid during the
// call; an Arena throws when it is full. Nothing here needs more than the C headers.
#pragma once

#include "culvert/auth.h"
#include "culvert/helpers.h"
#include "culvert/plugin.h"
#include "culvert/relay.h"
#include "culvert/resolver.h"
#include "culvert/service.h"
#include "culvert/transport.h"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace culvert::sdk {

inline std::string_view text(culvert_view view) {
  return view.size == 0 ? std::string_view() : std::string_view(view.data, view.size);
}
inline culvert_view view(std::string_view text) {
  return {text.data(), text.size()};
}

/// Thrown by a plugin's functions; never crosses the boundary.
class Error : public std::exception {
public:
  Error(culvert_code code, culvert_source source, culvert_retry retry, std::string message,
        std::uint32_t peer_status = 0)
      : code_(code), source_(source), retry_(retry), peer_status_(peer_status),
        message_(std::move(message)) {}
  [[nodiscard]] const char *what() const noexcept override { return message_.c_str(); }
  void write(culvert_status &status) const {
    culvert_fail(&status, code_, source_, retry_, "%s", message_.c_str());
    status.peer_status = peer_status_;
  }

private:
  culvert_code code_;
  culvert_source source_;
  culvert_retry retry_;
  std::uint32_t peer_status_;
  std::string message_;
};

/// Room for the results of one call.
class Arena {
public:
  explicit Arena(culvert_arena *arena) : arena_(arena) {}

  culvert_view copy(std::string_view from) { return join({from}); }
  culvert_view join(std::initializer_list<std::string_view> parts) {
    culvert_view whole{};
    for (const std::string_view part : parts) {
      if (culvert_arena_append(arena_, &whole, view(part)) == 0) {
        full();
      }
    }
    return whole;
  }
  /// Copies the array; what its views point at stays where it is.
  const culvert_field *fields(std::span<const culvert_field> from) {
    return array(from, culvert_arena_fields(arena_, from.size()));
  }
  const culvert_view *views(std::span<const culvert_view> from) {
    return array(from, culvert_arena_views(arena_, from.size()));
  }

private:
  [[noreturn]] static void full() {
    throw Error(CULVERT_TOO_LARGE, CULVERT_SOURCE_PLUGIN, CULVERT_RETRY_NEVER,
                "the result does not fit into the room of one call");
  }
  template <typename T> static const T *array(std::span<const T> from, T *room) {
    if (room == nullptr) {
      full();
    }
    std::copy(from.begin(), from.end(), room);
    return room;
  }

  culvert_arena *arena_;
};

/// The host and its services. It may be copied; it is valid as long as the unit or instance that it
/// was given to.
class Host {
public:
  explicit Host(const culvert_host *host) : host_(host) {}
  [[nodiscard]] const culvert_host *raw() const { return host_; }

  /// The functions of a service; throws when this host has none. Service: culvert_log and so on.
  template <typename Service> const Service &service(const char *id) const {
    const auto *found = static_cast<const Service *>(host_->service(host_, id));
    if (found == nullptr) {
      throw Error(CULVERT_UNSUPPORTED, CULVERT_SOURCE_PLUGIN, CULVERT_RETRY_NEVER,
                  std::string("the host offers no ") + id);
    }
    return *found;
  }

  [[nodiscard]] std::string_view config_text(const char *key) const {
    return text(config().text(host_, key));
  }
  [[nodiscard]] std::int64_t config_integer(const char *key) const {
    return config().integer(host_, key);
  }
  [[nodiscard]] bool config_boolean(const char *key) const {
    return config().boolean(host_, key) != 0;
  }
  [[nodiscard]] std::uint64_t config_secret(const char *key) const {
    return config().secret(host_, key);
  }
  [[nodiscard]] std::vector<std::string> config_list(const char *key) const {
    std::vector<std::string> items;
    for (std::uint32_t index = 0; index < config().count(host_, key); ++index) {
      items.emplace_back(text(config().item(host_, key, index)));
    }
    return items;
  }

  /// Never log a token, a request target or a header value.
  void log(culvert_log_level level, std::string_view message) const {
    service<culvert_log>(CULVERT_SERVICE_LOG).write(host_, level, view(message));
  }
  [[nodiscard]] std::uint64_t monotonic_ns() const { return clock().monotonic_ns(host_); }
  [[nodiscard]] std::int64_t wall_s() const { return clock().wall_s(host_); }
  void random(void *bytes, std::size_t count) const {
    service<culvert_random>(CULVERT_SERVICE_RANDOM).fill(host_, bytes, count);
  }
  /// Watches and timers (service.h): owner.Method() runs once. An exception in it ends the process.
  template <auto Method, typename Owner>
  [[nodiscard]] std::uint64_t watch(int descriptor, culvert_interest interest, Owner &owner) const {
    return service<culvert_watch>(CULVERT_SERVICE_WATCH)
        .start(host_, descriptor, static_cast<std::uint32_t>(interest), &run<Method, Owner>,
               &owner);
  }
  template <auto Method, typename Owner>
  [[nodiscard]] std::uint64_t timer(std::uint64_t delay_ms, Owner &owner) const {
    return service<culvert_timer>(CULVERT_SERVICE_TIMER)
        .start(host_, delay_ms, &run<Method, Owner>, &owner);
  }
  void cancel_watch(std::uint64_t number) const {
    service<culvert_watch>(CULVERT_SERVICE_WATCH).cancel(host_, number);
  }
  void cancel_timer(std::uint64_t number) const {
    service<culvert_timer>(CULVERT_SERVICE_TIMER).cancel(host_, number);
  }

  /// False: there is no such secret.
  bool hmac_sha256(std::uint64_t secret, std::string_view data, std::uint8_t digest[32]) const {
    return service<culvert_secret>(CULVERT_SERVICE_SECRET)
               .hmac_sha256(host_, secret, view(data), digest) != 0;
  }

private:
  template <auto Method, typename Owner> static void run(void *owner) noexcept {
    (static_cast<Owner *>(owner)->*Method)();
  }
  [[nodiscard]] const culvert_config &config() const {
    return service<culvert_config>(CULVERT_SERVICE_CONFIG);
  }
  [[nodiscard]] const culvert_clock &clock() const {
    return service<culvert_clock>(CULVERT_SERVICE_CLOCK);
  }

  const culvert_host *host_;
};

// --- what authors derive from -------------------------------------------------------------------

class Transport {
public:
  virtual ~Transport() = default;
  virtual culvert_view audience(const culvert_entity_address &entity, Arena arena) = 0;
  virtual void listen(const culvert_dial_request &request, Arena arena,
                      culvert_link_description &link) = 0;
  virtual void dial(const culvert_dial_request &request, Arena arena,
                    culvert_link_description &link) = 0;
  /// Throws to fail.
  virtual void on_reply(culvert_purpose purpose, const culvert_reply &reply, Arena arena,
                        culvert_reply_result &result) = 0;
  virtual void on_message(std::uint64_t &channel_word, const culvert_message &message, Arena arena,
                          culvert_channel_result &result) = 0;
  virtual void accept(std::string_view offer, Arena arena, culvert_link_description &link) = 0;
  virtual void reject(std::string_view offer, const culvert_status &why, Arena arena,
                      culvert_link_description &link) = 0;
  virtual culvert_message renew(std::uint64_t &, std::string_view, Arena) {
    throw Error(CULVERT_UNSUPPORTED, CULVERT_SOURCE_PLUGIN, CULVERT_RETRY_NEVER,
                "this transport has no renewal");
  }
  virtual void prove(const culvert_dial_request &, Arena, culvert_link_description &) {
    throw Error(CULVERT_UNSUPPORTED, CULVERT_SOURCE_PLUGIN, CULVERT_RETRY_NEVER,
                "this transport has no proof of a token");
  }
};

class Relay {
public:
  virtual ~Relay() = default;
  /// Throws to refuse what was sent, here and in on_message().
  virtual void on_head(const culvert_head &head, Arena arena, culvert_intent &intent) = 0;
  virtual void on_message(std::uint64_t &channel_word, const culvert_channel_message &said,
                          Arena arena, culvert_intent &intent) = 0;
  virtual culvert_message offer(const culvert_offer_request &request, Arena arena) = 0;
  virtual void outcome(const culvert_outcome_request &request, Arena arena,
                       culvert_answer &answer) = 0;
  virtual void on_gone(std::uint64_t &) {}
};

class Auth {
public:
  virtual ~Auth() = default;
  virtual culvert_progress acquire(culvert_acquire &record) = 0;
  virtual bool refused(std::uint64_t token_id) = 0;
  virtual culvert_progress verify(culvert_verify &record) = 0;
};

/// Of an instance whose calls may stay pending. What a cancel throws is the record's failure.
class PendingAuth : public Auth {
public:
  virtual void cancel(culvert_acquire &record) = 0;
  virtual void cancel(culvert_verify &record) = 0;
};

class Resolver {
public:
  virtual ~Resolver() = default;
  virtual culvert_progress resolve(culvert_resolve &record) = 0;
};

/// Of an instance whose calls may stay pending. What its cancel throws is the record's failure.
class PendingResolver : public Resolver {
public:
  virtual void cancel(culvert_resolve &record) = 0;
};

} // namespace culvert::sdk
