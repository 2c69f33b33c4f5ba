// Thin C++20 glue over the C ABI: what an author derives from, and the functions the host calls.
//
// A plugin in C++ derives an instance from sdk::Transport, Relay, Auth or Resolver and puts
// sdk::kTransport<Instance> (or its kind's) behind the kind's id in its entry. The instance is made
// for each shard as Instance(const Unit &, Host, shard), or Instance(Host, shard) where no Unit is
// named; a Unit as Unit(Host). Anything thrown stops at the trampolines: an Error becomes its
// status, anything else an internal failure of the plugin, and what the call had written is taken
// back, so that it reads as a refusal. Views and arenas are valid during the call; an Arena throws
// when it is full. This header knows only the ABI.
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
#include <cstring>
#include <exception>
#include <initializer_list>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
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

/// The host and its services. Copy it freely; it is valid as long as what it was handed to.
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

  /// Never hand over a token, a request target or a header value.
  void log(culvert_log_level level, std::string_view message) const {
    service<culvert_log>(CULVERT_SERVICE_LOG).write(host_, level, view(message));
  }
  [[nodiscard]] std::uint64_t monotonic_ns() const { return clock().monotonic_ns(host_); }
  [[nodiscard]] std::int64_t wall_s() const { return clock().wall_s(host_); }
  void random(void *bytes, std::size_t count) const {
    service<culvert_random>(CULVERT_SERVICE_RANDOM).fill(host_, bytes, count);
  }
  /// False: there is no such secret.
  bool hmac_sha256(std::uint64_t secret, std::string_view data, std::uint8_t digest[32]) const {
    return service<culvert_secret>(CULVERT_SERVICE_SECRET)
               .hmac_sha256(host_, secret, view(data), digest) != 0;
  }

private:
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
  /// To fail is to throw.
  virtual void on_reply(culvert_purpose purpose, const culvert_reply &reply, Arena arena,
                        culvert_reply_result &result) = 0;
  virtual void on_message(std::uint64_t &channel_word, const culvert_message &message, Arena arena,
                          culvert_channel_result &result) = 0;
  virtual void accept(std::string_view offer, Arena arena, culvert_link_description &link) = 0;
  virtual void reject(std::string_view offer, const culvert_status &why, Arena arena,
                      culvert_link_description &link) = 0;
  virtual culvert_message renew(std::string_view, Arena) {
    throw Error(CULVERT_UNSUPPORTED, CULVERT_SOURCE_PLUGIN, CULVERT_RETRY_NEVER,
                "this transport has no renewal");
  }
};

class Relay {
public:
  virtual ~Relay() = default;
  virtual void on_head(const culvert_head &head, Arena arena, culvert_intent &intent) = 0;
  virtual void on_message(std::uint64_t &channel_word, const culvert_message &message, Arena arena,
                          culvert_intent &intent) = 0;
  virtual culvert_message offer(const culvert_offer_request &request, Arena arena) = 0;
  virtual void outcome(std::string_view facts, const culvert_status &why, Arena arena,
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

class Resolver {
public:
  virtual ~Resolver() = default;
  virtual culvert_progress resolve(culvert_resolve &record) = 0;
};

// --- trampolines --------------------------------------------------------------------------------

/// Calls, and turns what is thrown into the status. True when nothing was.
template <typename Call> bool guarded(culvert_status &status, Call call) noexcept {
  try {
    call();
    return true;
  } catch (const Error &error) {
    error.write(status);
  } catch (const std::bad_alloc &) {
    culvert_fail(&status, CULVERT_NO_MEMORY, CULVERT_SOURCE_PLUGIN, CULVERT_RETRY_BACKOFF,
                 "the plugin is out of memory");
  } catch (...) { // its text may hold anything, a token for one
    culvert_fail(&status, CULVERT_INTERNAL, CULVERT_SOURCE_PLUGIN, CULVERT_RETRY_NEVER,
                 "the plugin threw an exception that is no sdk::Error");
  }
  return false;
}

/// For results that say their size: a call that threw leaves them as they were handed over.
template <typename Sized> void unsay(Sized &result) noexcept {
  const std::uint32_t size = result.size;
  std::memset(static_cast<void *>(&result), 0, std::min<std::size_t>(size, sizeof result));
  result.size = size;
}

struct NoUnit {};

template <typename Instance, typename Unit> struct Life {
  static void *create(const culvert_host *host, culvert_status *error) noexcept {
    void *unit = nullptr;
    guarded(*error, [&] {
      if constexpr (std::is_same_v<Unit, NoUnit>) {
        unit = new Unit();
      } else {
        unit = new Unit(Host(host));
      }
    });
    return unit;
  }
  static void destroy(void *unit) noexcept { delete static_cast<Unit *>(unit); }
  static void *attach(void *unit, const culvert_host *host, std::uint32_t shard,
                      culvert_status *error) noexcept {
    void *instance = nullptr;
    guarded(*error, [&] {
      if constexpr (std::is_same_v<Unit, NoUnit>) {
        instance = new Instance(Host(host), shard);
      } else {
        instance = new Instance(*static_cast<const Unit *>(unit), Host(host), shard);
      }
    });
    return instance;
  }
  static void detach(void *instance) noexcept { delete static_cast<Instance *>(instance); }
  static constexpr culvert_life kLife{&create, &destroy, &attach, &detach};
};

template <typename Instance> struct TransportCalls {
  static Transport &at(void *instance) { return *static_cast<Instance *>(instance); }

  static std::uint32_t audience(void *instance, const culvert_entity_address *entity,
                                culvert_arena *arena, culvert_view *audience,
                                culvert_status *error) noexcept {
    return guarded(*error, [&] { *audience = at(instance).audience(*entity, Arena(arena)); });
  }
  static std::uint32_t listen(void *instance, const culvert_dial_request *request,
                              culvert_arena *arena, culvert_link_description *link,
                              culvert_status *error) noexcept {
    return guarded(*error, [&] { at(instance).listen(*request, Arena(arena), *link); });
  }
  static std::uint32_t dial(void *instance, const culvert_dial_request *request,
                            culvert_arena *arena, culvert_link_description *link,
                            culvert_status *error) noexcept {
    return guarded(*error, [&] { at(instance).dial(*request, Arena(arena), *link); });
  }
  static void on_reply(void *instance, std::uint32_t purpose, const culvert_reply *reply,
                       culvert_arena *arena, culvert_reply_result *result,
                       culvert_status *error) noexcept {
    if (!guarded(*error, [&] {
          at(instance).on_reply(static_cast<culvert_purpose>(purpose), *reply, Arena(arena),
                                *result);
        })) {
      unsay(*result);
    }
  }
  static std::uint32_t on_message(void *instance, std::uint64_t *word,
                                  const culvert_message *message, culvert_arena *arena,
                                  culvert_channel_result *result, culvert_status *error) noexcept {
    return guarded(*error,
                   [&] { at(instance).on_message(*word, *message, Arena(arena), *result); });
  }
  static std::uint32_t accept(void *instance, culvert_view offer, culvert_arena *arena,
                              culvert_link_description *link, culvert_status *error) noexcept {
    return guarded(*error, [&] { at(instance).accept(text(offer), Arena(arena), *link); });
  }
  static std::uint32_t reject(void *instance, culvert_view offer, const culvert_status *why,
                              culvert_arena *arena, culvert_link_description *link,
                              culvert_status *error) noexcept {
    return guarded(*error, [&] { at(instance).reject(text(offer), *why, Arena(arena), *link); });
  }
  static std::uint32_t renew(void *instance, culvert_view token, culvert_arena *arena,
                             culvert_message *message, culvert_status *error) noexcept {
    return guarded(*error, [&] { *message = at(instance).renew(text(token), Arena(arena)); });
  }
};

template <typename Instance> struct RelayCalls {
  static Relay &at(void *instance) { return *static_cast<Instance *>(instance); }

  static void on_head(void *instance, const culvert_head *head, culvert_arena *arena,
                      culvert_intent *intent) noexcept {
    culvert_status status{};
    if (!guarded(status, [&] { at(instance).on_head(*head, Arena(arena), *intent); })) {
      unsay(*intent);
    }
  }
  static void on_message(void *instance, std::uint64_t *word, const culvert_message *message,
                         culvert_arena *arena, culvert_intent *intent) noexcept {
    culvert_status status{};
    if (!guarded(status,
                 [&] { at(instance).on_message(*word, *message, Arena(arena), *intent); })) {
      unsay(*intent);
    }
  }
  static std::uint32_t offer(void *instance, const culvert_offer_request *request,
                             culvert_arena *arena, culvert_message *message,
                             culvert_status *error) noexcept {
    return guarded(*error, [&] { *message = at(instance).offer(*request, Arena(arena)); });
  }
  static void outcome(void *instance, culvert_view facts, const culvert_status *why,
                      culvert_arena *arena, culvert_answer *answer) noexcept {
    culvert_status status{};
    if (!guarded(status, [&] { at(instance).outcome(text(facts), *why, Arena(arena), *answer); })) {
      *answer = culvert_answer{};
    }
  }
  static void on_gone(void *instance, std::uint64_t *word) noexcept {
    culvert_status status{};
    guarded(status, [&] { at(instance).on_gone(*word); });
  }
};

/// An asynchronous call: what throws is done, and has failed.
template <typename Record, typename Call>
std::uint32_t started(Record &record, Call call) noexcept {
  culvert_progress progress = CULVERT_DONE;
  return guarded(record.status, [&] { progress = call(); }) ? progress : CULVERT_DONE;
}

template <typename Instance> struct AuthCalls {
  static Auth &at(void *instance) { return *static_cast<Instance *>(instance); }

  static std::uint32_t acquire(void *instance, culvert_acquire *record) noexcept {
    return started(*record, [&] { return at(instance).acquire(*record); });
  }
  static std::uint32_t refused(void *instance, std::uint64_t token_id) noexcept {
    culvert_status status{};
    bool another = false;
    guarded(status, [&] { another = at(instance).refused(token_id); });
    return another;
  }
  static std::uint32_t verify(void *instance, culvert_verify *record) noexcept {
    return started(*record, [&] { return at(instance).verify(*record); });
  }
};

template <typename Instance> struct ResolverCalls {
  static Resolver &at(void *instance) { return *static_cast<Instance *>(instance); }

  static std::uint32_t resolve(void *instance, culvert_resolve *record) noexcept {
    return started(*record, [&] { return at(instance).resolve(*record); });
  }
};

// --- the functions of a kind, for the entry -----------------------------------------------------

template <typename Instance, typename Unit = NoUnit>
inline constexpr culvert_transport kTransport{
    sizeof(culvert_transport),           0,
    Life<Instance, Unit>::kLife,         &TransportCalls<Instance>::audience,
    &TransportCalls<Instance>::listen,   &TransportCalls<Instance>::dial,
    &TransportCalls<Instance>::on_reply, &TransportCalls<Instance>::on_message,
    &TransportCalls<Instance>::accept,   &TransportCalls<Instance>::reject,
    &TransportCalls<Instance>::renew};

/// A relay also says its head form and ALPN words: `const char *const kAlpn[]` of the plugin's.
template <typename Instance, typename Unit = NoUnit>
constexpr culvert_relay relay_functions(culvert_head_form head_form, const char *const *alpn,
                                        std::uint32_t alpn_count) {
  return {sizeof(culvert_relay),
          static_cast<std::uint32_t>(head_form),
          alpn,
          alpn_count,
          0,
          Life<Instance, Unit>::kLife,
          &RelayCalls<Instance>::on_head,
          &RelayCalls<Instance>::on_message,
          &RelayCalls<Instance>::offer,
          &RelayCalls<Instance>::outcome,
          &RelayCalls<Instance>::on_gone};
}

template <typename Instance, typename Unit = NoUnit>
inline constexpr culvert_auth kAuth{sizeof(culvert_auth),          0,
                                    Life<Instance, Unit>::kLife,   &AuthCalls<Instance>::acquire,
                                    &AuthCalls<Instance>::refused, &AuthCalls<Instance>::verify};

template <typename Instance, typename Unit = NoUnit>
inline constexpr culvert_resolver kResolver{
    sizeof(culvert_resolver), 0, Life<Instance, Unit>::kLife, &ResolverCalls<Instance>::resolve};

} // namespace culvert::sdk
