// A connection string of Azure's portal, and HOST:PORT: a failure never quotes a key.
#include "fuzz.hpp"

#include "culvert/config.hpp"

using namespace culvert;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string_view input = fuzz::text(data, size);
  const Result<ConnectionString> read = ConnectionString::parse(input);
  if (read.ok()) {
    fuzz::must(!read.value().host.empty());
    static_cast<void>(read.value().gateways());
  } else {
    fuzz::must(!read.status().message.empty());
    fuzz::must(read.status().message.find('\n') == std::string::npos);
  }
  const Result<HostPort> address = HostPort::parse(input, "the address");
  if (address.ok()) {
    const Result<HostPort> again = HostPort::parse(address.value().text(), "the address");
    fuzz::must(again.ok() && again.value().text() == address.value().text());
  }
  return 0;
}
