/*
 * culvert.kind.relay/1: the relay's half of a protocol.
 *
 * A relay plugin reads heads and messages into intents, and writes offers and refusals. The engine
 * authorizes, limits, registers, parks, joins, redeems capabilities and moves the bytes. An intent,
 * its facts and its answers are bytes by value: the next step may run on another shard's instance.
 */
#ifndef CULVERT_RELAY_H
#define CULVERT_RELAY_H

#include "culvert/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CULVERT_KIND_RELAY "culvert.kind.relay/1"

enum culvert_body_kind { CULVERT_BODY_NONE = 0, CULVERT_BODY_LENGTH = 1, CULVERT_BODY_CHUNKED = 2 };

/* What a connection said first. */
typedef struct culvert_head {
  uint32_t size;
  uint32_t form; /* the plugin's own head_form */
  culvert_view method;
  culvert_view target; /* byte for byte */
  const culvert_field *fields;
  uint32_t field_count;
  uint32_t body_kind;
  uint64_t body_length;
  culvert_view message; /* HEAD_MESSAGE */
  culvert_view remote_host;
  uint32_t remote_port;
  uint32_t reserved;
} culvert_head;

enum culvert_answer_form {
  CULVERT_ANSWER_NONE = 0,
  CULVERT_ANSWER_HTTP = 1,    /* to HEAD_HTTP: status, reason, fields, a body of at most 64 KiB */
  CULVERT_ANSWER_MESSAGE = 2, /* to HEAD_MESSAGE, behind a 16-bit length; on a control channel a
                                 message within its framing */
  CULVERT_ANSWER_CLOSE = 3    /* ends a control channel: of FRAMING_WEBSOCKET with the close code in
                                 `status` and the reason, else without a word */
};

typedef struct culvert_answer {
  uint32_t form;
  uint32_t status;
  culvert_view reason;
  const culvert_field *fields;
  uint32_t field_count;
  uint32_t reserved;
  culvert_view body;
  culvert_message message;
} culvert_answer;

/* A verb the engine does not know is refused as unsupported; so is 0, an intent left unwritten. */
enum culvert_verb {
  CULVERT_VERB_LISTEN = 1,  /* becomes a control channel once authorized */
  CULVERT_VERB_CONNECT = 2, /* a sender: parked until a listener fetches it */
  CULVERT_VERB_ACCEPT = 3,  /* a listener fetches the sender of `capability` */
  CULVERT_VERB_REJECT = 4,  /* a listener refuses it */
  CULVERT_VERB_RENEW = 5,   /* on a control channel: a new token */
  CULVERT_VERB_ANSWER = 6,  /* send `answer`; a connection that is no channel then ends */
  CULVERT_VERB_IGNORE = 7   /* on a control channel: nothing */
};

typedef struct culvert_intent {
  uint32_t size;
  uint32_t verb;
  culvert_view path;  /* what was asked for, decoded, without a leading '/': entity and below */
  culvert_view token; /* LISTEN, CONNECT, RENEW; empty: none was given */
  culvert_view capability;     /* ACCEPT, REJECT: the engine's hex, as the peer returned it */
  culvert_view listener_id;    /* LISTEN: replaces the registration of the same id */
  culvert_view authority;      /* the host[:port] the peer says it dialled */
  culvert_view loggable_id;    /* what both ends may write to their logs */
  culvert_view facts;          /* the plugin's own bytes about this connection, at most 40 KiB */
  const culvert_view *allowed; /* CONNECT: only these listener ids, if any */
  const culvert_view *denied;  /* CONNECT: none of these */
  uint32_t allowed_count;
  uint32_t denied_count;
  culvert_answer answer;      /* to this connection */
  culvert_answer peer_answer; /* ACCEPT, REJECT: to the parked sender */
  /* Of this connection behind its answer. Framing MESSAGES is joined to RAW, or to MESSAGES with
   * the same largest_message; WEBSOCKET to all but MESSAGES. */
  uint32_t framing;
  uint32_t ping_interval_ms;
  culvert_view ping; /* FRAMING_MESSAGES */
  culvert_view pong;
  uint32_t largest_message; /* on a control channel, both ways; 0: the engine's default */
  uint32_t reserved;
} culvert_intent;

typedef struct culvert_offer_request {
  uint32_t size;
  uint32_t public_port;
  culvert_view public_host;
  culvert_view facts;      /* of the parked sender */
  culvert_view capability; /* lower-case hex, at most 64 digits */
} culvert_offer_request;

/* What a listener said on its control channel. */
typedef struct culvert_channel_message {
  uint32_t size;
  uint32_t reserved;
  culvert_view facts; /* of the channel */
  culvert_message message;
} culvert_channel_message;

enum culvert_stage {
  CULVERT_STAGE_HEAD = 0,   /* a connection that waits for the answer to its head */
  CULVERT_STAGE_CHANNEL = 1 /* a control channel: CLOSE, or a MESSAGE, which a peer that does not
                               read is spared; then it ends */
};

typedef struct culvert_outcome_request {
  uint32_t size;
  uint32_t stage;     /* enum culvert_stage */
  culvert_view facts; /* of the connection; empty where on_head() gave no intent */
  const culvert_status *why;
} culvert_outcome_request;

typedef struct culvert_relay {
  uint32_t size;
  uint32_t head_form;      /* HEAD_HTTP or HEAD_MESSAGE */
  const char *const *alpn; /* ALPN words that mean this protocol */
  uint32_t alpn_count;
  uint32_t reserved;
  culvert_life life;

  /* What a connection wants by its head. 0: it is told the outcome of `error`. */
  uint32_t (*on_head)(void *instance, const culvert_head *head, culvert_arena *arena,
                      culvert_intent *intent, culvert_status *error);
  /* What a listener wants by a message on its control channel. The word is the plugin's own, 0 at
     first, one a channel. 0: malformed; the channel ends with the outcome of `error`. */
  uint32_t (*on_message)(void *instance, uint64_t *channel_word,
                         const culvert_channel_message *said, culvert_arena *arena,
                         culvert_intent *intent, culvert_status *error);
  /* The message that offers a parked sender to a listener. 0: the sender is refused with `error`.
   */
  uint32_t (*offer)(void *instance, const culvert_offer_request *request, culvert_arena *arena,
                    culvert_message *message, culvert_status *error);
  /* What a connection is told because of `why`; an answer left unwritten says nothing. 0: nothing
     is said either, and `error` is logged. */
  uint32_t (*outcome)(void *instance, const culvert_outcome_request *request, culvert_arena *arena,
                      culvert_answer *answer, culvert_status *error);
  /* A control channel is gone; may be NULL. */
  void (*on_gone)(void *instance, uint64_t *channel_word);
} culvert_relay;

#ifdef __cplusplus
}
#endif
#endif
