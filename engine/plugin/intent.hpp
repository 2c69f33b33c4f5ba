// What a relay plugin has read from a head or a message, in the engine's own values. Plain data
// without a thread: it is passed between shards by value, and a holder owns its copy.
#pragma once

#include "link/description.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace culvert {

enum class Verb : std::uint8_t { kListen, kConnect, kAccept, kReject, kRenew, kAnswer, kIgnore };

struct Intent {
  Verb verb = Verb::kIgnore;
  std::string path; // decoded, without a leading '/': the entity and what is below it
  std::string token;
  std::string capability;
  std::string listener_id;
  std::string authority; // host[:port] the peer says it dialled
  std::string
      loggable_id;   // the part of this connection that may be logged, in addition to its path
  std::string facts; // the plugin's own bytes, at most kFactsBytes
  std::vector<std::string> allowed;
  std::vector<std::string> denied;
  Answer answer;      // to this connection
  Answer peer_answer; // to the connection that it is joined with
  FramingOptions framing;
};

enum class BodyKind : std::uint8_t { kNone, kLength, kChunked };

/// The first thing that a connection sent.
struct Head {
  HeadForm form = HeadForm::kHttp;
  std::string method;
  std::string target; // exactly as sent
  std::vector<Field> fields;
  BodyKind body_kind = BodyKind::kNone;
  std::uint64_t body_length = 0;
  std::string message; // of HeadForm::kMessage
  std::string remote_host;
  std::uint16_t remote_port = 0;
};

} // namespace culvert
