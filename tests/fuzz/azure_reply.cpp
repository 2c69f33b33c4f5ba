// What a relay answers to a listener or a sender: the verdict is a success for the one right
// status, and what may be logged is one line that quotes no token.
//
// Input: the purpose, the form, two bytes of the status, then the reason.
#include "azure_plugin.hpp"

#include "transport_azure/text.hpp"

using namespace culvert::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  if (size < 4) {
    return 0;
  }
  const std::uint32_t purpose = data[0] % 4U;
  culvert_reply reply{};
  reply.size = sizeof reply;
  reply.form = data[1] % 3U;
  reply.status = (data[2] * 256U + data[3]) % 5000U;
  reply.reason = view(text(data + 4, size - 4));
  AzureTransport &transport = azure_transport();
  Room room;
  culvert_reply_result result{};
  result.size = sizeof result;
  culvert_status error = no_error();
  transport.kind.on_reply(transport.instance, purpose, &reply, &room, &result, &error);
  const std::uint32_t wanted = purpose == CULVERT_PURPOSE_REJECT ? 410 : 101;
  const bool right = reply.form == CULVERT_REPLY_HTTP && reply.status == wanted;
  must((result.verdict == CULVERT_VERDICT_DONE) == right);
  if (right) {
    return 0;
  }
  must(result.verdict == CULVERT_VERDICT_FAIL && error.code != CULVERT_OK);
  must(error.source == CULVERT_SOURCE_RELAY);
  const std::string_view message(error.message, strnlen(error.message, sizeof error.message));
  must(!message.empty() && message.size() < sizeof error.message);
  for (const char letter : message) {
    must(letter >= 0x20 && letter < 0x7f);
  }
  const std::string small = azure::lower(message);
  for (const char *mark : {"sharedaccesssignature", "sig=", "sig%3d"}) {
    must(small.find(mark) == std::string::npos);
  }
  return 0;
}
