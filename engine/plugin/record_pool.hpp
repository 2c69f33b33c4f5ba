// The C records of calls that may complete later, and the rule that each completes exactly once.
//
// Belongs to one instance, on its shard. It owns the records and keeps them until the instance
// ends: if a plugin completes a record twice, the second call finds an unused record and not freed
// memory. A result is copied into the operation at once; the operation's callback always runs from
// the shard's loop, never inside a call into or out of the plugin.
//
// An operation that is abandoned completes without the plugin, and the plugin's cancel function is
// called. Its record then rests for a while before it is used again, so that a plugin that
// completes it against the rules completes nobody else's. If the plugin has no such function, it
// keeps the record and may complete it later, without effect. At most
// kAbandonedRecords of one function are in that state; further calls then fail at once. Records
// that are still not completed when the instance ends stay in memory until the process ends.
//
// Call has: Record (the C struct), Value, all data that the record points to, static Result<Value>
// read(const Record &, Reader &), and cleanse() if it has a secret. A record may have a note for
// our log.
#pragma once

#include "core/assert.hpp"
#include "plugin/call_watch.hpp"
#include "plugin/kinds.hpp"
#include "plugin/unit.hpp"
#include "plugin/values.hpp"

#include "culvert/auth.h"

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace culvert {

/// Keeps memory that an unfinished call of a plugin may still use, until the process ends.
void keep_for_plugin(std::shared_ptr<void> what);

template <typename Call> class RecordPool {
public:
  using Operation = PluginOperation<typename Call::Value>;

  struct Entry : Call::Record {
    /// kInCall: of the function that begins it, or of cancel.
    enum class State : std::uint8_t { kFree, kInCall, kMisused, kPending, kAbandoned };
    void let_go() { pool->abandon(*this); }
    Call call;
    State state = State::kFree;
    Operation *operation = nullptr;
    RecordPool *pool = nullptr; // nullptr: the instance is gone
  };

  /// The plugin's function for a record that is waited for no longer; nullptr: it has none.
  using Cancel = void (*)(void *instance, typename Call::Record *record);

  /// `instance`: where its owner keeps what the plugin's attach() made.
  RecordPool(Shard &shard, Unit &unit, std::string_view function, Cancel cancel,
             void *const &instance, CallWatch &calls)
      : shard_(shard), plugin_id_(unit.id()), function_(function), cancel_(cancel),
        instance_(instance), calls_(calls), outcomes_(unit.outcomes(function)) {}
  RecordPool(const RecordPool &) = delete;
  RecordPool &operator=(const RecordPool &) = delete;
  /// Before this every operation has completed, and strand() was called.
  ~RecordPool() { CULVERT_ASSERT(free_.size() + resting_.size() == entries_.size()); }

  /// A zeroed record for the operation; the caller fills in the arguments, calls the plugin, and
  /// passes its return value to called(). nullptr: the operation has failed without a call.
  Entry *begin(Operation &operation) {
    CULVERT_ASSERT(!operation.in_flight());
    if (abandoned_ == kAbandonedRecords) {
      answer(operation, not_completed(std::to_string(abandoned_) + " calls of "));
      return nullptr;
    }
    if (free_.empty()) {
      entries_.push_back(std::make_unique<Entry>());
      entries_.back()->pool = this;
      free_.push_back(entries_.back().get());
    }
    Entry &entry = *free_.back();
    free_.pop_back();
    static_cast<typename Call::Record &>(entry) = {};
    entry.size = sizeof(typename Call::Record);
    entry.status.size = sizeof entry.status;
    entry.complete = &RecordPool::on_complete;
    entry.owner = &entry;
    entry.state = Entry::State::kInCall;
    entry.operation = &operation;
    operation.begin(Delegate<>::template to<&Entry::let_go>(entry));
    return &entry;
  }

  void called(Entry &entry, std::uint32_t progress) {
    if (entry.state == Entry::State::kMisused) {
      finish(entry, fault("it completed inside the call"));
    } else if (progress == CULVERT_DONE) {
      finish(entry, read(entry));
    } else if (progress == CULVERT_PENDING) {
      entry.state = Entry::State::kPending;
    } else {
      finish(entry, fault("it returned " + std::to_string(progress)));
    }
  }

  /// Called before the instance ends: gives the records that the plugin has not completed to the
  /// plugin for ever. Returns how many.
  std::size_t strand() {
    for (std::unique_ptr<Entry> &entry : entries_) {
      if (entry->state == Entry::State::kAbandoned) {
        entry->pool = nullptr;
        keep_for_plugin(std::move(entry));
      }
    }
    std::erase(entries_, nullptr);
    return std::exchange(abandoned_, 0);
  }

private:
  static void on_complete(typename Call::Record *record) {
    auto &entry = *static_cast<Entry *>(record);
    if (entry.pool == nullptr) {
      return;
    }
    if (entry.state == Entry::State::kAbandoned) {
      --entry.pool->abandoned_;
      entry.pool->free(entry);
    } else if (entry.state == Entry::State::kPending) {
      entry.pool->finish(entry, entry.pool->read(entry));
    } else if (entry.state == Entry::State::kFree) {
      entry.pool->shard_.log.write(LogLevel::kError,
                                   entry.pool->fault("it completed twice").message, {});
    } else {
      entry.state = Entry::State::kMisused;
    }
  }

  void abandon(Entry &entry) {
    CULVERT_ASSERT(entry.state == Entry::State::kPending);
    Operation &operation = *std::exchange(entry.operation, nullptr);
    if (cancel_ != nullptr) {
      answer(operation, cancel(entry));
    } else {
      entry.state = Entry::State::kAbandoned;
      ++abandoned_;
      answer(operation, not_completed(""));
    }
  }

  /// Returns why there is no result: the plugin's reason, if it gives one.
  Status cancel(Entry &entry) {
    entry.state = Entry::State::kInCall;
    {
      const CallWatch::Call watched = calls_.watch("cancel");
      cancel_(instance_, &entry);
    }
    if (entry.state == Entry::State::kMisused) {
      shard_.log.write(LogLevel::kError, fault("it completed a record that was cancelled").message,
                       {});
    }
    Status why = entry.status.code == CULVERT_OK ? not_completed("") : read(entry).status();
    wipe(entry);
    resting_.push_back(&entry);
    if (resting_.size() > kRestingRecords) {
      free_.push_back(resting_.front());
      resting_.pop_front();
    }
    return why;
  }

  Status not_completed(std::string_view how_many) const {
    return Status::failure(Code::kTimeout, Source::kPlugin, Retry::kBackoff,
                           std::string("plugin ").append(plugin_id_) + " has not completed " +
                               std::string(how_many).append(function_));
  }
  Status fault(std::string_view what) const { return plugin_fault(plugin_id_, function_, what); }

  Result<typename Call::Value> read(const Entry &entry) const {
    Reader reader(plugin_id_, function_);
    if (entry.status.code != CULVERT_OK) {
      Status failure = reader.failure(entry.status);
      if constexpr (requires { entry.note; }) {
        failure.note = note_of(entry.note);
      }
      return failure;
    }
    Result<typename Call::Value> value = Call::read(entry, reader);
    if (!reader.ok()) {
      return reader.fault();
    }
    return value;
  }

  void finish(Entry &entry, Result<typename Call::Value> result) {
    Operation &operation = *std::exchange(entry.operation, nullptr);
    free(entry);
    answer(operation, std::move(result));
  }

  void answer(Operation &operation, Result<typename Call::Value> result) {
    outcomes_.add(result.status_or_ok().code);
    operation.finish(shard_.io, std::move(result));
  }

  void free(Entry &entry) {
    wipe(entry);
    free_.push_back(&entry);
  }

  void wipe(Entry &entry) {
    if constexpr (requires(Call & call) { call.cleanse(); }) {
      entry.call.cleanse();
    }
    entry.state = Entry::State::kFree;
  }

  Shard &shard_;
  std::string_view plugin_id_;
  std::string_view function_;
  const Cancel cancel_;
  void *const &instance_;
  CallWatch &calls_;
  CountsByCode &outcomes_;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<Entry *> free_;
  std::deque<Entry *> resting_; // kFree too
  std::size_t abandoned_ = 0;
};

} // namespace culvert
