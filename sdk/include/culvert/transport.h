/*
 * culvert.kind.transport/1: the client half of a relay protocol, for listeners and senders.
 *
 * A transport says what to dial, what to say first and what an answer means. The engine resolves,
 * dials, encrypts, verifies, frames, pings, times out and retries.
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
  culvert_view token; /* of the auth unit, for what audience() said */
  culvert_view id; /* UUID text: a listener's, the same at every reconnect; a sender's, new each */
} culvert_dial_request;

/* One connection, described. */
typedef struct culvert_link_description {
  uint32_t size;
  uint32_t tls; /* 1: TLS, the certificate verified for server_name */
  culvert_view host;
  uint32_t port;
  uint32_t head_form;       /* enum culvert_head_form */
  culvert_view server_name; /* empty: host */
  culvert_view alpn;        /* one protocol id to offer; empty: none */
  culvert_view target;      /* HEAD_HTTP: the request target, sent byte for byte */
  culvert_view authority;   /* HEAD_HTTP: the Host field */
  const culvert_field *fields;
  uint32_t field_count;
  uint32_t framing;     /* enum culvert_framing, after the heads */
  culvert_view message; /* HEAD_MESSAGE: what to say, not empty; may hold a token, never logged */
  uint32_t ping_interval_ms; /* 0: none; a control channel waits 10 s for its pong */
  uint32_t largest_message;  /* of a control channel, both ways; 0: the engine's default */
  culvert_view ping;         /* FRAMING_MESSAGES: the words of a ping and of its answer */
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
  CULVERT_REPLY_CLOSE = 2    /* the control channel was closed: code and reason */
};

typedef struct culvert_reply {
  uint32_t size;
  uint32_t form;
  uint32_t status; /* HTTP status, or close code */
  uint32_t field_count;
  culvert_view reason;
  const culvert_field *fields;
  culvert_message message;
} culvert_reply;

enum culvert_verdict {
  CULVERT_VERDICT_FAIL = 0, /* `error` says why; its source and retry decide what follows (behind
                               REPLY_CLOSE the engine connects anew whatever they say) */
  CULVERT_VERDICT_DONE = 1, /* the link stands, or (REJECT) the refusal was taken */
  CULVERT_VERDICT_SAY = 2 /* HEAD_MESSAGE: send this, of 1 byte to 40 KiB, and wait for the next */
};

typedef struct culvert_reply_result {
  uint32_t size;
  uint32_t verdict;
  culvert_message say;
} culvert_reply_result;

enum culvert_channel_action {
  CULVERT_CHANNEL_NOTHING = 0,
  CULVERT_CHANNEL_ANSWER = 1, /* `bytes` go back as a message of `kind` */
  CULVERT_CHANNEL_OFFER = 2   /* `bytes` are an offer, handed to accept() or reject() later */
};

typedef struct culvert_channel_result {
  uint32_t size;
  uint32_t action;
  culvert_message message;
  culvert_view loggable_id; /* of an offer: what both ends may write to their logs */
} culvert_channel_result;

/* on_reply() answers by its verdict; all functions but renew() are required. */
typedef struct culvert_transport {
  uint32_t size;
  uint32_t reserved;
  culvert_life life;

  /* What a token for this entity must be made for. */
  uint32_t (*audience)(void *instance, const culvert_entity_address *entity, culvert_arena *arena,
                       culvert_view *audience, culvert_status *error);
  /* A listener's control channel. */
  uint32_t (*listen)(void *instance, const culvert_dial_request *request, culvert_arena *arena,
                     culvert_link_description *link, culvert_status *error);
  /* A sender's connection. */
  uint32_t (*dial)(void *instance, const culvert_dial_request *request, culvert_arena *arena,
                   culvert_link_description *link, culvert_status *error);
  /* What the relay answered to what was said first. */
  void (*on_reply)(void *instance, uint32_t purpose, const culvert_reply *reply,
                   culvert_arena *arena, culvert_reply_result *result, culvert_status *error);
  /* A message on the control channel. The word is the plugin's own, 0 at first, one a channel.
     0: malformed; the engine closes the channel and connects anew. */
  uint32_t (*on_message)(void *instance, uint64_t *channel_word, const culvert_message *message,
                         culvert_arena *arena, culvert_channel_result *result,
                         culvert_status *error);
  /* The connection that fetches an offer, or that refuses it because of `why`. */
  uint32_t (*accept)(void *instance, culvert_view offer, culvert_arena *arena,
                     culvert_link_description *link, culvert_status *error);
  uint32_t (*reject)(void *instance, culvert_view offer, const culvert_status *why,
                     culvert_arena *arena, culvert_link_description *link, culvert_status *error);
  /* The message that hands a new token to the relay, on the control channel of that word; may be
     NULL where a protocol has none. Not called yet: no channel ends with its token. */
  uint32_t (*renew)(void *instance, uint64_t *channel_word, culvert_view token,
                    culvert_arena *arena, culvert_message *message, culvert_status *error);
  /* As dial(), of a connection by which a sender proves its token when it starts: the relay judges
     the token, and no listener is met. on_reply() is told as of dial(); CULVERT_NO_LISTENER is a
     proof as well. NULL, or CULVERT_UNSUPPORTED: what dial() describes ends behind TLS. */
  uint32_t (*prove)(void *instance, const culvert_dial_request *request, culvert_arena *arena,
                    culvert_link_description *link, culvert_status *error);
} culvert_transport;

#ifdef __cplusplus
}
#endif
#endif
