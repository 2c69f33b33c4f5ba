#include "support/sim/sim_world.hpp"

#include <algorithm>

namespace culvert {

namespace {

/// One turn of a loop takes some time: without it a loop that yields for ever would stop the clock.
constexpr std::uint64_t kTurnNs = 200;
/// Mail between two threads is under way at most so long.
constexpr std::uint64_t kLongestMailNs = 20'000;

} // namespace

SimWorld::SimWorld(std::uint64_t seed, const SimFaults &faults)
    : core_(seed, faults), kernel_(core_) {
  core_.trace.mix(seed);
}

SimWorld::~SimWorld() = default;

SimIo &SimWorld::make_io(std::string label, std::string_view host) {
  const int index = static_cast<int>(ios_.size());
  ios_.push_back(
      std::make_unique<SimIo>(*this, std::move(label), kernel_.network.host(host), index));
  return *ios_.back();
}

std::unique_ptr<Random> SimWorld::make_random() {
  return std::make_unique<SeededRandom>(core_.random.next());
}

std::int64_t SimWorld::wall_s() const {
  return kFirstWallSec + wall_offset_s_ + wall_fault_s_ +
         static_cast<std::int64_t>(core_.now_ns / 1'000'000'000U);
}

std::uint64_t SimWorld::next_ns(const SimIo *resting) const {
  std::uint64_t next = core_.events.empty() ? Timers::kNever : core_.events.top().time_ns;
  for (const auto &io : ios_) {
    if (io.get() != resting) {
      next = std::min(next, io->nearest_deadline_ns());
    }
  }
  return next;
}

bool SimWorld::step() {
  return step_before(Timers::kNever, nullptr);
}

bool SimWorld::step_before(std::uint64_t deadline_ns, const SimIo *resting) {
  std::vector<SimIo *> working;
  for (const auto &io : ios_) {
    if (io.get() != resting && io->has_work()) {
      working.push_back(io.get());
    }
  }
  const bool event_near =
      !core_.events.empty() && core_.events.top().time_ns <= core_.now_ns + kSimWakeNs;
  if (!working.empty() && !(event_near && core_.random.below(2) == 0)) {
    run_one_of(working);
    return true;
  }
  const std::uint64_t next = next_ns(resting);
  if (next == Timers::kNever || next > deadline_ns) {
    return false;
  }
  core_.now_ns = std::max(core_.now_ns, next);
  if (core_.strikes(SimFault::kClockJump, SimPhase::kNone)) {
    const auto span = static_cast<std::uint64_t>(2 * kSimLongestJumpSec + 1);
    wall_fault_s_ = static_cast<std::int64_t>(core_.random.below(span)) - kSimLongestJumpSec;
  }
  if (!core_.events.empty() && core_.events.top().time_ns <= core_.now_ns) {
    const SimEvent event = core_.events.top();
    core_.events.pop();
    handle(event);
  }
  return true;
}

void SimWorld::run_one_of(const std::vector<SimIo *> &working) {
  SimIo &io = *working[core_.random.below(working.size())];
  core_.now_ns += kTurnNs;
  core_.trace.mix(static_cast<std::uint64_t>(io.index()));
  io.more_ = io.run_ready();
}

void SimWorld::handle(const SimEvent &event) {
  if (event.kind != SimEvent::Kind::kMail) {
    kernel_.handle(event);
    return;
  }
  core_.trace.mix(event.subject);
  Post &post = posts_[event.subject];
  Mail &mail = *post.mail.front();
  post.mail.pop_front();
  ios_[static_cast<std::size_t>(post.to)]->arrived(mail);
}

void SimWorld::send_mail(SimIo *from, SimIo &to, Mail &mail) {
  const Pair pair(from == nullptr ? -1 : from->index(), to.index());
  const auto [found, added] = pairs_.try_emplace(pair, posts_.size());
  if (added) {
    posts_.push_back({{}, to.index()});
  }
  Post &post = posts_[found->second];
  post.mail.push_back(&mail);
  // Each event brings the oldest mail of the pair, so drawing the delays keeps the order.
  core_.after(100 + core_.random.below(kLongestMailNs), SimEvent::Kind::kMail, found->second);
}

bool SimWorld::run_until(const std::function<bool()> &done, std::uint64_t within_ms) {
  const std::uint64_t deadline_ns = core_.now_ns + within_ms * 1'000'000U;
  while (!done()) {
    if (core_.now_ns >= deadline_ns) {
      return false;
    }
    if (!step_before(deadline_ns, nullptr)) {
      core_.now_ns = deadline_ns;
    }
  }
  return true;
}

void SimWorld::run_for(std::uint64_t duration_ms) {
  run_until([] { return false; }, duration_ms);
}

void SimWorld::wait_for(SimIo &waiting, std::uint64_t deadline_ns) {
  deadline_ns = std::min(deadline_ns, waiting.nearest_deadline_ns());
  waiting.more_ = false; // it waits: its own run_ready() said that nothing is left
  while (!waiting.has_work() && core_.now_ns < deadline_ns) {
    if (!step_before(deadline_ns, &waiting)) {
      CULVERT_ASSERT(deadline_ns != Timers::kNever); // else: waits for what can never happen
      core_.now_ns = deadline_ns;
    }
  }
}

void SimWorld::cut(std::string_view host, std::string_view other) {
  kernel_.network.cut(kernel_.network.host(host), kernel_.network.host(other));
  kernel_.paths_changed();
}

void SimWorld::mend(std::string_view host, std::string_view other) {
  kernel_.network.mend(kernel_.network.host(host), kernel_.network.host(other));
  kernel_.paths_changed();
}

void SimWorld::heal() {
  core_.faults = {};
  wall_fault_s_ = 0;
  kernel_.network.mend_all();
  kernel_.unclog_all();
  kernel_.paths_changed();
}

std::string SimWorld::leaks() const {
  std::string text;
  for (const std::string &line : kernel_.open_sockets()) {
    text += line + '\n';
  }
  for (const auto &io : ios_) {
    if (io->in_flight() > 0) {
      text += std::to_string(io->in_flight()) + " operations in flight at " + io->label() + "\n";
    }
  }
  for (const auto &[pair, index] : pairs_) {
    if (!posts_[index].mail.empty()) {
      text += std::to_string(posts_[index].mail.size()) + " letters under way to " +
              ios_[static_cast<std::size_t>(pair.second)]->label() + "\n";
    }
  }
  return text;
}

} // namespace culvert
