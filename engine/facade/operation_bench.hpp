// Gets a plugin's answer without a running engine: one shard without sockets on the calling thread,
// for one operation at a time, with a log that discards everything. It needs no io_uring.
//
// Control thread only. A tool uses it for one question, and a role for what it must know before it
// starts. Instances on its shard must be destroyed before it.
#pragma once

#include "core/random.hpp"
#include "io/idle_io.hpp"
#include "io/shard.hpp"
#include "plugin/kinds.hpp"

#include <string>

namespace culvert {

/// True for a failure of the plugin itself, such as a broken rule of the ABI, which no other peer
/// and no network will mend.
inline bool plugin_at_fault(const Status &status) {
  return status.source == Source::kPlugin && status.code == Code::kInternal;
}

class OperationBench {
public:
  OperationBench() : shard_(io_, random_, log_, 0) {}
  OperationBench(const OperationBench &) = delete;
  OperationBench &operator=(const OperationBench &) = delete;

  [[nodiscard]] Shard &shard() { return shard_; }
  [[nodiscard]] Log &log() { return log_; }

  /// begin(operation) starts it. A plugin that has not answered within `limit_ms` is at fault, as
  /// one that broke a rule of the ABI. The operation must live as long as the instance.
  template <typename Value, typename Begin>
  Result<Value> ask(PluginOperation<Value> &operation, std::uint64_t limit_ms, Begin begin) {
    operation.template bind<&OperationBench::on_done>(*this);
    begin(operation);
    if (wait(operation, io_.now_ns() + limit_ms * 1'000'000)) {
      return std::move(operation.result);
    }
    operation.abandon();
    wait(operation, Timers::kNever);
    return Status::failure(Code::kInternal, Source::kPlugin, Retry::kNever,
                           operation.result.status().message + " within " +
                               std::to_string(limit_ms / 1'000) + " s; name another one");
  }

private:
  /// Waits until it is complete or the deadline; returns whether it is.
  template <typename Operation> bool wait(Operation &operation, std::uint64_t deadline_ns) {
    while (operation.in_flight()) {
      if (!io_.run_ready() && operation.in_flight()) {
        if (io_.now_ns() >= deadline_ns) {
          return false;
        }
        io_.wait(deadline_ns);
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
  IdleIo io_;
  Shard shard_;
};

} // namespace culvert
