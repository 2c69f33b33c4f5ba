// Thin C++20 glue over the C ABI: what an author derives from, and the functions the host calls.
//
// A plugin in C++ derives an instance from sdk::Transport, Relay, Auth or Resolver (author.hpp) and
// writes sdk::kTransport<Instance> (kAuth, kResolver, relay_functions) behind the kind's id in its
// entry. Each shard gets an instance, made with Instance(const Unit &, Host, shard), or with
// Instance(Host, shard) where no Unit is named; a Unit is made with Unit(Host). No exception leaves
// the plugin: an Error becomes its status, anything else an internal failure of the plugin, and the
// results that the call had written are cleared, so that they read as a refusal.
#pragma once

#include "culvert/author.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>

namespace culvert::sdk {

// --- trampolines --------------------------------------------------------------------------------

/// Runs `call` and turns what it throws into the status. True when it threw nothing.
template <typename Call> bool guarded(culvert_status &status, Call call) noexcept {
  try {
    call();
    return true;
  } catch (const Error &error) {
    error.write(status);
  } catch (const std::bad_alloc &) {
    culvert_fail(&status, CULVERT_NO_MEMORY, CULVERT_SOURCE_PLUGIN, CULVERT_RETRY_BACKOFF,
                 "out of memory");
  } catch (...) { // its text may hold anything, a token for one
    culvert_fail(&status, CULVERT_INTERNAL, CULVERT_SOURCE_PLUGIN, CULVERT_RETRY_NEVER,
                 "it threw an exception that is no sdk::Error");
  }
  return false;
}

/// Clears a result that begins with its size: a call that threw has no results.
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
  static std::uint32_t renew(void *instance, std::uint64_t *word, culvert_view token,
                             culvert_arena *arena, culvert_message *message,
                             culvert_status *error) noexcept {
    return guarded(*error,
                   [&] { *message = at(instance).renew(*word, text(token), Arena(arena)); });
  }
  static std::uint32_t prove(void *instance, const culvert_dial_request *request,
                             culvert_arena *arena, culvert_link_description *link,
                             culvert_status *error) noexcept {
    return guarded(*error, [&] { at(instance).prove(*request, Arena(arena), *link); });
  }
};

template <typename Instance> struct RelayCalls {
  static Relay &at(void *instance) { return *static_cast<Instance *>(instance); }

  static std::uint32_t on_head(void *instance, const culvert_head *head, culvert_arena *arena,
                               culvert_intent *intent, culvert_status *error) noexcept {
    return guarded(*error, [&] { at(instance).on_head(*head, Arena(arena), *intent); });
  }
  static std::uint32_t on_message(void *instance, std::uint64_t *word,
                                  const culvert_channel_message *said, culvert_arena *arena,
                                  culvert_intent *intent, culvert_status *error) noexcept {
    return guarded(*error, [&] { at(instance).on_message(*word, *said, Arena(arena), *intent); });
  }
  static std::uint32_t offer(void *instance, const culvert_offer_request *request,
                             culvert_arena *arena, culvert_message *message,
                             culvert_status *error) noexcept {
    return guarded(*error, [&] { *message = at(instance).offer(*request, Arena(arena)); });
  }
  static std::uint32_t outcome(void *instance, const culvert_outcome_request *request,
                               culvert_arena *arena, culvert_answer *answer,
                               culvert_status *error) noexcept {
    return guarded(*error, [&] { at(instance).outcome(*request, Arena(arena), *answer); });
  }
  static void on_gone(void *instance, std::uint64_t *word) noexcept {
    culvert_status status{};
    guarded(status, [&] { at(instance).on_gone(*word); });
  }
};

/// For calls that may complete later: one that throws is done, and has failed.
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

/// The function that cancels a record of an instance derived from Base; NULL for every other one.
template <typename Base, typename Instance, typename Record>
constexpr auto cancel_of() -> void (*)(void *, Record *) {
  if constexpr (std::is_base_of_v<Base, Instance>) {
    return [](void *instance, Record *record) noexcept {
      guarded(record->status,
              [&] { static_cast<Base &>(*static_cast<Instance *>(instance)).cancel(*record); });
    };
  } else {
    return nullptr;
  }
}

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
    &TransportCalls<Instance>::renew,    &TransportCalls<Instance>::prove};

/// A relay also states its head form and its ALPN words, a constant array of the plugin.
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
inline constexpr culvert_auth kAuth{sizeof(culvert_auth),
                                    0,
                                    Life<Instance, Unit>::kLife,
                                    &AuthCalls<Instance>::acquire,
                                    &AuthCalls<Instance>::refused,
                                    &AuthCalls<Instance>::verify,
                                    cancel_of<PendingAuth, Instance, culvert_acquire>(),
                                    cancel_of<PendingAuth, Instance, culvert_verify>()};

template <typename Instance, typename Unit = NoUnit>
inline constexpr culvert_resolver kResolver{
    sizeof(culvert_resolver), 0, Life<Instance, Unit>::kLife, &ResolverCalls<Instance>::resolve,
    cancel_of<PendingResolver, Instance, culvert_resolve>()};

} // namespace culvert::sdk
