#include "config/connection_string.hpp"

#include "config/entity_path.hpp"
#include "config/host_name.hpp"
#include "core/limits.hpp"
#include "core/text.hpp"
#include "culvert/config.hpp"

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <cctype>
#include <charconv>
#include <optional>

namespace culvert {
namespace {

Status wrong(std::string what) {
  return Status::config("the connection string " + std::move(what));
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

/// The text in quotes after a blank if it looks like the name of a key; empty if it may be a secret
/// in the wrong place.
std::string quoted_key(const std::string &name) {
  constexpr std::size_t kLongestName = 24;
  const bool plain = !name.empty() && name.size() <= kLongestName &&
                     std::all_of(name.begin(), name.end(), [](unsigned char c) {
                       return std::isalnum(c) != 0 || c == ' ' || c == '_' || c == '-' || c == '.';
                     });
  return plain ? " '" + name + "'" : "";
}

/// The parts as written; an empty optional: not given.
struct Parts {
  std::optional<std::string> endpoint, entity_path, key_name, key, signature;
};

std::optional<std::string> *slot_of(Parts &parts, const std::string &name) {
  if (name == "endpoint") {
    return &parts.endpoint;
  }
  if (name == "entitypath") {
    return &parts.entity_path;
  }
  if (name == "sharedaccesskeyname") {
    return &parts.key_name;
  }
  if (name == "sharedaccesskey") {
    return &parts.key;
  }
  return name == "sharedaccesssignature" ? &parts.signature : nullptr;
}

Status split(std::string_view text, Parts &parts) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view part = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (part.empty()) {
      continue;
    }
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos) {
      return wrong("has a part without '='; write KEY=VALUE;KEY=VALUE");
    }
    // Blanks around a key or a value are ignored, as .NET's DbConnectionStringBuilder does.
    const std::string name(trimmed(part.substr(0, equals)));
    if (lower_case(name) == "operationtimeout") {
      continue; // of Microsoft's clients; the engine has its own deadlines
    }
    std::optional<std::string> *slot = slot_of(parts, lower_case(name));
    if (slot == nullptr) {
      return wrong("has an unknown key" + quoted_key(name) +
                   "; known are Endpoint, EntityPath, SharedAccessKeyName, SharedAccessKey and "
                   "SharedAccessSignature");
    }
    if (*slot) {
      return wrong("has " + name + " twice");
    }
    *slot = std::string(trimmed(part.substr(equals + 1)));
  }
  return {};
}

Status read_endpoint(const std::string &endpoint, ConnectionString &into) {
  const auto url = boost::urls::parse_uri(endpoint);
  if (!url || lower_case(url->scheme()) != "sb" || url->encoded_host().empty()) {
    return wrong("has an Endpoint that is no sb:// address; write Endpoint=sb://HOST[:PORT]/");
  }
  if (url->has_query() || url->has_fragment() || url->has_userinfo() ||
      (!url->encoded_path().empty() && url->encoded_path() != "/")) {
    return wrong("has more than HOST[:PORT] in its Endpoint; the path goes into EntityPath");
  }
  into.host = lower_case(std::string_view(url->host_address()));
  if (const std::string_view fault = relay_host_fault(into.host); !fault.empty()) {
    return wrong("has an Endpoint whose host " + std::string(fault));
  }
  if (url->has_port()) {
    const std::string digits(url->port()); // of 99999, port_number() makes 34463
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), into.port);
    if (error != std::errc() || end != digits.data() + digits.size() || into.port == 0) {
      return wrong("has a port in its Endpoint that is not 1 to 65535");
    }
  }
  return {};
}

Status check_credentials(const Parts &parts) {
  if (parts.signature && (parts.key || parts.key_name)) {
    return wrong("has SharedAccessSignature beside a key; keep one of them");
  }
  if (!parts.signature && !(parts.key && parts.key_name)) {
    return wrong("needs SharedAccessKeyName and SharedAccessKey (or SharedAccessSignature)");
  }
  if (parts.key && (parts.key->empty() || parts.key->size() > kRuleKeyBytes)) {
    return wrong("has a SharedAccessKey that is empty or longer than 256 characters");
  }
  if (parts.key && parts.key->find(' ') != std::string::npos) {
    return wrong("has a SharedAccessKey with a blank in it; copy the key again");
  }
  if (parts.key_name && (parts.key_name->empty() || parts.key_name->size() > kRuleNameBytes)) {
    return wrong("has a SharedAccessKeyName that is empty or longer than 256 characters");
  }
  if (parts.signature && parts.signature->empty()) {
    return wrong("has an empty SharedAccessSignature");
  }
  return {};
}

/// Azure's public cloud, China's, and that of the US government.
constexpr std::string_view kAzureSuffixes[] = {
    ".servicebus.windows.net", ".servicebus.chinacloudapi.cn", ".servicebus.usgovcloudapi.net"};

} // namespace

bool holds_connection_string(std::string_view text) {
  return lower_case(text).find("sharedaccesskey=") != std::string::npos;
}

std::vector<std::string> ConnectionString::gateways() const {
  for (const std::string_view suffix : kAzureSuffixes) {
    if (host.size() > suffix.size() && host.ends_with(suffix)) {
      return {"*" + std::string(suffix)};
    }
  }
  return {};
}

Result<ConnectionString> ConnectionString::parse(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), is_control)) {
    return wrong("holds a line break or another control character; it is one line");
  }
  Parts parts;
  if (Status status = split(text, parts); !status.ok()) {
    return status;
  }
  ConnectionString result;
  if (!parts.endpoint) {
    return wrong("has no Endpoint; write Endpoint=sb://HOST[:PORT]/");
  }
  if (Status status = read_endpoint(*parts.endpoint, result); !status.ok()) {
    return status;
  }
  if (!parts.entity_path || parts.entity_path->empty()) {
    return wrong("has no EntityPath; take the entity's own string, or add EntityPath=NAME");
  }
  if (const std::string remedy = entity_path_remedy(*parts.entity_path); !remedy.empty()) {
    return wrong("has an EntityPath that names no entity: " + remedy);
  }
  if (Status status = check_credentials(parts); !status.ok()) {
    return status;
  }
  result.entity_path = *parts.entity_path;
  result.key_name = parts.key_name.value_or("");
  if (parts.key) {
    result.key = Secret::take(*parts.key);
  } else {
    result.signature = Secret::take(*parts.signature);
  }
  return result;
}

} // namespace culvert
