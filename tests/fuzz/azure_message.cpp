// A JSON message of a control channel, at the relay and at a listener; and the message that renews
// a token, with the input as the token.
//
// What is read is what a reader finds that builds the whole tree, of the same text without members
// that come twice.
#include "azure_plugin.hpp"

#include "transport_azure/json.hpp"
#include "transport_azure/text.hpp"

#include <boost/json.hpp>

#include <string>

using namespace culvert::fuzz;

namespace {

constexpr std::size_t kLargestMessage = 64UL * 1024;
constexpr std::size_t kDeepest = 16;

/// The string at a path of members, or nullptr.
const boost::json::string *find(const boost::json::value &tree,
                                std::initializer_list<std::string_view> path) {
  const boost::json::value *at = &tree;
  for (const std::string_view name : path) {
    const boost::json::object *object = at->if_object();
    at = object == nullptr ? nullptr : object->if_contains(name);
    if (at == nullptr) {
      return nullptr;
    }
  }
  return at->if_string();
}

void check_json(std::string_view text) {
  boost::json::parse_options options;
  options.max_depth = kDeepest;
  boost::json::error_code error;
  const boost::json::value tree = boost::json::parse(text, error, {}, options);
  std::vector<azure::JsonWanted> wanted{
      {"a", "b"}, {.outer = "a", .inner = "b", .innermost = "c"}, {"accept", "address"}};
  must(azure::read_json(text, wanted).valid == (!error && tree.is_object()));
  if (error || !tree.is_object()) {
    return;
  }
  const std::string again = boost::json::serialize(tree);
  boost::json::parse(again, error, {}, options);
  if (error || again.size() > kLargestMessage) { // an infinite number is written, and not read
    return;
  }
  for (azure::JsonWanted &one : wanted) {
    one.found = false;
    one.value.clear();
  }
  const azure::JsonMessage message = azure::read_json(again, wanted);
  must(message.valid && message.outer.size() == std::min<std::size_t>(tree.as_object().size(), 8));
  const std::array strings{find(tree, {"a", "b"}), find(tree, {"a", "b", "c"}),
                           find(tree, {"accept", "address"})};
  for (std::size_t i = 0; i < strings.size(); ++i) {
    must(wanted[i].found == (strings[i] != nullptr));
    must(strings[i] == nullptr || std::string_view(*strings[i]) == wanted[i].value);
  }
}

void hear_at_relay(const culvert_message &message) {
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
}

void hear_at_listener(const culvert_message &message) {
  AzureTransport &transport = azure_transport();
  Room offers;
  culvert_channel_result result{};
  result.size = sizeof result;
  std::uint64_t word = 0;
  culvert_status error = no_error();
  if (transport.kind.on_message(transport.instance, &word, &message, &offers, &result, &error) ==
      0) {
    must(error.code != CULVERT_OK);
  } else if (result.action == CULVERT_CHANNEL_OFFER) {
    Room links;
    culvert_link_description link{};
    link.size = sizeof link;
    // An offer that was taken can be dialled.
    must(transport.kind.accept(transport.instance, result.message.bytes, &links, &link, &error) !=
         0);
    must(link.port >= 1 && link.port <= 65'535 && link.host.size > 0 && link.tls == 1);
  }
}

/// A listener's new token arrives at the relay as it is.
void renew(std::string_view token) {
  AzureTransport &transport = azure_transport();
  AzureRelay &relay = azure_relay();
  std::uint64_t word = 0;
  Room room;
  culvert_channel_message said{};
  said.size = sizeof said;
  culvert_status error = no_error();
  if (!azure::is_utf8(token) ||
      transport.kind.renew(transport.instance, &word, view(token), &room, &said.message, &error) ==
          0 ||
      said.message.bytes.size > kLargestMessage) {
    return;
  }
  Room intents;
  culvert_intent intent{};
  intent.size = sizeof intent;
  must(relay.kind.on_message(relay.instance, &word, &said, &intents, &intent, &error) != 0);
  must(intent.verb == CULVERT_VERB_RENEW);
  must(std::string_view(intent.token.data, intent.token.size) == token);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  const std::string_view input = text(data, size);
  const culvert_message message{view(input), CULVERT_TEXT, 0};
  hear_at_relay(message);
  hear_at_listener(message);
  renew(input);
  if (size <= kLargestMessage) {
    check_json(input);
  }
  return 0;
}
