// Framing `messages` behind a first message: whatever the bytes, and however they are cut, both
// readers give what a reading by the letter gives. Input: a byte that chooses the bound, the cuts
// and how chunks are taken, then what the peer sends.
#include "link_world.hpp"

#include "link/head_reader.hpp"
#include "link/messages.hpp"

#include <vector>

using namespace culvert;
using namespace culvert::fuzz;

namespace {

constexpr std::string_view kPing = "?";
constexpr std::string_view kPong = "!!";

struct Choice {
  explicit Choice(std::uint8_t byte)
      : small((byte & 1U) != 0), keep((byte & 2U) != 0), seed(byte >> 2U) {}
  bool small; // messages of at most 20 bytes
  bool keep;
  std::uint64_t seed;
};

/// What a peer's bytes mean.
struct Meaning {
  bool operator==(const Meaning &) const = default;
  Code head_code = Code::kOk;
  std::string head;
  std::vector<std::string> messages;
  Code code = Code::kOk; // of the end
};

/// The next message, whose length is at least 1 and at most `largest`; kOk: there is none.
Code take_message(std::string_view &rest, std::size_t largest, std::string_view &message) {
  message = {};
  if (rest.size() < 2) {
    return rest.empty() ? Code::kOk : Code::kTruncated;
  }
  const std::size_t size =
      static_cast<std::uint8_t>(rest[0]) * 256U + static_cast<std::uint8_t>(rest[1]);
  if (size == 0 || size > largest) {
    return size == 0 ? Code::kProtocol : Code::kTooLarge;
  }
  message = rest.substr(2, size);
  rest.remove_prefix(2 + message.size());
  return message.size() < size ? Code::kTruncated : Code::kOk;
}

Meaning read_by_the_letter(std::string_view rest, std::size_t largest, std::size_t &pings) {
  Meaning meaning;
  std::string_view message;
  meaning.head_code = take_message(rest, kHeadBytes, message);
  if (message.empty() || meaning.head_code != Code::kOk) {
    meaning.head_code = meaning.head_code == Code::kOk ? Code::kTruncated : meaning.head_code;
    return meaning;
  }
  meaning.head = message;
  while ((meaning.code = take_message(rest, largest, message)) == Code::kOk && !message.empty()) {
    pings += message == kPing ? 1 : 0;
    if (message != kPing && message != kPong) {
      meaning.messages.emplace_back(message);
    }
  }
  return meaning;
}

struct Head {
  void on_done() { done = true; }
  bool done = false;
};

Meaning read(std::string_view bytes, const Choice &choice, const FramingOptions &options,
             std::string &answers) {
  LinkWorld &world = LinkWorld::get();
  Meaning meaning;
  auto [below, far] = MemoryLink::make_pair(world.shard);
  Peer peer(*far, bytes, choice.seed);
  std::optional<HeadReader> reader(*below);
  Head head;
  reader->start(HeadForm::kMessage, Delegate<>::to<&Head::on_done>(head));
  while (!head.done && !peer.done()) {
    peer.send_piece();
  }
  const bool ended = peer.done();
  if (ended) {
    finish(*far);
  }
  world.settle();
  must(head.done);
  meaning.head_code = reader->status().code;
  std::unique_ptr<Link> link = std::move(below);
  if (reader->status().ok()) {
    meaning.head = std::move(reader->bytes());
    reader.reset();
    Take how;
    how.keep = choice.keep;
    how.chunk_bytes = 7; // of no meaning for whole messages
    link = std::make_unique<MessagesLink>(world.shard, std::move(link), options);
    LinkReader messages(*link, how);
    LinkReader back(*far);
    world.settle();
    while (!peer.done() && messages.end() == nullptr) {
      peer.send_piece();
    }
    if (!ended && messages.end() == nullptr) {
      finish(*far);
    }
    must(messages.end() != nullptr);
    meaning.code = messages.end()->aborted ? messages.end()->status.code : Code::kOk;
    for (LinkReader::Message &message : messages.messages) {
      meaning.messages.push_back(std::move(message.bytes));
    }
    world.drop(std::move(link));
    answers = std::move(back.bytes);
    must(back.end() != nullptr);
  } else {
    world.drop(std::move(link));
  }
  world.drop(std::move(far));
  world.check_empty();
  return meaning;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  std::string_view bytes = fuzz::text(data, size);
  const Choice choice(take_choice(bytes));
  FramingOptions options;
  options.framing = Framing::kMessages;
  options.ping = kPing;
  options.pong = kPong;
  options.largest_message = choice.small ? 20 : 0;
  std::size_t pings = 0;
  const Meaning expected = read_by_the_letter(bytes, MessagesLink::largest(options), pings);
  std::string answers;
  must(read(bytes, choice, options, answers) == expected);
  std::size_t pongs = 0;
  for (std::string_view rest = answers; !rest.empty(); ++pongs) {
    std::string_view pong;
    must(take_message(rest, kPong.size(), pong) == Code::kOk && pong == kPong);
  }
  must(pongs <= pings); // those that come in one turn share an answer
  return 0;
}
