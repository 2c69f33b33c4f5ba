// A step that sends a head, or one message after its length in 16 bits, and waits until the kernel
// has all of it.
//
// Used on the link's shard. It does not own the link, and its caller keeps the deadline; it owns
// the bytes until it is done. `done` runs exactly once for each start, never inside a call of the
// caller; the writer may be destroyed in it.
#pragma once

#include "link/description.hpp"
#include "link/link.hpp"

#include <string>

namespace culvert {

class HeadWriter {
public:
  explicit HeadWriter(Link &link);

  /// Bytes that the link still holds from a handshake are sent first. An HTTP head is passed
  /// complete, followed by its body if it has one; a message is passed without its length and has 1
  /// to kHeadBytes bytes.
  void start(HeadForm form, std::string bytes, Delegate<> done);
  /// Cancels; `done` follows soon.
  void cancel() { link_.cancel(drain_); }
  [[nodiscard]] bool running() const { return static_cast<bool>(done_); }
  /// In `done` and after.
  [[nodiscard]] const Status &status() const { return status_; }

private:
  void write();
  void on_drain(Outcome outcome);

  Link &link_;
  bool written_ = false;
  Delegate<> done_;
  Completion drain_;
  std::string bytes_;
  Status status_;
};

} // namespace culvert
