// The set-up of a connection: a constant table of steps with deadlines, run by one small loop.
//
// Each started step calls completed() exactly once, at once or later; its cancel makes it do so
// soon. A Steps object belongs to a shard and to the owner whose member functions are the steps; it
// is embedded there and reports exactly once, through `done`, unless it was never started.
#pragma once

#include "io/shard.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace culvert {

template <typename Owner> struct Step {
  const char *name; // as it appears in messages: "resolve", "dial", "tls", "upgrade"
  std::uint64_t (Owner::*deadline_ms)() const; // from this step's start
  void (Owner::*start)();
  void (Owner::*cancel)();
  Source waits_for = Source::kLocal; // the source of the failure when the deadline passes
};

template <typename Owner> class Steps {
public:
  Steps(Shard &shard, Owner &owner, Delegate<const Status &> done)
      : shard_(shard), owner_(owner), done_(done) {
    deadline_.bind<&Steps::on_deadline>(*this);
  }

  /// The table must outlive the run. `about` names the connection in the trace.
  void start(std::span<const Step<Owner>> table, std::string about = {}) {
    CULVERT_ASSERT(!running() && !table.empty());
    table_ = table;
    about_ = std::move(about);
    at_ = 0;
    late_ = false;
    failure_ = {};
    start_step();
  }
  /// The current step is over. A failure ends the run; so does the last step's success.
  void completed(Status status) {
    CULVERT_ASSERT(running());
    deadline_.disarm();
    if (failure_.ok() && !status.ok()) {
      failure_ = std::move(status);
    } else if (late_ && status.source == Source::kPlugin && !status.ok()) {
      failure_.message += ": " + status.message; // it names the plugin that did not answer
    }
    if (failure_.ok() && at_ + 1 < table_.size()) {
      ++at_;
      start_step();
      return;
    }
    table_ = {};
    const Status outcome = failure_; // done may destroy the owner
    done_(outcome);
  }
  /// Ends the run early for this reason; done still runs.
  void cancel(Status why) {
    CULVERT_ASSERT(!why.ok());
    if (running() && failure_.ok()) {
      failure_ = std::move(why);
      deadline_.disarm();
      (owner_.*table_[at_].cancel)();
    }
  }
  [[nodiscard]] bool running() const { return !table_.empty(); }
  /// The step that runs now, or "".
  [[nodiscard]] const char *name() const { return running() ? table_[at_].name : ""; }

private:
  void start_step() {
    if (shard_.log.enabled(LogLevel::kTrace)) {
      shard_.log.write(LogLevel::kTrace, "set-up step", {{"id", about_}, {"step", name()}});
    }
    deadline_ms_ = (owner_.*table_[at_].deadline_ms)();
    shard_.io.arm_after_ms(deadline_, deadline_ms_);
    (owner_.*table_[at_].start)();
  }
  void on_deadline() {
    late_ = true;
    cancel(Status::failure(Code::kTimeout, table_[at_].waits_for, Retry::kBackoff,
                           std::string(table_[at_].name) + " took longer than " +
                               std::to_string(deadline_ms_ / 1000) + " s"));
  }

  Shard &shard_;
  Owner &owner_;
  Delegate<const Status &> done_;
  std::span<const Step<Owner>> table_;
  std::size_t at_ = 0;
  std::uint64_t deadline_ms_ = 0; // of the step that runs
  Status failure_;
  std::string about_;
  bool late_ = false; // the deadline of the current step has passed
  Timer deadline_;
};

} // namespace culvert
