#include "role/proxy.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "io/address.hpp"

#include <algorithm>
#include <charconv>

namespace culvert {
namespace {

constexpr std::uint16_t kProxyAuthenticationRequired = 407;
constexpr std::uint16_t kUnauthorized = 401; // some proxies answer a wrong password so

Status refused(Code code, Retry retry, std::uint16_t answer, std::string message) {
  Status status = Status::failure(code, Source::kProxy, retry, std::move(message));
  status.peer_status = answer;
  return status;
}

std::string without_brackets(std::string_view host) {
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  return std::string(bracketed ? host.substr(1, host.size() - 2) : host);
}

/// Whether "ADDRESS/BITS" has this address.
bool has_address(std::string_view network, const Address &address) {
  const std::size_t slash = network.find('/');
  const auto base = Address::from_literal(network.substr(0, slash), 0);
  if (!base || base->family != address.family) {
    return false;
  }
  unsigned bits = address.family == Address::Family::kIpv4 ? 32 : 128;
  if (slash != std::string_view::npos) {
    const std::string_view digits = network.substr(slash + 1);
    unsigned written = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), written);
    if (error != std::errc() || end != digits.data() + digits.size() || written > bits) {
      return false;
    }
    bits = written;
  }
  const unsigned whole = bits / 8;
  const unsigned rest = bits % 8;
  const auto mask = static_cast<std::uint8_t>(0xff00U >> rest);
  return std::equal(base->bytes.begin(), base->bytes.begin() + whole, address.bytes.begin()) &&
         (rest == 0 || ((base->bytes[whole] ^ address.bytes[whole]) & mask) == 0);
}

/// "example.com", ".example.com" and "*.example.com" have a host and the hosts below it.
bool has_name(std::string_view suffix, std::string_view host) {
  if (suffix.starts_with("*.")) {
    suffix.remove_prefix(1);
  }
  if (suffix.starts_with('.')) {
    suffix.remove_prefix(1);
  }
  return !suffix.empty() && host.ends_with(suffix) &&
         (host.size() == suffix.size() || host[host.size() - suffix.size() - 1] == '.');
}

} // namespace

Proxy::Proxy(const ProxyConfig &config)
    : address_(config.address), origin_(config.origin), credentials_(config.credentials.clone()) {
  for (const std::string &host : config.except) {
    except_.push_back(without_brackets(lower_case(host)));
  }
}

std::string Proxy::title() const {
  return origin_.empty()
             ? "the proxy"
             : "the proxy of " + origin_ + " (unset it, or set proxy to none, if it is not meant)";
}

bool Proxy::leads_to(std::string_view host) const {
  const std::string name = lower_case(host);
  const auto address = Address::from_literal(name, 0);
  return std::none_of(except_.begin(), except_.end(), [&](const std::string &item) {
    return item == "*" || (address ? has_address(item, *address) : has_name(item, name));
  });
}

Result<std::string> Proxy::request(const std::string &host, std::uint16_t port) const {
  std::vector<Field> fields;
  if (!credentials_.empty()) {
    fields.push_back({"Proxy-Authorization", "Basic " + base64(credentials_.bytes())});
  }
  const std::string target = HostPort{host, port, {}}.text();
  return build_request("CONNECT", target, target, fields);
}

Status Proxy::judge(const ResponseHead &answer, const std::string &host, std::uint16_t port) const {
  if (answer.status >= 200 && answer.status < 300) {
    return {};
  }
  const std::string target = HostPort{host, port, {}}.text();
  const std::string number = std::to_string(answer.status);
  if (answer.status == kProxyAuthenticationRequired || answer.status == kUnauthorized) {
    return wants_password(answer);
  }
  if (answer.status == 403) {
    return refused(Code::kRejected, Retry::kNever, answer.status,
                   "it does not allow connections to " + target +
                       " (403): let its rules allow CONNECT to this host and port");
  }
  if (answer.status >= 500) {
    return refused(Code::kUnreachable, Retry::kBackoff, answer.status,
                   "it does not reach " + target + " (" + number +
                       "): check the relay's name and port, and that the proxy can connect to it");
  }
  return refused(Code::kRejected, Retry::kNever, answer.status,
                 "it answers CONNECT to " + target + " with " + number +
                     ": check that it is an HTTP proxy that allows CONNECT");
}

Status Proxy::wants_password(const ResponseHead &answer) const {
  const auto is_basic = [](const Field &field) {
    return (same_word(field.name, "Proxy-Authenticate") ||
            same_word(field.name, "WWW-Authenticate")) &&
           lower_case(field.value).find("basic") != std::string::npos;
  };
  const std::string number = " (" + std::to_string(answer.status) + ")";
  std::string message;
  if (std::none_of(answer.fields.begin(), answer.fields.end(), is_basic)) {
    message = "it asks for an authentication other than Basic" + number +
              ", the only one that is known here: let it accept Basic, or this machine without a "
              "password";
  } else if (credentials_.empty()) {
    message = "it asks for a user and a password" + number +
              ": set proxy_credentials to env:NAME or "
              "file:PATH, which has USER:PASSWORD";
  } else {
    message =
        "it refuses the user or the password in proxy_credentials" + number + ": correct them";
  }
  return refused(Code::kRejected, Retry::kNever, answer.status, std::move(message));
}

Status Proxy::unread(const Status &why) {
  Status status = why;
  status.source = Source::kProxy;
  if (why.code == Code::kTruncated || why.code == Code::kReset) {
    status.message = "it closed the connection before it answered CONNECT: check that an HTTP "
                     "proxy listens there, and its log";
  } else if (why.code == Code::kProtocol || why.code == Code::kTooLarge) {
    status.message = "its answer to CONNECT is not HTTP: check that an HTTP proxy listens there";
  }
  return status;
}

} // namespace culvert
