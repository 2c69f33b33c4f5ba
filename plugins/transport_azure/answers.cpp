#include "answers.hpp"

#include "culvert/text.hpp"
#include "text.hpp"

#include <array>

namespace azure {
namespace {

constexpr std::size_t kSentenceBytes = 240;
/// 512 - sentence 240 - id 104 - the words around them 63 - timestamp 19, rounded down.
constexpr std::size_t kTrackerBytes = 80;

struct Sentence {
  std::uint32_t code;
  std::uint32_t status;
  const char *text;
  bool prefer_message; // the auth plugin's own sentence says more
};

constexpr std::array kSentences{
    Sentence{CULVERT_TOKEN_MISSING, 401, "MissingToken: The authorization header was not found.",
             true},
    Sentence{CULVERT_TOKEN_MALFORMED, 401, "TokenMissingOrInvalid: Malformed token.", true},
    Sentence{CULVERT_TOKEN_SIGNATURE, 401, "The token has an invalid signature.", true},
    Sentence{CULVERT_TOKEN_EXPIRED, 401, "ExpiredToken: The token is expired.", true},
    Sentence{CULVERT_TOKEN_AUDIENCE, 401,
             "InvalidAudience: The authorization header contains a token with a wrong audience.",
             true},
    Sentence{CULVERT_NO_ENTITY, 404, "Endpoint does not exist.", false},
    Sentence{CULVERT_NO_LISTENER, 404, "There are no listeners connected for the endpoint.", false},
    Sentence{CULVERT_NONE_ALLOWED, 404,
             "None of the connected listeners meet the AllowedListeners/DisallowedListeners "
             "criteria.",
             false},
    Sentence{CULVERT_GONE, 403,
             "The connection id is unknown or was used; is the listener accepting too late?",
             false},
    Sentence{CULVERT_TIMEOUT, 504,
             "None of the connected listeners accepted the connection within the allowed timeout.",
             false},
    Sentence{CULVERT_QUOTA, 403,
             "QuotaExceeded: The endpoint has as many listeners as it may have "
             "(MaximumListenersPerEndpoint).",
             false},
    Sentence{CULVERT_OVERLOAD, 503, "The relay is too busy; try again later.", false},
    Sentence{CULVERT_SHUTTING_DOWN, 503, "The relay is shutting down; try again later.", false},
    Sentence{CULVERT_TOO_LARGE, 431, "The request's header fields are too large.", false},
    Sentence{CULVERT_PROTOCOL, 400, "The request is malformed.", false},
    Sentence{CULVERT_UNSUPPORTED, 501, "The relay does not support this request.", false},
};

std::string_view action_of(const Facts &facts) {
  return facts.role == Role::kListener ? "Listen" : "Send";
}

void add_field(const culvert_field &field, culvert::sdk::Arena arena, culvert_answer &answer) {
  answer.fields = arena.fields({&field, 1});
  answer.field_count = 1;
}

/// A 401 without this header is a protocol violation to Jetty.
void challenge(culvert::sdk::Arena arena, culvert_answer &answer) {
  if (answer.status != 401) {
    return;
  }
  add_field(culvert_field_of(CULVERT_LITERAL("WWW-Authenticate"),
                             CULVERT_LITERAL("SharedAccessSignature")),
            arena, answer);
}

void write(std::uint32_t status, std::string_view reason, culvert::sdk::Arena arena,
           culvert_answer &answer) {
  answer.form = CULVERT_ANSWER_HTTP;
  answer.status = status;
  answer.reason = arena.copy(clean(reason, kReasonBytes));
  challenge(arena, answer);
}

std::string_view standard_phrase(std::uint32_t status) {
  switch (status) {
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 500:
    return "Internal Server Error";
  case 502:
    return "Bad Gateway";
  case 503:
    return "Service Unavailable";
  default:
    return "Rejected";
  }
}

} // namespace

Refusal refusal_of(const Facts &facts, const culvert_status &why) {
  if (why.code == CULVERT_QUOTA && facts.role == Role::kSender) {
    return {403, "QuotaExceeded: The endpoint has as many connections as it may have."};
  }
  for (const Sentence &sentence : kSentences) {
    if (sentence.code == why.code) {
      const bool own = sentence.prefer_message && why.message[0] != '\0';
      return {sentence.status, own ? why.message : sentence.text};
    }
  }
  switch (why.code) {
  case CULVERT_TOKEN_RIGHT:
    return {403, "Authorization failed for specified action: " + std::string(action_of(facts))};
  case CULVERT_REJECTED:
    return {why.peer_status >= 300 && why.peer_status <= 599 ? why.peer_status : 502,
            why.message[0] != '\0' ? why.message : "Rejected by the listener."};
  default:
    return {500, "InternalServerError: The relay could not handle the request."};
  }
}

void write_refusal(const culvert::sdk::Host &host, const Facts &facts, const Refusal &refusal,
                   culvert::sdk::Arena arena, culvert_answer &answer) {
  const std::string whole = std::string(host_of(facts.authority)) + "/" + facts.path;
  const std::string_view tracker = culvert::sdk::plain_beginning(whole);
  std::string reason = clean(refusal.sentence, kSentenceBytes);
  reason += " TrackingId:" + clean(facts.tracking, 104);
  reason += ", SystemTracker:sb://" + clean(tracker, kTrackerBytes);
  reason += ", Timestamp:" + culvert::sdk::utc_time(host.wall_s());
  write(refusal.status, reason, arena, answer);
}

void write_rejection(std::uint32_t status, std::string_view description, culvert::sdk::Arena arena,
                     culvert_answer &answer) {
  // 1xx and 2xx would look like success to the sender; beyond 599 HTTP has no status.
  const std::uint32_t shown = status < 300 || status > 599 ? 502 : status;
  const std::string cleaned = clean(description, kReasonBytes);
  write(shown, cleaned.empty() ? standard_phrase(shown) : cleaned, arena, answer);
}

void write_gone(culvert::sdk::Arena arena, culvert_answer &answer) {
  write(410, "Gone", arena, answer);
}

void write_switching(std::string_view protocol, culvert::sdk::Arena arena, culvert_answer &answer) {
  write(101, "Switching Protocols", arena, answer);
  if (protocol.empty()) {
    return;
  }
  add_field(culvert_field_of(CULVERT_LITERAL("Sec-WebSocket-Protocol"), arena.copy(protocol)),
            arena, answer);
}

} // namespace azure
