#include "facade/shard_thread.hpp"

#include "io/epoll/epoll_io.hpp"
#include "io/uring/uring_io.hpp"

#include <future>
#include <utility>

namespace culvert {
namespace {

/// A call from the control thread, lent to the shard until it has run.
struct Call final : Mail {
  explicit Call(const std::function<void()> &to_run) : function(to_run) {
    address_to<&Call::run>(*this);
  }
  void run(Mail &) {
    function();
    done.set_value();
  }
  const std::function<void()> &function;
  std::promise<void> done;
};

/// Work that the control thread does not wait for: it owns itself, and ends when it has run.
struct Order final : Mail {
  explicit Order(std::function<void()> to_run) : function(std::move(to_run)) {
    address_to<&Order::run>(*this);
  }
  void run(Mail &) {
    const std::unique_ptr<Order> mine(this);
    function();
  }
  const std::function<void()> function;
};

} // namespace

Status ShardThread::make(Backend backend) {
  Result<std::unique_ptr<Io>> io =
      backend == Backend::kEpoll ? make_epoll_io() : make_uring_io(log_);
  if (!io.ok()) {
    return io.status();
  }
  io_ = std::move(io.value());
  shard_ = std::make_unique<Shard>(*io_, random_, log_, index_, limits_);
  digests_ = std::make_unique<Digests>();
  return {};
}

void ShardThread::unmake() {
  digests_.reset();
  shard_.reset();
  io_.reset();
}

Status ShardThread::start(bool own_thread, Backend backend) {
  CULVERT_ASSERT(backend != Backend::kAuto);
  if (!own_thread) {
    return make(backend);
  }
  std::promise<Status> made;
  std::future<Status> status = made.get_future();
  thread_ = std::thread([this, backend, &made] {
    Status result = make(backend);
    const bool ok = result.ok();
    made.set_value(std::move(result));
    if (ok) {
      run();
      unmake();
    }
  });
  Status result = status.get();
  if (!result.ok()) {
    thread_.join();
  }
  return result;
}

void ShardThread::run() {
  while (!ending_) {
    while (io_->run_ready()) {
    }
    if (!ending_) {
      io_->wait(Timers::kNever);
    }
  }
}

void ShardThread::call(const std::function<void()> &function) {
  if (!has_thread()) {
    function();
    return;
  }
  Call call(function);
  std::future<void> done = call.done.get_future();
  io_->deliver(call);
  done.get();
}

void ShardThread::order(std::function<void()> function) {
  if (!has_thread()) {
    function();
    return;
  }
  io_->deliver(*std::make_unique<Order>(std::move(function)).release());
}

std::optional<ShardStats> ShardThread::ask_stats(std::chrono::steady_clock::time_point deadline) {
  if (!owed_.valid()) {
    auto answer = std::make_shared<std::promise<ShardStats>>();
    owed_ = answer->get_future();
    io_->deliver(
        *std::make_unique<Order>([this, answer] { answer->set_value(stats(true)); }).release());
  }
  if (owed_.wait_until(deadline) != std::future_status::ready) {
    return std::nullopt;
  }
  return owed_.get();
}

ShardStats ShardThread::stats(bool by_mail) const {
  ShardStats stats;
  stats.operations = io_->in_flight() - (by_mail ? 1 : 0); // the mail that asks
  stats.held_bytes = shard_->held.held();
  stats.held_bytes_peak = shard_->held.peak();
  stats.entries = io_->kernel_counts().entries;
  stats.completions = io_->kernel_counts().completions;
  stats.calls = io_->kernel_counts().calls;
  return stats;
}

ShardThread::~ShardThread() {
  if (!has_thread()) {
    unmake();
    return;
  }
  call([this] { ending_ = true; });
  thread_.join();
}

} // namespace culvert
