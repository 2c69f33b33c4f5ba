/*
 * A relay protocol of its own in one file, both halves, on nothing but the ABI. Copy it.
 *
 * A plugin describes, the engine acts. None of these functions dials, waits, reads a socket or
 * keeps anything between two calls: each turns bytes into bytes and returns.
 *
 * On the wire, inside TLS with the ALPN word below, a connection sends one message (a 16-bit
 * length, then lines of text), gets one message as its answer, and then becomes what it asked for:
 *
 *   - listen, PATH, ID, AUTHORITY, TOKEN: a control channel of messages, with "ping" and "pong"
 *   - dial, PATH, ID, AUTHORITY, TOKEN: the raw bytes of a tunnel, once a listener accepted
 *   - accept, CAPABILITY: the raw bytes of the tunnel that was offered
 *   - reject, CAPABILITY, REASON: it ends; the sender is told "no" and the reason
 *
 * The answer to each is "ok" or "no CODE RETRY SENTENCE". On a control channel the relay sends
 * offer, ID, HOST, PORT, CAPABILITY, or such a "no" before it closes the channel; the listener
 * sends renew, TOKEN. Each comma stands for a line end; the last word is all that is left.
 */
#include <culvert/helpers.h>
#include <culvert/relay.h>
#include <culvert/transport.h>

#include <inttypes.h>

/* Every function gets its instance; a plugin without state does not need it. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#define ALPN_WORD "culvert-example/1"
#define PING_INTERVAL_MS 15000u

/* The next word; empty when there is none. */
static culvert_view next(culvert_view *rest, char end) {
  culvert_view part = {NULL, 0};
  culvert_view_split(rest, end, &part);
  return part;
}

static int is(culvert_view word, const char *text) {
  return culvert_view_equal(word, culvert_view_text(text));
}

/* Prints into the arena of the call; the last thing that a function does. */
#define COMPOSE(text, ...)                                                                         \
  (culvert_arena_format(arena, text, __VA_ARGS__) ? 1 : culvert_fail_room(error))

static uint32_t malformed(culvert_status *error, const char *what) {
  return culvert_fail(error, CULVERT_PROTOCOL, CULVERT_SOURCE_RELAY, CULVERT_RETRY_NEVER,
                      "%s that this protocol does not know", what);
}

/* --- the client half: listeners and senders --- */

/* What a token is made for. The auth plugin makes it, and listen() and dial() get it as bytes: this
   file never reads it, so that every auth plugin fits. */
static uint32_t audience(void *instance, const culvert_entity_address *entity, culvert_arena *arena,
                         culvert_view *result, culvert_status *error) {
  const int is_ipv6 =
      entity->host.size > 0 && memchr(entity->host.data, ':', entity->host.size) != NULL;
  return COMPOSE(result, is_ipv6 ? "sb://[%.*s]/%.*s" : "sb://%.*s/%.*s",
                 CULVERT_PRINT(entity->host), CULVERT_PRINT(entity->path));
}

/* What every connection of this protocol has in common. The engine resolves the name, dials,
   verifies the certificate, sends `message`, and hands the answer to on_reply(). */
static void describe(culvert_link_description *link, culvert_view host, uint32_t port) {
  link->tls = 1;
  link->host = host;
  link->port = port;
  link->alpn = CULVERT_LITERAL(ALPN_WORD);
  link->head_form = CULVERT_HEAD_MESSAGE;
}

static uint32_t open_entity(const char *verb, const culvert_dial_request *request,
                            culvert_arena *arena, culvert_link_description *link,
                            culvert_status *error) {
  const culvert_entity_address *entity = &request->entity;
  if (entity->path.size == 0 || memchr(entity->path.data, '\n', entity->path.size) != NULL) {
    return culvert_fail(error, CULVERT_CONFIG, CULVERT_SOURCE_CONFIG, CULVERT_RETRY_NEVER,
                        "an entity's path is one line of text: name one");
  }
  describe(link, entity->host, entity->port);
  return COMPOSE(&link->message, "%s\n%.*s\n%.*s\n%.*s:%" PRIu32 "\n%.*s", verb,
                 CULVERT_PRINT(entity->path), CULVERT_PRINT(request->id),
                 CULVERT_PRINT(entity->host), entity->port, CULVERT_PRINT(request->token));
}

/* After the answer a listener's connection is a control channel; the engine sends the pings. */
static uint32_t listen_at(void *instance, const culvert_dial_request *request, culvert_arena *arena,
                          culvert_link_description *link, culvert_status *error) {
  link->ping_interval_ms = PING_INTERVAL_MS;
  link->ping = CULVERT_LITERAL("ping");
  link->pong = CULVERT_LITERAL("pong");
  link->framing = CULVERT_FRAMING_MESSAGES;
  return open_entity("listen", request, arena, link, error);
}

static uint32_t dial(void *instance, const culvert_dial_request *request, culvert_arena *arena,
                     culvert_link_description *link, culvert_status *error) {
  link->framing = CULVERT_FRAMING_RAW; /* all data from here on is the tunnel's */
  return open_entity("dial", request, arena, link, error);
}

/* "no CODE RETRY SENTENCE", or `what` is malformed. */
static uint32_t refused(culvert_view rest, const char *what, culvert_status *error) {
  const culvert_view word = next(&rest, ' '), code = next(&rest, ' '), retry = next(&rest, ' ');
  uint64_t code_number, retry_number;
  if (!is(word, "no") || !culvert_view_number(code, UINT32_MAX, &code_number) || code_number == 0 ||
      !culvert_view_number(retry, UINT32_MAX, &retry_number)) {
    return malformed(error, what);
  }
  return culvert_fail(error, (uint32_t)code_number, CULVERT_SOURCE_RELAY, (uint32_t)retry_number,
                      "the relay says: %.*s", CULVERT_PRINT(rest));
}

/* The answer to the first message, or the end of a control channel. */
static void on_reply(void *instance, uint32_t purpose, const culvert_reply *reply,
                     culvert_arena *arena, culvert_reply_result *result, culvert_status *error) {
  result->verdict = CULVERT_VERDICT_FAIL;
  if (reply->form == CULVERT_REPLY_MESSAGE && is(reply->message.bytes, "ok")) {
    result->verdict = CULVERT_VERDICT_DONE;
  } else if (reply->form == CULVERT_REPLY_CLOSE) {
    culvert_fail(error, CULVERT_GONE, CULVERT_SOURCE_RELAY, CULVERT_RETRY_BACKOFF,
                 "the relay ended the control channel");
  } else {
    refused(reply->message.bytes, "the relay sent an answer", error);
  }
}

/* On the control channel: why the relay ends it, or an offer, kept for accept() or reject(). */
static uint32_t on_offer(void *instance, uint64_t *channel_word, const culvert_message *message,
                         culvert_arena *arena, culvert_channel_result *result,
                         culvert_status *error) {
  culvert_view rest = message->bytes;
  if (!is(next(&rest, '\n'), "offer")) {
    return refused(message->bytes, "the relay sent a control message", error);
  }
  result->action = CULVERT_CHANNEL_OFFER;
  result->message = *message;
  result->loggable_id = next(&rest, '\n');
  return 1;
}

/* The connection to the address of an offer; `message` is what to send there. */
static uint32_t answer_offer(const char *verb, culvert_view offer, culvert_view reason,
                             culvert_arena *arena, culvert_link_description *link,
                             culvert_status *error) {
  culvert_view rest = offer, host, port_text;
  uint64_t port;
  next(&rest, '\n'), next(&rest, '\n'); /* "offer" and the id */
  host = next(&rest, '\n'), port_text = next(&rest, '\n');
  if (host.size == 0 || rest.size == 0 || !culvert_view_number(port_text, 65535, &port)) {
    return malformed(error, "the relay sent an offer");
  }
  describe(link, host, (uint32_t)port);
  link->framing = CULVERT_FRAMING_RAW;
  return COMPOSE(&link->message, "%s\n%.*s%s%.*s", verb, CULVERT_PRINT(rest),
                 reason.size > 0 ? "\n" : "", CULVERT_PRINT(reason));
}

static uint32_t accept_offer(void *instance, culvert_view offer, culvert_arena *arena,
                             culvert_link_description *link, culvert_status *error) {
  return answer_offer("accept", offer, culvert_view_text(""), arena, link, error);
}

static uint32_t reject_offer(void *instance, culvert_view offer, const culvert_status *why,
                             culvert_arena *arena, culvert_link_description *link,
                             culvert_status *error) {
  return answer_offer("reject", offer, culvert_view_text(why->message), arena, link, error);
}

static uint32_t renew(void *instance, uint64_t *channel_word, culvert_view token,
                      culvert_arena *arena, culvert_message *message, culvert_status *error) {
  message->kind = CULVERT_TEXT;
  return COMPOSE(&message->bytes, "renew\n%.*s", CULVERT_PRINT(token));
}

/* --- the relay half --- */

static void say(culvert_answer *answer, culvert_view text) {
  answer->form = CULVERT_ANSWER_MESSAGE;
  answer->message.bytes = text;
  answer->message.kind = CULVERT_TEXT;
}

static void say_no(culvert_answer *answer, culvert_arena *arena, uint32_t code, uint32_t retry,
                   culvert_view sentence) {
  culvert_view text = CULVERT_LITERAL("no 27 2 the relay has no room for an answer");
  culvert_arena_format(arena, &text, "no %" PRIu32 " %" PRIu32 " %.*s", code, retry,
                       CULVERT_PRINT(sentence));
  say(answer, text);
}

/* What a connection wants, as an intent. The engine verifies the token, finds the entity, registers
   the listener, lets the sender wait or joins the two, and then sends `answer`. */
static uint32_t on_head(void *instance, const culvert_head *head, culvert_arena *arena,
                        culvert_intent *intent, culvert_status *error) {
  culvert_view rest = head->message;
  const culvert_view verb = next(&rest, '\n');
  if (is(verb, "listen") || is(verb, "dial")) {
    intent->path = next(&rest, '\n');
    intent->loggable_id = next(&rest, '\n');
    intent->authority = next(&rest, '\n');
    intent->token = rest;
    intent->facts = intent->loggable_id; /* all that offer() needs to know of a sender */
    if (intent->path.size == 0 || intent->loggable_id.size == 0) {
      return malformed(error, "a connection began with a head"); /* outcome() writes the answer */
    }
    intent->verb = CULVERT_VERB_CONNECT;
    if (is(verb, "listen")) {
      intent->verb = CULVERT_VERB_LISTEN;
      intent->listener_id = intent->loggable_id;
      intent->framing = CULVERT_FRAMING_MESSAGES;
      intent->ping_interval_ms = PING_INTERVAL_MS;
      intent->ping = CULVERT_LITERAL("ping");
      intent->pong = CULVERT_LITERAL("pong");
    }
  } else if (is(verb, "accept")) {
    intent->verb = CULVERT_VERB_ACCEPT;
    intent->capability = rest;
    say(&intent->peer_answer, CULVERT_LITERAL("ok"));
  } else if (is(verb, "reject")) {
    intent->verb = CULVERT_VERB_REJECT;
    intent->capability = next(&rest, '\n');
    say_no(&intent->peer_answer, arena, CULVERT_REJECTED, CULVERT_RETRY_BACKOFF, rest);
  } else {
    return malformed(error, "a connection began with a head");
  }
  say(&intent->answer, CULVERT_LITERAL("ok"));
  return 1;
}

/* What a listener sends on its control channel; the engine answers pings itself. */
static uint32_t on_message(void *instance, uint64_t *channel_word,
                           const culvert_channel_message *said, culvert_arena *arena,
                           culvert_intent *intent, culvert_status *error) {
  intent->token = said->message.bytes;
  intent->verb = is(next(&intent->token, '\n'), "renew") ? CULVERT_VERB_RENEW : CULVERT_VERB_IGNORE;
  return 1;
}

/* The engine makes the capability; the first who sends it back gets the waiting sender. */
static uint32_t offer(void *instance, const culvert_offer_request *request, culvert_arena *arena,
                      culvert_message *message, culvert_status *error) {
  message->kind = CULVERT_TEXT;
  return COMPOSE(&message->bytes, "offer\n%.*s\n%.*s\n%" PRIu32 "\n%.*s",
                 CULVERT_PRINT(request->facts), CULVERT_PRINT(request->public_host),
                 request->public_port, CULVERT_PRINT(request->capability));
}

/* What a connection is told when the engine could not do what it wanted. */
static uint32_t outcome(void *instance, const culvert_outcome_request *request,
                        culvert_arena *arena, culvert_answer *answer, culvert_status *error) {
  const culvert_status *why = request->why;
  const int is_token = why->code >= CULVERT_TOKEN_MISSING && why->code <= CULVERT_TOKEN_AUDIENCE;
  say_no(answer, arena, why->code, is_token ? CULVERT_RETRY_NEW_TOKEN : CULVERT_RETRY_BACKOFF,
         culvert_view_text(why->message));
  return 1;
}

/* --- the entry: plain data, all that the loader looks for --- */

/* No functions of a life: without state there is nothing to create or free. */
static const culvert_transport client = {
    .size = sizeof(culvert_transport),
    .audience = audience,
    .listen = listen_at,
    .dial = dial,
    .on_reply = on_reply,
    .on_message = on_offer,
    .accept = accept_offer,
    .reject = reject_offer,
    .renew = renew,
};
static const char *const alpn_words[] = {ALPN_WORD};
static const culvert_relay relay = {
    .size = sizeof(culvert_relay),
    .head_form = CULVERT_HEAD_MESSAGE,
    .alpn = alpn_words,
    .alpn_count = 1,
    .on_head = on_head,
    .on_message = on_message,
    .offer = offer,
    .outcome = outcome,
};
static const culvert_kind kinds[] = {{CULVERT_KIND_TRANSPORT, &client},
                                     {CULVERT_KIND_RELAY, &relay}};

CULVERT_PLUGIN_ENTRY = {
    .magic = CULVERT_PLUGIN_MAGIC,
    .size = sizeof(culvert_plugin),
    .abi_minor = CULVERT_ABI_MINOR,
    .kind_count = 2,
    .kinds = kinds,
    .id = "example_relay",
    .version = "1.0.0",
    .vendor = "Culvert",
    .license = "Apache-2.0",
    .summary = "An example: a relay protocol of lines in TLS, both halves in plain C",
    .build_note = "",
};
