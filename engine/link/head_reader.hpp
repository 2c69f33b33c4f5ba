// A step that reads the first part of a connection from a byte link: an HTTP head, or one message
// after its length in 16 bits. Bytes read after it are given back to the link.
//
// Used on the link's shard. It does not own the link, and its caller keeps the deadline. `done`
// runs exactly once for each start, never inside a call of the caller; the reader may be destroyed
// in it. The bytes may contain a token, so they are never logged.
#pragma once

#include "link/http.hpp"
#include "link/link.hpp"

#include <array>
#include <string>
#include <vector>

namespace culvert {

class HeadReader {
public:
  explicit HeadReader(Link &link);

  /// `form` must not be kNone.
  void start(HeadForm form, Delegate<> done);
  /// Cancels; `done` follows soon.
  void cancel() { link_.cancel(receive_); }
  [[nodiscard]] bool running() const { return static_cast<bool>(done_); }

  // --- in `done` and after ----------------------------------------------------------------------
  [[nodiscard]] const Status &status() const { return status_; }
  /// What is wrong with an HTTP head that was refused; else kNone.
  [[nodiscard]] HeadFault fault() const { return scanner_.fault(); }
  /// The head with its empty line, or the message without its length.
  std::string &bytes() { return bytes_; }

private:
  void on_receive(Outcome outcome);
  void read_turn();
  std::size_t feed(std::string_view piece);
  std::size_t feed_message(std::string_view piece);
  void end(Status status);

  Link &link_;
  Delegate<> done_;
  Completion receive_;
  HeadForm form_ = HeadForm::kHttp;
  HeadScanner scanner_;
  std::array<std::uint8_t, 2> prefix_{};
  std::size_t prefix_size_ = 0;
  std::size_t wanted_ = 0; // of a message
  bool complete_ = false;
  std::string bytes_;
  Status status_;
};

} // namespace culvert
