// A step: sends a head, or one message behind its length in 16 bits, and waits until the kernel has
// all of it.
//
// Used on the link's shard; owns neither link nor deadline, but the bytes until it is done. `done`
// runs exactly once a start, never inside a call of the caller, and the writer may be destroyed in
// it.
#pragma once

#include "link/description.hpp"
#include "link/link.hpp"

#include <string>

namespace culvert {

class HeadWriter {
public:
  explicit HeadWriter(Link &link);

  /// What the link still holds (of a handshake) leaves first. An HTTP head is given whole, with a
  /// body behind it if it has one; a message without its length, of 1 to kHeadBytes bytes.
  void start(HeadForm form, std::string bytes, Delegate<> done);
  /// Asks that `done` come soon.
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
