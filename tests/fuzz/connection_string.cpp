// A connection string of Azure's portal, HOST:PORT and a proxy's URL: a failure is one line and
// never quotes a secret.
#include "fuzz.hpp"

#include "culvert/config.hpp"

#include <string>

using namespace culvert;
using culvert::fuzz::must;

namespace {

constexpr std::string_view kSecret = "Se~cret~of~a~rule";

template <typename T> void check(const Result<T> &read) {
  if (!read.ok()) {
    const std::string &message = read.status().message;
    must(!message.empty() && message.find('\n') == std::string::npos);
    must(message.find(kSecret) == std::string::npos);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string input(fuzz::text(data, size));
  const Result<ConnectionString> read = ConnectionString::parse(input);
  check(read);
  if (read.ok()) {
    must(!read.value().host.empty() && !read.value().entity_path.empty());
    static_cast<void>(read.value().gateways());
  }
  for (const char *name : {"SharedAccessKey=", "SharedAccessSignature=", "sharedaccesskey = "}) {
    check(ConnectionString::parse(input + ";" + name + std::string(kSecret)));
    check(ConnectionString::parse(name + std::string(kSecret) + ";" + input));
  }
  const Result<HostPort> address = HostPort::parse(input, "the address");
  if (address.ok()) {
    const Result<HostPort> again = HostPort::parse(address.value().text(), "the address");
    must(again.ok() && again.value().text() == address.value().text());
  }
  check(ProxyConfig::parse(input));
  check(ProxyConfig::parse("http://user:" + std::string(kSecret) + "@" + input));
  check(ProxyConfig::parse(input + ":" + std::string(kSecret) + "@proxy.test"));
  return 0;
}
