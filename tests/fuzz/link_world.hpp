// One shard in a simulated world, for targets that feed a link: no kernel, no clock, one seed.
//
// Used on the fuzzer's thread. The world lives for the whole run; links are gone before an input
// ends.
#pragma once

#include "fuzz.hpp"

#include "io/shard.hpp"
#include "support/memory_link/memory.hpp"
#include "support/silent_log.hpp"
#include "support/sim/sim_world.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace culvert::fuzz {

class LinkWorld {
public:
  static LinkWorld &get() {
    static LinkWorld &world = *new LinkWorld;
    return world;
  }
  /// Until nothing is left to happen.
  void settle() {
    while (world_.step()) {
    }
  }
  /// Destroys a link that is not needed any more.
  void drop(std::unique_ptr<Link> link) {
    struct {
      void on_drop(Outcome) {}
    } nobody;
    Completion gone;
    gone.bind<&decltype(nobody)::on_drop>(nobody);
    link->drop(gone);
    settle();
    must(!gone.in_flight());
  }
  /// Nothing of the links of this input is left.
  void check_empty() { must(shard.io.in_flight() == 0 && shard.held.held() == 0); }

private:
  SimWorld world_{1};
  test::SilentLog log_;
  SeededRandom random_{1};

public:
  Shard shard{world_.make_io("fuzz"), random_, log_, 0};
};

/// Reads a link to its end, as long as it exists.
class LinkReader {
public:
  struct Message {
    bool operator==(const Message &) const = default;
    ChunkKind kind = ChunkKind::kBinary;
    std::string bytes;
  };
  explicit LinkReader(Link &link, const Take &how = {}) : link_(link), how_(how) {
    receive_.bind<&LinkReader::on_receive>(*this);
    link_.receive(receive_);
  }
  [[nodiscard]] const Ending *end() const { return link_.received_end(); }

  std::string bytes;             // of all chunks
  std::vector<Message> messages; // the complete ones

private:
  void on_receive(Outcome outcome) {
    if (outcome.result != 0) {
      return;
    }
    Chunk chunk;
    while (link_.take(chunk, how_)) {
      const std::string_view text(reinterpret_cast<const char *>(chunk.data), chunk.size);
      bytes += text;
      message_ += text;
      if (chunk.end_of_message) {
        messages.push_back({chunk.kind, std::exchange(message_, {})});
      }
    }
    if (link_.received_end() == nullptr) {
      link_.receive(receive_);
    }
  }

  Link &link_;
  Take how_;
  Completion receive_;
  std::string message_;
};

/// Sends to the other end of a memory link, as far as that is read.
inline void send_bytes(Link &link, std::string bytes) {
  for (std::size_t at = 0; at < bytes.size() && link.held() == 0; at += kRecordBytes) {
    const std::size_t size = std::min(kRecordBytes, bytes.size() - at);
    link.send({reinterpret_cast<std::byte *>(bytes.data() + at), size, 0});
    link.flush();
    LinkWorld::get().settle();
  }
}

/// Sends its bytes one piece after the other; all at once for the seed 0.
class Peer {
public:
  Peer(Link &link, std::string_view bytes, std::uint64_t seed)
      : link_(link), rest_(bytes), random_(seed), whole_(seed == 0) {}
  void send_piece() {
    const bool last = whole_ || ++pieces_ == kMostPieces;
    const std::size_t most = random_.below(2) == 0 ? 3 : rest_.size() / 2 + 1;
    const std::size_t size = last ? rest_.size() : 1 + random_.below(most);
    send_bytes(link_, std::string(rest_.substr(0, size)));
    rest_.remove_prefix(std::min(size, rest_.size()));
  }
  [[nodiscard]] bool done() const { return rest_.empty(); }

private:
  static constexpr std::size_t kMostPieces = 40;

  Link &link_;
  std::string_view rest_;
  SeededRandom random_;
  bool whole_;
  std::size_t pieces_ = 0;
};

/// Ends the sending direction of a link.
inline void finish(Link &link) {
  struct {
    void on_finish(Outcome) {}
  } nobody;
  Completion finished;
  finished.bind<&decltype(nobody)::on_finish>(nobody);
  link.finish(Ending::finished(), finished);
  LinkWorld::get().settle();
  must(!finished.in_flight());
}

} // namespace culvert::fuzz
