#include "verify.hpp"

#include "audience.hpp"
#include "token.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace sas {
namespace {

using culvert::sdk::text;

/// Of a rule's name in a note.
constexpr std::size_t kShownName = 100;
constexpr std::uint32_t kAllRights =
    CULVERT_RIGHT_LISTEN | CULVERT_RIGHT_SEND | CULVERT_RIGHT_MANAGE;

/// For the relay's log. An engine of the first ABI has no room for it.
void note(culvert_verify &record, const std::string &sentence) {
  if (record.size >= offsetof(culvert_verify, note) + sizeof record.note) {
    const std::size_t size = std::min(sentence.size(), sizeof record.note - 1);
    std::copy_n(sentence.data(), size, record.note);
    record.note[size] = '\0';
  }
}

/// `why` goes to the relay's log alone.
void refuse(culvert_verify &record, std::uint32_t code, std::string_view sentence,
            const std::string &why = {}) {
  note(record, why);
  culvert_fail(&record.status, code, CULVERT_SOURCE_RELAY,
               code == CULVERT_TOKEN_RIGHT ? CULVERT_RETRY_NEVER : CULVERT_RETRY_NEW_TOKEN, "%.*s",
               static_cast<int>(sentence.size()), sentence.data());
}

struct Found {
  bool named = false; // a rule has the token's name
  std::uint32_t rights = 0;
};

/// The rights of every rule whose name and key fit. Every rule and key is tried even when one has
/// fitted, so that the time it takes tells neither which rules exist nor how near a signature was.
Found look_up(const culvert::sdk::Host &host, const culvert_verify &record, const Token &token) {
  const std::string signed_text = std::string(token.audience) + "\n" + std::string(token.expiry);
  Found found;
  for (std::uint32_t i = 0; i < record.rule_count; ++i) {
    const culvert_rule &rule = record.rules[i];
    const bool named = equal_ignoring_case(text(rule.name), token.key_name);
    found.named = named || found.named;
    for (std::uint32_t k = 0; k < rule.secret_count && k < 2; ++k) {
      std::array<std::uint8_t, 32> digest{};
      const bool known = host.hmac_sha256(rule.secrets[k], signed_text, digest.data());
      const std::string expected =
          base64({reinterpret_cast<const char *>(digest.data()), digest.size()});
      const bool fits = culvert_view_equal_secret(culvert::sdk::view(expected),
                                                  culvert::sdk::view(token.signature)) != 0;
      found.rights |= known && named && fits ? rule.rights : 0U;
    }
  }
  if ((found.rights & CULVERT_RIGHT_MANAGE) != 0) {
    found.rights = kAllRights;
  }
  return found;
}

std::string_view name_of(std::uint32_t right) {
  return right == CULVERT_RIGHT_LISTEN ? "Listen" : right == CULVERT_RIGHT_SEND ? "Send" : "Manage";
}

/// What the refusal of a signature does not tell the peer.
std::string unfit(const Found &found, const std::string &rule) {
  return found.named ? "the key of " + rule + " differs" : "there is no " + rule;
}

std::string audience_note(const Token &token, Cover cover, std::string_view path,
                          const std::vector<std::string_view> &names) {
  constexpr std::size_t kShown = 80; // of each
  std::string text = "the token is for " +
                     percent_decode(token.audience).value_or(std::string()).substr(0, kShown);
  if (cover == Cover::kOtherPath) {
    return text + ", asked is " +
           std::string(culvert::sdk::plain_beginning(path).substr(0, kShown));
  }
  text += ", this relay is ";
  for (const std::string_view name : names) {
    text += (name == names.front() ? "" : ", ") + std::string(name.substr(0, kShown));
  }
  return text;
}

std::string_view deed_of(std::uint32_t right) {
  return right == CULVERT_RIGHT_LISTEN ? "listen" : right == CULVERT_RIGHT_SEND ? "send" : "manage";
}

std::vector<std::string_view> names_of(const culvert_verify &record) {
  std::vector<std::string_view> names;
  for (std::uint32_t i = 0; i < record.name_count; ++i) {
    names.push_back(text(record.names[i]));
  }
  return names;
}

} // namespace

void verify(const culvert::sdk::Host &host, std::int64_t clock_skew_s, culvert_verify &record) {
  record.rights = 0;
  record.expires_s = 0;
  record.status.code = CULVERT_OK;
  if (record.token.size == 0) {
    refuse(record, CULVERT_TOKEN_MISSING, "MissingToken: The authorization header was not found.");
    return;
  }
  std::string_view wrong;
  const auto token = parse(text(record.token), wrong);
  const std::vector<std::string_view> names = names_of(record);
  const Cover cover =
      token ? covers(token->audience, text(record.path), names) : Cover::kUnreadable;
  if (token && cover == Cover::kUnreadable) {
    wrong = "sr is not the encoded URL of a resource";
  }
  if (!token || cover == Cover::kUnreadable) {
    refuse(record, CULVERT_TOKEN_MALFORMED,
           "TokenMissingOrInvalid: Malformed token: " + std::string(wrong) + ".");
    return;
  }
  const Found found = look_up(host, record, *token);
  const std::string rule = "rule '" + token->key_name.substr(0, kShownName) + "'";
  if (found.rights == 0) {
    refuse(record, CULVERT_TOKEN_SIGNATURE, "The token has an invalid signature.",
           unfit(found, rule));
  } else if (record.wall_s - clock_skew_s > token->expires_s) {
    refuse(record, CULVERT_TOKEN_EXPIRED,
           "ExpiredToken: The token is expired. Expiration time: '" +
               culvert::sdk::utc_time(token->expires_s) + "Z'.",
           "by this machine's clock the token of " + rule + " expired " +
               std::to_string(record.wall_s - token->expires_s) + " s ago");
  } else if (cover != Cover::kYes) {
    refuse(record, CULVERT_TOKEN_AUDIENCE,
           "InvalidAudience: The authorization header contains a token with a wrong audience.",
           audience_note(*token, cover, text(record.path), names));
  } else if ((found.rights & record.right_wanted) == 0) {
    refuse(record, CULVERT_TOKEN_RIGHT,
           "Authorization failed for specified action: " +
               std::string(name_of(record.right_wanted)),
           rule + " has no right to " + std::string(deed_of(record.right_wanted)));
  } else {
    note(record, token->key_name);
    record.rights = found.rights;
    record.expires_s = token->expires_s;
  }
}

} // namespace sas
