// A link under test against a peer that writes and reads raw bytes, in a simulated world: what the
// rows of the WebSocket and messages tests stand on.
#pragma once

#include "link/frame.hpp"
#include "unit/link/link_suite.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace culvert::test {

using Bytes = std::vector<std::byte>;

inline Bytes to_bytes(std::string_view text) {
  const auto view = std::as_bytes(std::span(text));
  return {view.begin(), view.end()};
}

/// A frame by the letter of the RFC; `first` is its whole first byte.
inline Bytes frame(unsigned first, std::string_view payload, bool masked) {
  Bytes out{static_cast<std::byte>(first)};
  const unsigned mask_bit = masked ? 0x80 : 0;
  const auto push = [&out](std::uint64_t value, int size) {
    for (int i = size - 1; i >= 0; --i) {
      out.push_back(static_cast<std::byte>(value >> (8 * i)));
    }
  };
  if (payload.size() < 126) {
    push(mask_bit | payload.size(), 1);
  } else if (payload.size() < 65536) {
    push(mask_bit | 126U, 1);
    push(payload.size(), 2);
  } else {
    push(mask_bit | 127U, 1);
    push(payload.size(), 8);
  }
  const unsigned key[4] = {0x12, 0x34, 0x56, 0x78};
  if (masked) {
    push(0x12345678, 4);
  }
  for (std::size_t i = 0; i < payload.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(payload[i]);
    out.push_back(static_cast<std::byte>(masked ? byte ^ key[i % 4] : byte));
  }
  return out;
}

inline Bytes close_frame(unsigned code, std::string_view reason, bool masked) {
  std::string payload{static_cast<char>(code >> 8U), static_cast<char>(code & 255U)};
  payload += reason;
  return frame(0x88, payload, masked);
}

inline Bytes operator+(Bytes left, const Bytes &right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

struct ReadFrame {
  unsigned first = 0;
  bool masked = false;
  std::string payload;
  bool operator==(const ReadFrame &) const = default;
};

/// Splits what a link under test wrote; stops at an incomplete frame.
inline std::vector<ReadFrame> read_frames(const Bytes &bytes) {
  std::vector<ReadFrame> frames;
  std::size_t at = 0;
  const auto get = [&](std::size_t size) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size && at < bytes.size(); ++i) {
      value = value * 256 + std::to_integer<std::uint64_t>(bytes[at++]);
    }
    return value;
  };
  while (at + 2 <= bytes.size()) {
    ReadFrame frame;
    frame.first = static_cast<unsigned>(get(1));
    std::uint64_t length = get(1);
    frame.masked = length >= 128;
    length &= 127U;
    length = length == 126 ? get(2) : (length == 127 ? get(8) : length);
    const std::uint64_t key = frame.masked ? get(4) : 0;
    if (at + length > bytes.size()) {
      break;
    }
    for (std::uint64_t i = 0; i < length; ++i) {
      frame.payload.push_back(static_cast<char>(get(1) ^ ((key >> (24 - 8 * (i % 4))) & 255U)));
    }
    frames.push_back(frame);
  }
  return frames;
}

/// Reads a link to its end and keeps everything.
struct Reader {
  explicit Reader(Link &link_to_read) : link(link_to_read) {
    event.then = [this](int result) { on_receive(result); };
    link.receive(event.completion);
  }
  void on_receive(int result) {
    if (result != 0) {
      return;
    }
    Chunk chunk;
    while (link.take(chunk, how)) {
      bytes.insert(bytes.end(), chunk.data, chunk.data + chunk.size);
      message.append(reinterpret_cast<const char *>(chunk.data), chunk.size);
      largest_chunk = std::max(largest_chunk, chunk.size);
      ++chunks;
      if (chunk.end_of_message) {
        messages.emplace_back(chunk.kind, message);
        message.clear();
      }
    }
    if (link.received_end() == nullptr && !stopped) {
      link.receive(event.completion);
    }
  }
  [[nodiscard]] const Ending *end() const { return link.received_end(); }

  Link &link;
  Take how;
  Event event;
  Bytes bytes;
  std::string message; // the unfinished one
  std::vector<std::pair<ChunkKind, std::string>> messages;
  std::size_t largest_chunk = 0;
  std::size_t chunks = 0;
  bool stopped = false;
};

/// A link under test in front of a raw peer, over memory or over TCP.
class Bench {
public:
  explicit Bench(std::unique_ptr<IoWorld> world = make_sim_world(), bool tcp = false)
      : lab(std::move(world)) {
    LinkPair pair = tcp ? lab.tcp_pair() : lab.memory_pair();
    below = std::move(pair.near);
    peer = std::move(pair.far);
    reader = std::make_unique<Reader>(*peer);
  }
  ~Bench() {
    for (auto *one : {link.get(), peer.get()}) {
      if (one != nullptr && !(one == link.get() && over)) {
        Event dropped;
        one->drop(dropped.completion);
        EXPECT_TRUE(run_until([&] { return dropped.done(); }));
      }
    }
    under_test.reset();
    link.reset();
    peer.reset();
    EXPECT_TRUE(run_until([&] { return lab.leaks().empty(); })) << lab.leaks();
  }
  bool run_until(const std::function<bool()> &predicate) { return lab.run_until(predicate); }
  /// The peer reads nothing from now on, and the link under test is full.
  void clog() {
    reader->stopped = true;
    peer->cancel(reader->event.completion);
    ASSERT_TRUE(run_until([&] { return reader->event.done(); }));
    for (int i = 0; i < 1000 && link->held() == 0; ++i) {
      send(std::string(10'000, 'x'));
    }
    ASSERT_GT(link->held(), 0U);
  }
  /// Drives until the ending of the link under test is over.
  bool ended(const Event &event) {
    over = run_until([&] { return event.done(); });
    return over;
  }
  void read() { under_test = std::make_unique<Reader>(*link); }
  /// In pieces of `piece` bytes, each on its own.
  void write(Bytes bytes, std::size_t piece = SIZE_MAX) {
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t size = std::min({piece, bytes.size() - at, kRecordBytes});
      if (peer->held() > 0) {
        Event drained;
        peer->drain(drained.completion);
        ASSERT_TRUE(run_until([&] { return drained.done(); }));
      }
      peer->send({bytes.data() + at, size, 0});
      peer->flush();
      at += size;
      if (piece != SIZE_MAX) {
        lab.run_some(2);
      }
    }
  }
  /// What the link under test wrote so far, as frames.
  [[nodiscard]] std::vector<ReadFrame> frames() const { return read_frames(reader->bytes); }
  void send(std::string text, ChunkKind kind = ChunkKind::kBinary, bool last = true) {
    link->send({reinterpret_cast<std::byte *>(text.data()), text.size(), 0, kind, last});
    link->flush();
  }

  LinkLab lab;
  std::unique_ptr<Link> below;
  std::unique_ptr<Link> link; // under test, on `below`
  std::unique_ptr<Link> peer;
  std::unique_ptr<Reader> reader;     // of the peer
  std::unique_ptr<Reader> under_test; // of the link
  bool over = false;
};

} // namespace culvert::test
