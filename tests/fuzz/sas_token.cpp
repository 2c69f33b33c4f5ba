// A shared access signature: the views of what was read are parts of the input.
#include "fuzz.hpp"

#include "auth_sas/token.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  using culvert::fuzz::must;
  const std::string_view input = culvert::fuzz::text(data, size);
  std::string_view wrong;
  const auto token = sas::parse(input, wrong);
  must(token.has_value() == wrong.empty());
  if (token) {
    must(token->expires_s >= 0);
    must(token->audience.empty() ||
         (token->audience.data() >= input.data() &&
          token->audience.data() + token->audience.size() <= input.data() + input.size()));
  }
  return 0;
}
