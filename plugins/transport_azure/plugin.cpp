// The Azure Relay Hybrid Connections protocol, both halves. This file is the border: C functions in
// front, no exception behind them. An instance is the host it was attached with, nothing more: the
// protocol keeps no state between calls.
#include "../glue.hpp"
#include "answers.hpp"
#include "channel.hpp"
#include "client.hpp"
#include "facts.hpp"
#include "head.hpp"

#include "culvert/relay.h"
#include "culvert/transport.h"

#include <exception>

namespace azure {
namespace {

const culvert_host *host_of_instance(void *instance) {
  return static_cast<const culvert_host *>(instance);
}

void *attach(void *, const culvert_host *host, uint32_t, culvert_status *) {
  return const_cast<culvert_host *>(host);
}

/// Only memory can run out here.
template <typename Work> uint32_t guard(culvert_status *error, const Work &work) {
  try {
    return work();
  } catch (const std::exception &) {
    return culvert_glue::fail(error, CULVERT_NO_MEMORY, CULVERT_SOURCE_PLUGIN,
                              CULVERT_RETRY_BACKOFF, "out of memory");
  }
}

// --- transport ----------------------------------------------------------------------------------

uint32_t transport_audience(void *, const culvert_entity_address *entity, culvert_arena *arena,
                            culvert_view *result, culvert_status *error) {
  return guard(error, [&] { return audience(*entity, arena, result, error); });
}

uint32_t transport_listen(void *, const culvert_dial_request *request, culvert_arena *arena,
                          culvert_link_description *link, culvert_status *error) {
  return guard(error, [&] { return describe_dial(*request, "listen", arena, *link, error); });
}

uint32_t transport_dial(void *, const culvert_dial_request *request, culvert_arena *arena,
                        culvert_link_description *link, culvert_status *error) {
  return guard(error, [&] { return describe_dial(*request, "connect", arena, *link, error); });
}

void transport_on_reply(void *, uint32_t purpose, const culvert_reply *reply, culvert_arena *,
                        culvert_reply_result *result, culvert_status *error) {
  result->verdict = CULVERT_VERDICT_FAIL;
  guard(error, [&] {
    on_reply(purpose, *reply, *result, error);
    return 1U;
  });
}

uint32_t transport_on_message(void *instance, uint64_t *, const culvert_message *message,
                              culvert_arena *arena, culvert_channel_result *result,
                              culvert_status *error) {
  return guard(error, [&] {
    return on_channel_message(host_of_instance(instance), *message, arena, *result, error);
  });
}

uint32_t transport_accept(void *, culvert_view offer, culvert_arena *arena,
                          culvert_link_description *link, culvert_status *error) {
  return guard(error, [&] { return describe_accept(offer, arena, *link, error); });
}

uint32_t transport_reject(void *, culvert_view offer, const culvert_status *why,
                          culvert_arena *arena, culvert_link_description *link,
                          culvert_status *error) {
  return guard(error, [&] { return describe_reject(offer, *why, arena, *link, error); });
}

uint32_t transport_renew(void *, culvert_view token, culvert_arena *arena, culvert_message *message,
                         culvert_status *error) {
  return guard(error, [&] { return write_renewal(token, arena, *message); });
}

// --- relay --------------------------------------------------------------------------------------

void out_of_memory(culvert_answer &answer) {
  answer.form = CULVERT_ANSWER_HTTP;
  answer.status = 503;
  answer.reason = culvert_glue::view("The relay is out of memory.");
}

void relay_on_head(void *instance, const culvert_head *head, culvert_arena *arena,
                   culvert_intent *intent) {
  try {
    on_head(host_of_instance(instance), *head, arena, *intent);
  } catch (const std::exception &) {
    intent->verb = CULVERT_VERB_ANSWER;
    out_of_memory(intent->answer);
  }
}

void relay_on_message(void *instance, uint64_t *, const culvert_message *message,
                      culvert_arena *arena, culvert_intent *intent) {
  try {
    on_channel_message(host_of_instance(instance), *message, arena, *intent);
  } catch (const std::exception &) {
    intent->verb = CULVERT_VERB_IGNORE;
  }
}

uint32_t relay_offer(void *, const culvert_offer_request *request, culvert_arena *arena,
                     culvert_message *message, culvert_status *error) {
  return guard(error, [&] { return write_offer(*request, arena, *message, error); });
}

void relay_outcome(void *instance, culvert_view bytes, const culvert_status *why,
                   culvert_arena *arena, culvert_answer *answer) {
  try {
    const Facts facts = read_facts(culvert_glue::text(bytes)).value_or(Facts{});
    write_refusal(host_of_instance(instance), facts, refusal_of(facts, *why), arena, *answer);
  } catch (const std::exception &) {
    out_of_memory(*answer);
  }
}

constexpr culvert_life kLife = {nullptr, nullptr, attach, nullptr};

constexpr culvert_transport kTransport = {sizeof(culvert_transport),
                                          0,
                                          kLife,
                                          transport_audience,
                                          transport_listen,
                                          transport_dial,
                                          transport_on_reply,
                                          transport_on_message,
                                          transport_accept,
                                          transport_reject,
                                          transport_renew};

constexpr const char *kAlpn[] = {"http/1.1"};
constexpr culvert_relay kRelay = {
    sizeof(culvert_relay), CULVERT_HEAD_HTTP, kAlpn,         1,      0, kLife, relay_on_head,
    relay_on_message,      relay_offer,       relay_outcome, nullptr};

constexpr culvert_kind kKinds[] = {{CULVERT_KIND_TRANSPORT, &kTransport},
                                   {CULVERT_KIND_RELAY, &kRelay}};
constexpr const char *kServices[] = {CULVERT_SERVICE_CLOCK, CULVERT_SERVICE_RANDOM,
                                     CULVERT_SERVICE_LOG};

} // namespace
} // namespace azure

CULVERT_PLUGIN_ENTRY = {CULVERT_PLUGIN_MAGIC,
                        sizeof(culvert_plugin),
                        CULVERT_ABI_MINOR,
                        0,
                        2,
                        azure::kKinds,
                        "transport_azure",
                        "0.1.0",
                        "Culvert",
                        "Apache-2.0",
                        "Azure Relay Hybrid Connections over WebSocket, both halves",
                        "",
                        nullptr,
                        0,
                        3,
                        azure::kServices};
