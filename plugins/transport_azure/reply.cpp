// What a relay's answer means: a status for the operator, and what to do next.
#include "client.hpp"

#include "text.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace azure {
namespace {

using culvert::sdk::text;

constexpr std::size_t kReasonBytes = 400; // what a status message has room for

struct Meaning {
  std::uint32_t status;
  culvert_code code;
  culvert_retry retry;
};

constexpr std::array kHttpMeanings{
    Meaning{401, CULVERT_REJECTED, CULVERT_RETRY_NEW_TOKEN},
    Meaning{403, CULVERT_REJECTED, CULVERT_RETRY_NEVER},
    Meaning{404, CULVERT_REJECTED, CULVERT_RETRY_BACKOFF},
    Meaning{408, CULVERT_TIMEOUT, CULVERT_RETRY_BACKOFF},
    Meaning{429, CULVERT_OVERLOAD, CULVERT_RETRY_BACKOFF},
    Meaning{503, CULVERT_OVERLOAD, CULVERT_RETRY_BACKOFF},
    Meaning{504, CULVERT_TIMEOUT, CULVERT_RETRY_BACKOFF},
};

/// By which Azure's service, and this relay, tell refusals of one status apart.
struct Words {
  std::uint32_t status;
  const char *words;
  culvert_code code;
  culvert_retry retry;
};

constexpr std::array kRefusals{
    Words{401, "invalid signature", CULVERT_TOKEN_SIGNATURE, CULVERT_RETRY_NEW_TOKEN},
    Words{401, "ExpiredToken", CULVERT_TOKEN_EXPIRED, CULVERT_RETRY_NEW_TOKEN},
    Words{401, "InvalidAudience", CULVERT_TOKEN_AUDIENCE, CULVERT_RETRY_NEW_TOKEN},
    Words{403, "Authorization failed", CULVERT_TOKEN_RIGHT, CULVERT_RETRY_NEVER},
    Words{403, "MaximumListenersPerEndpoint", CULVERT_QUOTA, CULVERT_RETRY_BACKOFF},
    Words{403, "QuotaExceeded", CULVERT_QUOTA, CULVERT_RETRY_BACKOFF},
};

Meaning meaning_of_http(std::uint32_t status, std::string_view reason) {
  if (status == 404) {
    const bool no_listener = reason.find("listeners") != std::string_view::npos;
    const bool no_entity = reason.starts_with("Endpoint does not exist");
    return {404,
            no_listener ? CULVERT_NO_LISTENER
            : no_entity ? CULVERT_NO_ENTITY
                        : CULVERT_REJECTED,
            CULVERT_RETRY_BACKOFF};
  }
  for (const Words &refusal : kRefusals) {
    if (refusal.status == status && reason.find(refusal.words) != std::string_view::npos) {
      return {status, refusal.code, refusal.retry};
    }
  }
  for (const Meaning &meaning : kHttpMeanings) {
    if (meaning.status == status) {
      return meaning;
    }
  }
  if (status >= 500) {
    return {status, CULVERT_REJECTED, CULVERT_RETRY_BACKOFF};
  }
  return {status, status >= 400 ? CULVERT_REJECTED : CULVERT_PROTOCOL, CULVERT_RETRY_NEVER};
}

/// What an operator is told of an answer that no Azure Relay gives. A 404 without the service's
/// words may come from a listener that refused the sender.
std::string advice_for(culvert_purpose purpose, std::uint32_t status, std::string_view reason) {
  constexpr char kCheck[] = "no Azure Relay is there: check the Endpoint's host and port";
  const bool said_by_a_relay = reason.starts_with("Endpoint does not exist") ||
                               reason.find("listeners") != std::string_view::npos ||
                               reason.find("TrackingId") != std::string_view::npos;
  if (status < 400 || (status == 404 && !said_by_a_relay && purpose == CULVERT_PURPOSE_LISTEN)) {
    return std::string("; ") + kCheck;
  }
  if (status == 404 && !said_by_a_relay && purpose == CULVERT_PURPOSE_DIAL) {
    return std::string("; if no listener said so, ") + kCheck;
  }
  return "";
}

/// What may be logged of the relay's reason: it is cut where it seems to quote our token.
std::string quotable(std::string_view reason) {
  std::string quoted = clean(reason, kReasonBytes);
  const std::string small = lower(quoted);
  for (const char *mark : {"sharedaccesssignature", "sig=", "sig%3d"}) {
    quoted.resize(std::min(quoted.size(), small.find(mark)));
  }
  return quoted;
}

[[noreturn]] void fail(const Meaning &meaning, std::string_view what, std::string_view reason,
                       const std::string &advice = "") {
  std::string sentence = std::string(what) + " " + std::to_string(meaning.status);
  const std::string quoted = quotable(reason);
  sentence += quoted.empty() ? "" : ": " + quoted;
  sentence += advice;
  throw culvert::sdk::Error(meaning.code, CULVERT_SOURCE_RELAY, meaning.retry, sentence,
                            meaning.status);
}

} // namespace

void on_reply(culvert_purpose purpose, const culvert_reply &reply, culvert_reply_result &result) {
  const std::string_view reason = text(reply.reason);
  if (reply.form == CULVERT_REPLY_CLOSE) {
    const bool token = reply.status == 1008;
    if (reply.status == 0) {
      throw culvert::sdk::Error(CULVERT_GONE, CULVERT_SOURCE_RELAY, CULVERT_RETRY_BACKOFF,
                                "the relay closed the control channel without a code");
    }
    fail({reply.status, token ? CULVERT_REJECTED : CULVERT_GONE,
          token ? CULVERT_RETRY_NEW_TOKEN : CULVERT_RETRY_BACKOFF},
         "the relay closed the control channel with", reason);
  }
  const std::uint32_t wanted = purpose == CULVERT_PURPOSE_REJECT ? 410 : 101;
  if (reply.form != CULVERT_REPLY_HTTP || reply.status != wanted) {
    const bool http = reply.form == CULVERT_REPLY_HTTP;
    fail(meaning_of_http(reply.status, reason), "the relay answered", reason,
         http ? advice_for(purpose, reply.status, reason) : "");
  }
  result.verdict = CULVERT_VERDICT_DONE;
}

} // namespace azure
