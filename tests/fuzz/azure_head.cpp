// A request head at the relay's half of transport_azure, and what it says to each outcome. Input:
// the request target, then a line for each field, NAME:VALUE.
#include "azure_plugin.hpp"

using namespace culvert::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  std::string_view rest = text(data, size);
  const std::string_view target = take_line(rest);
  std::vector<culvert_field> fields;
  while (!rest.empty() && fields.size() < 128) {
    const std::string_view line = take_line(rest);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) {
      fields.push_back({view(line.substr(0, colon)), view(line.substr(colon + 1)), 0, 0});
    }
  }
  AzureRelay &relay = azure_relay();
  culvert_head head{};
  head.size = sizeof head;
  head.form = CULVERT_HEAD_HTTP;
  head.method = view("GET");
  head.target = view(target);
  head.fields = fields.data();
  head.field_count = static_cast<std::uint32_t>(fields.size());
  head.remote_host = view("192.0.2.7");
  Room room;
  culvert_intent intent{};
  intent.size = sizeof intent;
  culvert_status error = no_error();
  if (relay.kind.on_head(relay.instance, &head, &room, &intent, &error) == 0) {
    must(error.code != CULVERT_OK);
    return 0;
  }
  for (const std::uint32_t code : {CULVERT_TOKEN_MISSING, CULVERT_NO_LISTENER, CULVERT_TIMEOUT}) {
    culvert_outcome_request request{};
    request.size = sizeof request;
    request.stage = CULVERT_STAGE_HEAD;
    request.facts = intent.facts;
    culvert_status why = no_error();
    why.code = code;
    request.why = &why;
    Room answers;
    culvert_answer answer{};
    if (relay.kind.outcome(relay.instance, &request, &answers, &answer, &error) != 0) {
      must(answer.status >= 200 && answer.status <= 599 && answer.reason.size <= 512);
    }
  }
  return 0;
}
