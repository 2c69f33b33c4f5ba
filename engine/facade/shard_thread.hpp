// One shard with everything it needs: its Io, its random source, and, unless a host drives it, its
// thread.
//
// The control thread makes it, calls into it and destroys it; a function given to call() or order()
// runs on the shard's thread, in the order in which they were given. It owns the Io and the Shard.
#pragma once

#include "core/random.hpp"
#include "crypto/digest.hpp"
#include "culvert/config.hpp"
#include "culvert/snapshot.hpp"
#include "io/shard.hpp"

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <thread>

namespace culvert {

class ShardThread {
public:
  ShardThread(unsigned index, Log &log, const ShardLimits &limits)
      : index_(index), log_(log), limits_(limits) {}
  ShardThread(const ShardThread &) = delete;
  ShardThread &operator=(const ShardThread &) = delete;
  /// Nothing may be in flight on the shard any more.
  ~ShardThread();

  /// With a thread of its own, or on the calling thread for a host to drive. `backend` is not
  /// kAuto. After a failure it may only be destroyed.
  Status start(bool own_thread, Backend backend);
  /// Runs the function on the shard and returns when it has run. Control thread only.
  void call(const std::function<void()> &function);
  /// As call(), but does not wait for a shard with a thread of its own. What the function refers to
  /// must live until a later call() has returned. Control thread only.
  void order(std::function<void()> function);

  /// What the shard holds, asked by mail: from any thread but the shard's own, at most one at a
  /// time. Nothing if the shard has not answered until the deadline; a later question gets that
  /// answer.
  std::optional<ShardStats> ask_stats(std::chrono::steady_clock::time_point deadline);

  /// For code that runs on the shard.
  [[nodiscard]] Shard &shard() { return *shard_; }
  [[nodiscard]] Digests &digests() { return *digests_; }
  [[nodiscard]] Io &io() { return *io_; }
  /// In a function that was given to call() or order().
  [[nodiscard]] ShardStats stats(bool by_mail) const;
  [[nodiscard]] bool has_thread() const { return thread_.joinable(); }

private:
  Status make(Backend backend);
  void unmake();
  void run();

  const unsigned index_;
  Log &log_;
  const ShardLimits limits_;
  SystemRandom random_;
  std::unique_ptr<Io> io_;
  std::unique_ptr<Shard> shard_;
  std::unique_ptr<Digests> digests_;
  bool ending_ = false;          // on the shard's thread
  std::future<ShardStats> owed_; // of ask_stats()
  std::thread thread_;
};

} // namespace culvert
