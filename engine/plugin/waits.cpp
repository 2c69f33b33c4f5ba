#include "plugin/waits.hpp"

#include <algorithm>
#include <utility>

namespace culvert {

class PluginWaits::Watch {
public:
  Watch(PluginWaits &owner, std::uint64_t number, Socket socket, Callback callback)
      : callback(callback), io_(owner.shard_.io), owner_(&owner), number_(number), socket_(socket),
        open_(owner.open_watches_) {
    ++*open_;
    poll_.bind<&Watch::on_event>(*this);
    cancel_.bind<&Watch::on_cancelled>(*this);
  }
  ~Watch() {
    io_.close(socket_);
    --*open_;
  }

  void start(Interest interest) { io_.poll(socket_, interest, poll_); }
  static void cancel(std::unique_ptr<Watch> watch) {
    Watch &self = *watch.release();
    self.owner_ = nullptr;
    self.io_.cancel(self.poll_, self.cancel_);
  }

  const Callback callback;

private:
  void on_event(Outcome) {
    if (owner_ != nullptr) {
      owner_->ready(number_); // this is gone behind it
    } else {
      end();
    }
  }
  void on_cancelled(Outcome) { end(); }
  void end() {
    if (!poll_.in_flight() && !cancel_.in_flight()) {
      const std::unique_ptr<Watch> self(this);
    }
  }

  Io &io_;
  PluginWaits *owner_; // nullptr: cancelled, and it owns itself
  const std::uint64_t number_;
  const Socket socket_;                     // a duplicate of the plugin's
  const std::shared_ptr<std::size_t> open_; // it may live longer than its owner
  Completion poll_;
  Completion cancel_;
};

class PluginWaits::Alarm {
public:
  Alarm(PluginWaits &owner, std::uint64_t number, Callback callback)
      : callback(callback), owner_(owner), number_(number) {
    timer.bind<&Alarm::on_due>(*this);
  }

  const Callback callback;
  Timer timer;

private:
  void on_due() { owner_.due(number_); } // this is gone behind it

  PluginWaits &owner_;
  const std::uint64_t number_;
};

PluginWaits::PluginWaits(Shard &shard, CallWatch &calls) : shard_(shard), calls_(calls) {}

PluginWaits::~PluginWaits() {
  end();
}

std::uint64_t PluginWaits::watch(int descriptor, Interest interest, Callback ready) {
  if (ended_ || *open_watches_ >= kPluginWatches) {
    return 0;
  }
  const Result<Socket> socket = shard_.io.adopt(descriptor);
  if (!socket.ok()) {
    return 0;
  }
  const std::uint64_t number = ++last_number_;
  auto made = std::make_unique<Watch>(*this, number, socket.value(), ready);
  made->start(interest);
  watches_.emplace(number, std::move(made));
  return number;
}

std::uint64_t PluginWaits::start_timer(std::uint64_t delay_ms, Callback due) {
  if (ended_ || timers_.size() >= kPluginTimers) {
    return 0;
  }
  const std::uint64_t number = ++last_number_;
  auto made = std::make_unique<Alarm>(*this, number, due);
  shard_.io.arm_after_ms(made->timer, std::min(delay_ms, kMostPluginDelayMs));
  timers_.emplace(number, std::move(made));
  return number;
}

template <typename Wait>
std::unique_ptr<Wait> PluginWaits::take(Waits<Wait> &from, std::uint64_t number) {
  auto node = from.extract(number);
  return node.empty() ? nullptr : std::move(node.mapped());
}

void PluginWaits::ready(std::uint64_t number) {
  const Callback callback = take(watches_, number)->callback;
  run("a watch's ready()", callback);
}

void PluginWaits::due(std::uint64_t number) {
  const Callback callback = take(timers_, number)->callback;
  run("a timer's due()", callback);
}

void PluginWaits::run(const char *name, const Callback &callback) {
  const CallWatch::Call call = calls_.watch(name);
  callback.function(callback.context);
}

void PluginWaits::cancel_watch(std::uint64_t number) {
  if (auto watch = take(watches_, number)) {
    Watch::cancel(std::move(watch));
  }
}

void PluginWaits::cancel_timer(std::uint64_t number) {
  take(timers_, number);
}

std::size_t PluginWaits::end() {
  const std::size_t left = watches_.size() + timers_.size();
  ended_ = true;
  for (auto &[number, watch] : watches_) {
    Watch::cancel(std::move(watch));
  }
  watches_.clear();
  timers_.clear();
  return left;
}

} // namespace culvert
