#include "role/advice.hpp"

#include "link/http.hpp"
#include "link/http_date.hpp"

#include <cstdlib>
#include <string>

namespace culvert {
namespace {

std::string duration(std::int64_t seconds) {
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  if (seconds < 2 * kMinute) {
    return std::to_string(seconds) + " s";
  }
  const std::string minutes = std::to_string(seconds % kHour / kMinute) + " min";
  return seconds < kHour ? minutes : std::to_string(seconds / kHour) + " h " + minutes;
}

std::string about_clock(const Refused &refused) {
  constexpr std::int64_t kMuchS = 60;
  const Field *date = find_field(refused.fields, "Date");
  const auto relay_s = date == nullptr ? std::nullopt : read_http_date(date->value);
  if (!relay_s) {
    return "check this machine's clock";
  }
  const std::int64_t ahead_s = *relay_s - refused.wall_s;
  if (std::abs(ahead_s) < kMuchS) {
    return "this machine's clock agrees with the relay's, so the token itself is too old";
  }
  return "this machine's clock is " + duration(std::abs(ahead_s)) +
         (ahead_s > 0 ? " behind" : " ahead of") + " the relay's; set it right";
}

std::string about_rule(const Refused &refused) {
  return refused.rule.empty() ? "the token" : "rule '" + std::string(refused.rule) + "'";
}

std::string advice(Code code, const Refused &refused) {
  switch (code) {
  case Code::kTokenSignature:
    return "check that the relay has " + about_rule(refused) + " and that the key is its key";
  case Code::kTokenExpired:
    return about_clock(refused);
  case Code::kTokenAudience:
    return "the token is for " + refused.entity.host + "/" + refused.entity.path +
           ", and the relay has no such name: connect to one of its names, or add this one to them";
  case Code::kTokenRight:
    return about_rule(refused) + " has no right to " +
           (refused.purpose == Purpose::kListen ? "listen" : "send") + "; use another rule";
  case Code::kNoEntity:
    return "the relay has no entity '" + refused.entity.path + "'; check EntityPath";
  default:
    return {};
  }
}

} // namespace

Status advised(Status status, const Refused &refused) {
  const std::string sentence = advice(status.code, refused);
  status.message += sentence.empty() ? "" : "; " + sentence;
  return status;
}

Status advised_of_dial(Status status) {
  const std::string who = status.source == Source::kProxy ? "the proxy" : "the relay";
  if (status.code == Code::kRefused) {
    status.message += "; nobody listens there: check host and port, and whether " + who + " runs";
  } else if (status.code == Code::kTimeout) {
    status.message += "; nothing answers there: check host and port, and the firewalls on the way";
  } else if (status.code == Code::kUnreachable) {
    status.message += "; no way leads there: check the host and the network of this machine";
  }
  return status;
}

Status advised_of_offer(Status status, const LinkDescription &target) {
  if (status.code == Code::kRefused || status.code == Code::kTimeout ||
      status.code == Code::kUnreachable || status.code == Code::kTls ||
      status.code == Code::kNoName) {
    status.note = "the relay sends its listeners to " + target.host + ":" +
                  std::to_string(target.port) +
                  ": if it is not reached there, correct the relay's public address";
  }
  return status;
}

std::string in_seconds(std::uint64_t ms) {
  const std::uint64_t tenths = (ms + 99) / 100;
  return ms == 0 ? "at once"
                 : "in " + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " s";
}

} // namespace culvert
