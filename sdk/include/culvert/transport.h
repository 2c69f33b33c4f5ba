/*
 * culvert.kind.transport/1: the client's half of a relay protocol, for listeners and senders.
 *
 * A transport says what to dial, what to send first and what an answer means. The engine resolves,
 * dials, encrypts, verifies certificates, frames, pings, times out and retries.
 */
#ifndef CULVERT_TRANSPORT_H
#define CULVERT_TRANSPORT_H

#include "culvert/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CULVERT_KIND_TRANSPORT "culvert.kind.transport/1"

/* Where an entity is. `path` is as the operator wrote it, without a leading '/'. */
typedef struct culvert_entity_address {
  culvert_view host;
  culvert_view path;
  uint32_t port;
  uint32_t reserved;
} culvert_entity_address;

typedef struct culvert_dial_request {
  uint32_t size;
  uint32_t reserved;
  culvert_entity_address entity;
  culvert_view token;       /* made by the auth plugin for the text that audience() wrote */
  culvert_view id;          /* UUID text: the same at every reconnect of a listener, new for each
                               connection of a sender */
  culvert_view app_address; /* of a sender's app, "10.0.0.1:80" or "[::1]:80"; empty: not known. For
                               the listener, where the protocol can carry it */
} culvert_dial_request;

/* A connection that the engine is to make. */
typedef struct culvert_link_description {
  uint32_t size;
  uint32_t tls; /* 0 or 1; 1: TLS, and the certificate must be valid for server_name */
  culvert_view host;
  uint32_t port;            /* 1 to 65,535 */
  uint32_t head_form;       /* enum culvert_head_form */
  culvert_view server_name; /* empty: host */
  culvert_view alpn;        /* one ALPN protocol id of at most 255 bytes; empty: none */
  culvert_view target;      /* HEAD_HTTP: the request target, sent byte for byte */
  culvert_view authority;   /* HEAD_HTTP: the Host field; a port other than 443 belongs into it */
  const culvert_field *fields;
  uint32_t field_count; /* at most 128 */
  uint32_t framing;     /* enum culvert_framing, after the heads; of a control channel not RAW */
  culvert_view message; /* HEAD_MESSAGE: what to send, not empty; never logged, may hold a token */
  uint32_t ping_interval_ms; /* 0: no pings; else at least 100. The pong of a control channel must
                                come within the engine's pong_ms (default 10 s) and within one
                                interval */
  uint32_t largest_message;  /* on a control channel, both ways: 16 to 65,536; 0: 65,536 */
  culvert_view ping;         /* FRAMING_MESSAGES: the message that is a ping, and its answer */
  culvert_view pong;
} culvert_link_description;

enum culvert_purpose {
  CULVERT_PURPOSE_LISTEN = 0,
  CULVERT_PURPOSE_DIAL = 1,
  CULVERT_PURPOSE_ACCEPT = 2,
  CULVERT_PURPOSE_REJECT = 3
};

enum culvert_reply_form {
  CULVERT_REPLY_HTTP = 0,    /* a response head */
  CULVERT_REPLY_MESSAGE = 1, /* the first message */
  CULVERT_REPLY_CLOSE = 2    /* the relay closed the control channel: code and reason */
};

typedef struct culvert_reply {
  uint32_t size;
  uint32_t form;
  uint32_t status; /* the HTTP status, or the close code */
  uint32_t field_count;
  culvert_view reason;
  const culvert_field *fields;
  culvert_message message;
} culvert_reply;

enum culvert_verdict {
  CULVERT_VERDICT_FAIL = 0, /* it failed; `error` says why, and its source and retry decide what
                               follows (after REPLY_CLOSE the engine connects again in any case) */
  CULVERT_VERDICT_DONE = 1, /* the connection is ready; with PURPOSE_REJECT: the relay has taken the
                               refusal */
  CULVERT_VERDICT_SAY = 2   /* HEAD_MESSAGE: send `say` (1 byte to 40 KiB), then wait for another
                               message */
};

typedef struct culvert_reply_result {
  uint32_t size;
  uint32_t verdict;
  culvert_message say;
} culvert_reply_result;

enum culvert_channel_action {
  CULVERT_CHANNEL_NOTHING = 0,
  CULVERT_CHANNEL_ANSWER = 1, /* the engine sends `message` back */
  CULVERT_CHANNEL_OFFER = 2 /* the bytes of `message` are an offer, which accept() or reject() gets
                               later */
};

typedef struct culvert_channel_result {
  uint32_t size;
  uint32_t action;
  culvert_message message;
  culvert_view loggable_id; /* of an offer: an id that both ends may write to their logs */
  culvert_view app_address; /* of an offer: as the sender's plugin was given it; empty: not known */
} culvert_channel_result;

/* All functions but renew() are required. */
typedef struct culvert_transport {
  uint32_t size;
  uint32_t reserved;
  culvert_life life;

  /* Writes what a token for this entity is made for; auth.h says how a relay compares it. */
  uint32_t (*audience)(void *instance, const culvert_entity_address *entity, culvert_arena *arena,
                       culvert_view *audience, culvert_status *error);
  /* Describes a listener's control channel. */
  uint32_t (*listen)(void *instance, const culvert_dial_request *request, culvert_arena *arena,
                     culvert_link_description *link, culvert_status *error);
  /* Describes a sender's connection. */
  uint32_t (*dial)(void *instance, const culvert_dial_request *request, culvert_arena *arena,
                   culvert_link_description *link, culvert_status *error);
  /* Judges what the relay answered; the verdict stands in the result. */
  void (*on_reply)(void *instance, uint32_t purpose, const culvert_reply *reply,
                   culvert_arena *arena, culvert_reply_result *result, culvert_status *error);
  /* Says what to do about a message on the control channel. channel_word: the plugin's state of one
     channel, initially 0. Returns 0 if the message is malformed; the engine then closes the channel
     and connects again. */
  uint32_t (*on_message)(void *instance, uint64_t *channel_word, const culvert_message *message,
                         culvert_arena *arena, culvert_channel_result *result,
                         culvert_status *error);
  /* Describes the connection that accepts an offer, or the one that refuses it because of `why`. */
  uint32_t (*accept)(void *instance, culvert_view offer, culvert_arena *arena,
                     culvert_link_description *link, culvert_status *error);
  uint32_t (*reject)(void *instance, culvert_view offer, const culvert_status *why,
                     culvert_arena *arena, culvert_link_description *link, culvert_status *error);
  /* Writes the message that gives the relay a new token, on the control channel of that
     channel_word. May be NULL, or say CULVERT_UNSUPPORTED, where a protocol has
     none; then the listener registers again when the relay has ended the channel. */
  uint32_t (*renew)(void *instance, uint64_t *channel_word, culvert_view token,
                    culvert_arena *arena, culvert_message *message, culvert_status *error);
  /* As dial(), of a connection by which a sender proves its token when it starts: the relay judges
     the token, and no listener is met. on_reply() is called with the purpose DIAL;
     CULVERT_NO_LISTENER and CULVERT_NONE_ALLOWED are proofs as well. NULL, or CULVERT_UNSUPPORTED:
     the engine dials what dial() describes and ends it after the TLS handshake; then the token is
     not proved. */
  uint32_t (*prove)(void *instance, const culvert_dial_request *request, culvert_arena *arena,
                    culvert_link_description *link, culvert_status *error);
} culvert_transport;

#ifdef __cplusplus
}
#endif
#endif
