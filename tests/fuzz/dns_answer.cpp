// What a DNS server answered: the first byte chooses the question and c-ares' verdict.
#include "fuzz.hpp"

#include "resolver_dns/answer.hpp"
#include "resolver_dns/ares.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  using culvert::fuzz::must;
  if (size == 0) {
    return 0;
  }
  const int status = (data[0] & 2U) == 0   ? ARES_SUCCESS
                     : (data[0] & 4U) == 0 ? ARES_ENODATA
                                           : ARES_ENOTFOUND;
  const dns::Answer answer = dns::read_answer(
      (data[0] & 1U) == 0 ? dns::Type::kA : dns::Type::kAaaa, status, {data + 1, size - 1});
  must(answer.addresses.size() <= CULVERT_MOST_ADDRESSES);
  must((answer.kind == dns::Answer::Kind::kFound) == !answer.addresses.empty());
  return 0;
}
