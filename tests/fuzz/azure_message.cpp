// A JSON message of a control channel, at the relay and at a listener.
#include "azure_plugin.hpp"

using namespace culvert::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const culvert_message message{view(text(data, size)), CULVERT_TEXT, 0};
  culvert_status error = no_error();
  std::uint64_t word = 0;
  Room room;
  culvert_channel_message said{};
  said.size = sizeof said;
  said.message = message;
  culvert_intent intent{};
  intent.size = sizeof intent;
  AzureRelay &relay = azure_relay();
  if (relay.kind.on_message(relay.instance, &word, &said, &room, &intent, &error) == 0) {
    must(error.code != CULVERT_OK);
  }
  relay.kind.on_gone(relay.instance, &word);
  AzureTransport &transport = azure_transport();
  Room offers;
  culvert_channel_result result{};
  result.size = sizeof result;
  word = 0;
  error = no_error();
  if (transport.kind.on_message(transport.instance, &word, &message, &offers, &result, &error) ==
      0) {
    must(error.code != CULVERT_OK);
  } else if (result.action == CULVERT_CHANNEL_OFFER) {
    Room links;
    culvert_link_description link{};
    link.size = sizeof link;
    static_cast<void>(
        transport.kind.accept(transport.instance, result.message.bytes, &links, &link, &error));
  }
  return 0;
}
