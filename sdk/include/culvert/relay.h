/*
 * culvert.kind.relay/1: the relay's half of a protocol.
 *
 * A relay plugin turns the heads and messages that it reads into intents, and writes offers and
 * refusals. The engine does the rest: it verifies tokens, keeps the limits, registers listeners,
 * lets senders wait, joins two connections and moves their bytes. The engine copies an intent, with
 * its facts and answers: the next step may run in the instance of another shard.
 *
 * How two connections meet: a sender's head is a CONNECT; the engine keeps that connection waiting
 * ("parked") and makes a capability for it, a random text that can be used once. offer() writes the
 * message that tells a listener of it. The listener dials the relay again, and its head, which
 * holds the capability, is an ACCEPT or a REJECT.
 */
#ifndef CULVERT_RELAY_H
#define CULVERT_RELAY_H

#include "culvert/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CULVERT_KIND_RELAY "culvert.kind.relay/1"

enum culvert_body_kind { CULVERT_BODY_NONE = 0, CULVERT_BODY_LENGTH = 1, CULVERT_BODY_CHUNKED = 2 };

/* What a connection sent first. */
typedef struct culvert_head {
  uint32_t size;
  uint32_t form; /* the head_form of the plugin's culvert_relay */
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

/* What an answer is; the other members of culvert_answer that each form uses stand beside it. */
enum culvert_answer_form {
  CULVERT_ANSWER_NONE = 0,
  CULVERT_ANSWER_HTTP = 1,    /* to HEAD_HTTP: status (101 or 200 to 599), reason, fields (at most
                                 128), a body of at most 64 KiB */
  CULVERT_ANSWER_MESSAGE = 2, /* to HEAD_MESSAGE: `message` after a 16-bit length; on a control
                                 channel: `message` in the channel's framing */
  CULVERT_ANSWER_CLOSE = 3    /* ends a control channel: with FRAMING_WEBSOCKET a Close frame with
                                 the close code `status` and the reason, else without a message */
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

/* What a connection or a message wants. The engine rejects a verb that it does not know as
   unsupported, and names the plugin; so it does with 0, an intent that was left unwritten. */
enum culvert_verb {
  CULVERT_VERB_LISTEN = 1,  /* a listener: becomes a control channel when its token is right */
  CULVERT_VERB_CONNECT = 2, /* a sender: waits, when its token is right, until a listener accepts */
  CULVERT_VERB_ACCEPT = 3,  /* a listener accepts the waiting sender of `capability` */
  CULVERT_VERB_REJECT = 4,  /* a listener refuses the waiting sender of `capability` */
  CULVERT_VERB_RENEW = 5,   /* on a control channel: a new token; `answer` is not used. If the token
                               is refused, outcome() says how the channel is closed */
  CULVERT_VERB_ANSWER = 6,  /* the engine sends `answer`; a connection then ends, a control channel
                               goes on */
  CULVERT_VERB_IGNORE = 7   /* on a control channel: nothing is to be done */
};

typedef struct culvert_intent {
  uint32_t size;
  uint32_t verb;
  culvert_view path;  /* what was asked for, decoded, without a leading '/': the entity, and perhaps
                         more below it */
  culvert_view token; /* LISTEN, CONNECT, RENEW; at most 40 KiB; empty: the peer sent none */
  culvert_view capability;     /* ACCEPT, REJECT: as offer() got it and the peer sent it back */
  culvert_view listener_id;    /* LISTEN: an earlier registration of the same id is replaced */
  culvert_view authority;      /* the host[:port] that the peer dialled, as it says (HTTP: the Host
                                  field). Of a listener it becomes the public_host and public_port
                                  of its offers when the host is one of the relay's names and the
                                  operator has set no public address; without a port, port 443. */
  culvert_view loggable_id;    /* an id that both ends may write to their logs */
  culvert_view facts;          /* what the plugin wants to know of this connection later: at most 40
                                  KiB, handed back as `facts` */
  const culvert_view *allowed; /* CONNECT: when there are some, only listeners of these ids */
  const culvert_view *denied;  /* CONNECT: no listener of these ids */
  uint32_t allowed_count;      /* at most 256 */
  uint32_t denied_count;       /* at most 256 */
  culvert_answer answer;       /* to this connection */
  culvert_answer peer_answer;  /* ACCEPT, REJECT: to the waiting sender */
  /* How this connection goes on after its answer. MESSAGES can be joined to RAW, and to MESSAGES
   * of the same largest_message; WEBSOCKET to WEBSOCKET and RAW. */
  uint32_t framing;          /* enum culvert_framing */
  uint32_t ping_interval_ms; /* 0: no pings; else at least 100 */
  culvert_view ping;         /* FRAMING_MESSAGES: the message that is a ping, and its answer */
  culvert_view pong;
  uint32_t largest_message; /* on a control channel, both ways: 16 to 65,536; 0: 65,536 */
  uint32_t reserved;
} culvert_intent;

typedef struct culvert_offer_request {
  uint32_t size;
  uint32_t public_port; /* where the listener can dial this relay: see culvert_intent.authority */
  culvert_view public_host;
  culvert_view facts;      /* of the waiting sender */
  culvert_view capability; /* lower-case hex, at most 64 digits */
} culvert_offer_request;

/* What a listener sent on its control channel. */
typedef struct culvert_channel_message {
  uint32_t size;
  uint32_t reserved;
  culvert_view facts; /* of the channel */
  culvert_message message;
} culvert_channel_message;

enum culvert_stage {
  CULVERT_STAGE_HEAD = 0,   /* a connection that waits for the answer to its head */
  CULVERT_STAGE_CHANNEL = 1 /* a control channel, which then closes: a CLOSE, or a MESSAGE, which is
                               skipped when the peer is not reading */
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

  /* What a connection wants, by its head. 0: the head is malformed; the connection is told what
     outcome() says for `error`. */
  uint32_t (*on_head)(void *instance, const culvert_head *head, culvert_arena *arena,
                      culvert_intent *intent, culvert_status *error);
  /* What a listener wants, by a message on its control channel. channel_word: the plugin's state of
     one channel, initially 0. Returns 0 if the message is malformed; the channel then ends with
     what outcome() says for `error`. */
  uint32_t (*on_message)(void *instance, uint64_t *channel_word,
                         const culvert_channel_message *said, culvert_arena *arena,
                         culvert_intent *intent, culvert_status *error);
  /* Writes the message that offers a waiting sender to a listener. 0: the sender is refused with
     `error`. */
  uint32_t (*offer)(void *instance, const culvert_offer_request *request, culvert_arena *arena,
                    culvert_message *message, culvert_status *error);
  /* Writes what a connection is told because of `why`; it is told nothing when the answer is left
     unwritten. An HTTP status is 200 to 599 here. 0: it is told nothing, and `error` is logged. */
  uint32_t (*outcome)(void *instance, const culvert_outcome_request *request, culvert_arena *arena,
                      culvert_answer *answer, culvert_status *error);
  /* A control channel has ended: the place to free what its channel_word stands for. May be NULL.
   */
  void (*on_gone)(void *instance, uint64_t *channel_word);
} culvert_relay;

#ifdef __cplusplus
}
#endif
#endif
