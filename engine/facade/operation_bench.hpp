// Gets a plugin's answer without a running engine: one shard on the calling thread, for one
// operation at a time, with a log that discards everything. It needs no io_uring.
//
// Control thread only. A tool uses it for one question, and a role for what it must know before it
// starts. Instances on its shard must be destroyed before it; what they waited for ends with it.
#pragma once

#include "core/random.hpp"
#include "io/epoll/epoll_io.hpp"
#include "io/shard.hpp"
#include "plugin/kinds.hpp"

#include <memory>
#include <string>
#include <utility>

namespace culvert {

/// True for a failure of the plugin itself, such as a broken rule of the ABI, which no other peer
/// and no network will mend.
inline bool plugin_at_fault(const Status &status) {
  return status.source == Source::kPlugin && status.code == Code::kInternal;
}

class OperationBench {
public:
  /// Fails if the process has no descriptors left.
  static Result<std::unique_ptr<OperationBench>> make() {
    Result<std::unique_ptr<Io>> io = make_epoll_io();
    if (!io.ok()) {
      return io.status();
    }
    return std::unique_ptr<OperationBench>(new OperationBench(std::move(io.value())));
  }
  OperationBench(const OperationBench &) = delete;
  OperationBench &operator=(const OperationBench &) = delete;
  ~OperationBench() {
    while (io_->in_flight() > 0) {
      if (!io_->run_ready() && io_->in_flight() > 0) {
        io_->wait(Timers::kNever);
      }
    }
  }

  [[nodiscard]] Shard &shard() { return shard_; }
  [[nodiscard]] Log &log() { return log_; }

  /// begin(operation) starts it. A plugin that has not answered within `limit_ms` and waits for
  /// nothing will never answer, so it is at fault, as one that broke a rule of the ABI. One that
  /// waits, for a server that does not answer for example, may answer later: Retry::kBackoff. The
  /// operation must live as long as the instance.
  template <typename Value, typename Begin>
  Result<Value> ask(PluginOperation<Value> &operation, std::uint64_t limit_ms, Begin begin) {
    operation.template bind<&OperationBench::on_done>(*this);
    begin(operation);
    if (wait(operation, io_->now_ns() + limit_ms * 1'000'000)) {
      return std::move(operation.result);
    }
    const bool waits = io_->in_flight() > 0 || io_->nearest_deadline_ns() != Timers::kNever;
    operation.abandon();
    wait(operation, Timers::kNever);
    if (waits) {
      return std::move(operation.result);
    }
    return Status::failure(Code::kInternal, Source::kPlugin, Retry::kNever,
                           operation.result.status().message + " within " +
                               std::to_string(limit_ms / 1'000) + " s; name another one");
  }

private:
  explicit OperationBench(std::unique_ptr<Io> io)
      : io_(std::move(io)), shard_(*io_, random_, log_, 0) {}

  /// Waits until it is complete or the deadline; returns whether it is.
  template <typename Operation> bool wait(Operation &operation, std::uint64_t deadline_ns) {
    while (operation.in_flight()) {
      if (!io_->run_ready() && operation.in_flight()) {
        if (io_->now_ns() >= deadline_ns) {
          return false;
        }
        io_->wait(deadline_ns);
      }
    }
    return true;
  }
  class NoLog final : public Log {
  public:
    [[nodiscard]] bool enabled(LogLevel) const override { return false; }
    void write(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
  };

  void on_done(Outcome) {} // ask() looks at the operation itself

  NoLog log_;
  SystemRandom random_;
  std::unique_ptr<Io> io_;
  Shard shard_;
};

} // namespace culvert
