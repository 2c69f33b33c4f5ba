// A plugin's answer without a running engine: one shard without sockets on the calling thread, for
// one operation at a time, with a log that says nothing. It needs no io_uring.
//
// Control thread only. Used where a tool asks one question, and for what a role must know before it
// starts. Instances attached to its shard must be gone before it is.
#pragma once

#include "core/random.hpp"
#include "io/idle_io.hpp"
#include "io/shard.hpp"
#include "plugin/kinds.hpp"

namespace culvert {

class OperationBench {
public:
  OperationBench() : shard_(io_, random_, log_, 0) {}
  OperationBench(const OperationBench &) = delete;
  OperationBench &operator=(const OperationBench &) = delete;

  [[nodiscard]] Shard &shard() { return shard_; }
  [[nodiscard]] Log &log() { return log_; }

  /// begin(operation) starts it; returns when it is complete, which is the plugin's to bound.
  template <typename Operation, typename Begin> auto run(Begin begin) {
    Operation operation;
    start(operation, begin);
    wait(operation, Timers::kNever);
    return std::move(operation.result);
  }
  template <typename Operation, typename Begin> void start(Operation &operation, Begin begin) {
    operation.template bind<&OperationBench::on_done>(*this);
    begin(operation);
  }
  /// Until it is complete or the time has come; whether it is.
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

private:
  class NoLog final : public Log {
  public:
    [[nodiscard]] bool enabled(LogLevel) const override { return false; }
    void write(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
  };

  void on_done(Outcome) {} // run() looks at the operation itself

  NoLog log_;
  SystemRandom random_;
  IdleIo io_;
  Shard shard_;
};

} // namespace culvert
