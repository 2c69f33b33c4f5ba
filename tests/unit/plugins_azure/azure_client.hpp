// The plugin's calls for a listener and a sender, each as one function with what it gave.
#pragma once

#include "unit/plugins_azure/azure.hpp"

namespace culvert_test {

struct ReadLink {
  bool made = false;
  std::string host, server_name, alpn, target, authority;
  uint32_t tls = 0, port = 0, head_form = 0, framing = 0, ping_interval_ms = 0;
  std::map<std::string, std::pair<std::string, uint32_t>> fields;
};

struct AzureClient : testing::Test {
  AzureClient() : client(host, culvert_plugin_v1_transport_azure, CULVERT_KIND_TRANSPORT) {
    reset();
  }
  void reset() {
    error = {};
    error.size = sizeof error;
  }

  ReadLink link(uint32_t made, const culvert_link_description &link) {
    EXPECT_EQ(made == 0, error.code != CULVERT_OK);
    ReadLink result{made != 0,
                    text(link.host),
                    text(link.server_name),
                    text(link.alpn),
                    text(link.target),
                    text(link.authority),
                    link.tls,
                    link.port,
                    link.head_form,
                    link.framing,
                    link.ping_interval_ms,
                    {}};
    for (uint32_t i = 0; i < link.field_count; ++i) {
      result.fields[text(link.fields[i].name)] = {text(link.fields[i].value),
                                                  link.fields[i].secret};
    }
    return result;
  }

  ReadLink dial(bool listen, std::string_view relay_host, uint32_t port, std::string_view path,
                std::string_view token = "the token", std::string_view app = "") {
    culvert_dial_request request{};
    request.size = sizeof request;
    request.entity = {view(relay_host), view(path), port, 0};
    request.token = view(token);
    request.id = view(kGuid);
    request.app_address = view(app);
    culvert_link_description made{};
    made.size = sizeof made;
    Room room;
    reset();
    const auto function = listen ? client.kind.listen : client.kind.dial;
    return link(function(client.instance, &request, &room, &made, &error), made);
  }

  ReadLink prove(std::string_view path, std::string_view token) {
    culvert_dial_request request{};
    request.size = sizeof request;
    request.entity = {view("relay.test"), view(path), 443, 0};
    request.token = view(token);
    request.id = view(kGuid);
    culvert_link_description made{};
    made.size = sizeof made;
    Room room;
    reset();
    return link(client.kind.prove(client.instance, &request, &room, &made, &error), made);
  }

  ReadLink accept(std::string_view offer) {
    culvert_link_description made{};
    made.size = sizeof made;
    Room room;
    reset();
    return link(client.kind.accept(client.instance, view(offer), &room, &made, &error), made);
  }

  ReadLink reject(std::string_view offer, const char *why, std::uint32_t code = CULVERT_REFUSED) {
    culvert_status status{};
    status.size = sizeof status;
    status.code = code;
    std::snprintf(status.message, sizeof status.message, "%s", why);
    culvert_link_description made{};
    made.size = sizeof made;
    Room room;
    reset();
    return link(client.kind.reject(client.instance, view(offer), &status, &room, &made, &error),
                made);
  }

  std::string audience(std::string_view relay_host, std::string_view path, uint32_t port = 9443) {
    const culvert_entity_address entity{view(relay_host), view(path), port, 0};
    culvert_view result{};
    Room room;
    EXPECT_EQ(client.kind.audience(client.instance, &entity, &room, &result, &error), 1U);
    return text(result);
  }

  uint32_t reply(uint32_t purpose, uint32_t form, uint32_t status, std::string_view reason = "") {
    culvert_reply given{};
    given.size = sizeof given;
    given.form = form;
    given.status = status;
    given.reason = view(reason);
    culvert_reply_result result{};
    result.size = sizeof result;
    Room room;
    reset();
    client.kind.on_reply(client.instance, purpose, &given, &room, &result, &error);
    return result.verdict;
  }

  struct Heard {
    uint32_t taken = 0;
    uint32_t action = 0;
    std::string bytes, loggable_id, app_address;
  };
  Heard hear(std::string_view bytes, uint32_t kind = CULVERT_TEXT) {
    const culvert_message message{view(bytes), kind, 0};
    culvert_channel_result result{};
    result.size = sizeof result;
    std::uint64_t word = 0;
    Room room;
    reset();
    const uint32_t taken =
        client.kind.on_message(client.instance, &word, &message, &room, &result, &error);
    return {taken, result.action, text(result.message.bytes), text(result.loggable_id),
            text(result.app_address)};
  }

  FakeHost host;
  Plugged<culvert_transport> client;
  culvert_status error{};
};

} // namespace culvert_test
