// How a stage runs, and what must hold in it.
#include "stage.hpp"

#include <array>

namespace culvert::simtest {

namespace {

constexpr std::uint64_t kRegisteredMs = 120'000; // a silent loss is found, and then mended
/// Half-open connections are found within 924 s, a half-closed tunnel may be silent for an hour.
constexpr std::uint64_t kLongestMs = 3 * 3'600'000;
/// Both ends of a control channel that was lost silently know it after this.
constexpr std::uint64_t kHalfOpenMs = 15'000 + ShardLimits{}.pong_ms + 100;
constexpr std::uint64_t kNextMs = 60'000;
constexpr std::uint64_t kStopMs = 200'000;

constexpr std::string_view kReset = "no tunnel for a connection; it is reset";
/// The lines with which a role begins to tell of a connection, and with which it ends.
struct Lines {
  std::string_view begins;
  std::array<std::string_view, 4> ends;
};
constexpr Lines kLines[kParts] = {
    {"an app has connected",
     {"tunnel ended", kReset, "an app left before its tunnel was there",
      "too many connections; one is reset"}},
    {"tunnel joined", {"tunnel ended", "", "", ""}},
    {"an offer has come",
     {"tunnel ended", "cannot connect to the target for a sender", "an offer came to nothing", ""}},
};

/// What can come of a sender that a relay has offered.
constexpr std::array<std::string_view, 4> kOutcomes = {
    "tunnel ended", "sender left before a listener came", "listener refused a sender",
    "connection refused"};

} // namespace

void Stage::note_offered(std::string_view message, const std::string &id) {
  if (message == "sender offered to a listener") {
    offered_[id] = false;
  } else if (std::find(kOutcomes.begin(), kOutcomes.end(), message) != kOutcomes.end()) {
    offered_[id] = true;
  }
}

void Stage::on_line(Part part, std::string_view message, std::initializer_list<LogField> fields) {
  std::string id;
  std::string why;
  std::string how;
  std::string step;
  for (const LogField &field : fields) {
    if (field.name == "id" || field.name == "sender") {
      id = field.value;
    } else if (field.name == "why") {
      why = field.value;
    } else if (field.name == "how") {
      how = field.value;
    } else if (field.name == "step") {
      step = field.value;
    }
  }
  const Lines &lines = kLines[static_cast<std::size_t>(part)];
  Told &told = told_[static_cast<std::size_t>(part)][id];
  resets_ += message == kReset ? 1 : 0;
  if (message == lines.begins) {
    ++told.begun;
  } else if (std::find(lines.ends.begin(), lines.ends.end(), message) != lines.ends.end()) {
    ++told.ended;
    const bool has_cause = !why.empty() || how == "finished" || message == lines.ends[2];
    expect(has_cause, "the " + std::string(word(part)) + " says why: " + std::string(message));
  }
  if (part == Part::kRelay) {
    note_offered(message, id);
  }
  if (listening_) {
    note_step(part, message, step);
  }
}

bool Stage::all_told() const {
  for (const auto &of_part : told_) {
    for (const auto &[id, told] : of_part) {
      if (told.ended < told.begun) {
        return false;
      }
    }
  }
  return true;
}

void Stage::expect(bool condition, const std::string &what) {
  if (!condition) {
    judge_.fail(what);
  }
}

bool Stage::until(const std::function<bool()> &done, std::uint64_t within_ms,
                  const std::string &what) {
  const bool held = world_.run_until(done, within_ms);
  expect(held, what + " within " + std::to_string(within_ms) + " ms");
  return held;
}

bool Stage::run(const Fault *fault, std::size_t at) {
  fault_ = fault;
  at_ = at;
  if (play() && stop()) {
    judge_end();
  }
  return failures().empty();
}

bool Stage::play() {
  const auto registered = [this] { return relay_.registered() == 1 && listener_.online(); };
  relay_.start();
  sender_.role().start({sender_.io().listen(sender_address()).value()});
  listener_.role().start();
  if (!until(registered, kRegisteredMs, "the listener is registered")) {
    return false;
  }
  if (set_up_step_ == Step::kRegister) {
    set_up_step_ = Step::kApp;
  }
  apps_[0].start();
  if (!until([this] { return apps_[0].idle() && target_.idle() && all_told(); }, kLongestMs,
             "the first tunnel is over, and every role has said so")) {
    return false;
  }
  listening_ = false;
  judge_first();
  if (struck_ &&
      (fault_->damage == Fault::Damage::kLose || fault_->damage == Fault::Damage::kTimeOut)) {
    world_.run_for(kHalfOpenMs);
  }
  if (!until(registered, kRegisteredMs, "the listener is registered again")) {
    return false;
  }
  apps_[1].start();
  if (!until([this] { return apps_[1].idle() && target_.idle() && all_told(); }, kNextMs,
             "the next tunnel is over")) {
    return false;
  }
  expect(sessions_[1].whole(), "the next tunnel is whole");
  return true;
}

void Stage::judge_first() {
  const Session &first = sessions_[0];
  expect(first.whole() || (struck_ && !fault_->harmless), "the tunnel is whole");
  expect(!first.connected || first.down.end != Flow::End::kNone,
         "the app hears how its stream ends");
  expect(first.down.end != Flow::End::kClean || (first.joined && first.down.whole()),
         "a clean end is that of the whole stream");
}

bool Stage::stop() {
  listening_ = true;
  set_up_step_ = Step::kStop;
  sender_.role().drain();
  listener_.role().drain();
  relay_.drain();
  if (!until([this] { return relay_.done() && sender_.stopped() && listener_.stopped(); }, kStopMs,
             "all roles are stopped")) {
    return false;
  }
  listening_ = false;
  target_.stop();
  if (proxy_) {
    proxy_->stop();
  }
  return until([this] { return target_.stopped() && (!proxy_ || proxy_->idle()); }, kStopMs,
               "target and proxy are closed");
}

void Stage::judge_end() {
  expect(fault_ == nullptr || struck_, "the fault strikes");
  for (std::size_t part = 0; part < kParts; ++part) {
    for (const auto &[id, told] : told_[part]) {
      expect(told.ended == told.begun, "the " + std::string(word(static_cast<Part>(part))) +
                                           " tells once how " + id + " ended, not " +
                                           std::to_string(told.ended) + " times");
    }
  }
  expect(sender_.counters().setups_failed == resets_,
         "the sender counts every connection that it resets without a tunnel");
  for (const auto &[id, has_outcome] : offered_) {
    expect(has_outcome, "the relay says what came of the sender " + id + " that it has offered");
  }
  for (const std::string &left :
       {relay_.bury(), sender_.left(), listener_.left(), world_.leaks()}) {
    expect(left.empty(), left);
  }
}

std::vector<std::string> Stage::log() const {
  std::vector<std::string> lines;
  for (const SimLog *log : {&sender_log_, &services_.log, &listener_log_}) {
    lines.insert(lines.end(), log->lines().begin(), log->lines().end());
  }
  std::stable_sort(lines.begin(), lines.end(), [](const std::string &a, const std::string &b) {
    return std::stoull(a) < std::stoull(b);
  });
  return lines;
}

} // namespace culvert::simtest
