// WebSocket and messages in the suite of every link, over sockets and over memory.
#include "link/messages.hpp"
#include "link/websocket.hpp"

#include "unit/link/link_suite.hpp"

namespace culvert::test {
namespace {

template <typename Below> LinkPair websockets(LinkLab &lab, Below below) {
  LinkPair pair = below(lab);
  WebSocketOptions options;
  options.role = WebSocketRole::kClient;
  pair.near = std::make_unique<WebSocketLink>(lab.shard(), std::move(pair.near), options);
  options.role = WebSocketRole::kServer;
  pair.far = std::make_unique<WebSocketLink>(lab.shard(), std::move(pair.far), options);
  return pair;
}

template <typename Below> LinkPair messages(LinkLab &lab, Below below) {
  LinkPair pair = below(lab);
  FramingOptions options;
  options.framing = Framing::kMessages;
  pair.near = std::make_unique<MessagesLink>(lab.shard(), std::move(pair.near), options);
  pair.far = std::make_unique<MessagesLink>(lab.shard(), std::move(pair.far), options);
  return pair;
}

LinkPair tcp(LinkLab &lab) {
  return lab.tcp_pair();
}
LinkPair memory(LinkLab &lab) {
  return lab.memory_pair();
}
LinkPair websocket_on_tcp(LinkLab &lab) {
  return websockets(lab, &tcp);
}
LinkPair websocket_on_memory(LinkLab &lab) {
  return websockets(lab, &memory);
}
LinkPair messages_on_tcp(LinkLab &lab) {
  return messages(lab, &tcp);
}
LinkPair messages_on_memory(LinkLab &lab) {
  return messages(lab, &memory);
}

constexpr LinkTraits kWebSocket{
    .keeps_messages = true, .keeps_reason = true, .byte_stream = false, .layers_that_linger = 2};
// A message under way is counted on the shard: moves have a test of their own, in unit/messages.
constexpr LinkTraits kMessages{
    .abort_is_read = false, .byte_stream = false, .can_move = false, .allocates = true};
// Memory reads an abort as aborted, whatever is on top.
constexpr LinkTraits kMessagesOnMemory{
    .keeps_reason = true, .byte_stream = false, .can_move = false, .allocates = true};

INSTANTIATE_TEST_SUITE_P(
    WebSocket, LinkSuite,
    testing::Values(LinkKind{"uring", &make_uring_world, &websocket_on_tcp, kWebSocket},
                    LinkKind{"uring_memory", &make_uring_world, &websocket_on_memory, kWebSocket},
                    LinkKind{"sim", &make_sim_world, &websocket_on_tcp, kWebSocket},
                    LinkKind{"sim_memory", &make_sim_world, &websocket_on_memory, kWebSocket}),
    kind_name);

INSTANTIATE_TEST_SUITE_P(
    Messages, LinkSuite,
    testing::Values(LinkKind{"uring", &make_uring_world, &messages_on_tcp, kMessages},
                    LinkKind{"sim", &make_sim_world, &messages_on_tcp, kMessages},
                    LinkKind{"sim_memory", &make_sim_world, &messages_on_memory,
                             kMessagesOnMemory}),
    kind_name);

} // namespace
} // namespace culvert::test
