#include "culvert/engine.hpp"

#include "admin/server.hpp"
#include "core/clock.hpp"
#include "crypto/secret.hpp"
#include "facade/plugin_setup.hpp"
#include "facade/role_table.hpp"
#include "facade/take.hpp"

#include <chrono>
#include <cstring>
#include <optional>
#include <poll.h>

namespace culvert {
namespace {

/// How often a waiting control thread looks again; it waits in set-up and at the end only.
constexpr std::uint64_t kLookMs = 5;
/// How long the admin endpoint waits for a shard.
constexpr std::chrono::milliseconds kShardAnswer{1'000};

class EngineOfShards final : public Engine {
public:
  EngineOfShards(const EngineConfig &config, Log &log)
      : config_(config), log_(log),
        plugins_({log, random_, clock_, secrets_}, plugin_directories(config)) {}

  ~EngineOfShards() override {
    admin_listening_.remove_files(); // a successor may have the path at once
    admin_.reset();
    drop();
    wait_stopped(UINT64_MAX);
    settle();
    roles_.clear();
    settle(); // what destroying the roles sent to their shards
  }

  Status start() {
    if (Status status = configure_plugins(plugins_, secrets_, config_); !status.ok()) {
      return status;
    }
    Status status =
        start_shards(config_.backend == Backend::kEpoll ? Backend::kEpoll : Backend::kUring);
    if (!status.ok() && config_.backend == Backend::kAuto && status.code != Code::kNoDescriptor) {
      const char *error = strerrorname_np(status.os_error);
      log_.write(LogLevel::kWarn, "io_uring is not possible here, so the engine runs on epoll",
                 {{"why", status.message}, {"errno", error == nullptr ? "" : error}});
      status = start_shards(Backend::kEpoll);
    }
    return status.ok() ? start_admin() : status;
  }

  Result<RoleId> start_relay(const RelayConfig &config) override {
    return add(make_relay_role(making(), config), facts_of(config));
  }
  Result<RoleId> start_listener(const ListenerConfig &config) override {
    return add(make_listener_role(making(), config), facts_of(config));
  }
  Result<RoleId> start_sender(const SenderConfig &config) override {
    return add(make_sender_role(making(), config), facts_of(config));
  }

  Status check(const RelayConfig &config) override { return check_relay_role(making(), config); }
  Status check(const ListenerConfig &config) override {
    return check_listener_role(making(), config);
  }
  Status check(const SenderConfig &config) override { return check_sender_role(making(), config); }

  Status update(RoleId role, const RelayConfig &config) override {
    return update(role, &RunningRole::update_relay, config);
  }
  Status update(RoleId role, const ListenerConfig &config) override {
    return update(role, &RunningRole::update_listener, config);
  }
  Status update(RoleId role, const SenderConfig &config) override {
    return update(role, &RunningRole::update_sender, config);
  }
  Status stop(RoleId role) override {
    if (roles_.stopped(role)) {
      return not_running(role);
    }
    untidy_ = true;
    roles_.running(role)->drain();
    return {};
  }

  [[nodiscard]] HostPort bound(RoleId role) const override { return roles_.bound(role); }
  [[nodiscard]] RoleStats stats(RoleId role) const override { return roles_.stats(role); }
  [[nodiscard]] ShardStats shard_stats(unsigned shard) const override {
    ShardStats stats;
    if (shard >= threads_.size()) {
      return stats;
    }
    ShardThread &thread = *threads_[shard];
    thread.call([&] { stats = thread.stats(thread.has_thread()); });
    return stats;
  }
  [[nodiscard]] Snapshot snapshot() const override {
    Snapshot made = snapshot_of_roles();
    for (unsigned shard = 0; shard < threads_.size(); ++shard) {
      made.shards.push_back({true, shard_stats(shard)});
    }
    return made;
  }

  void drain() override {
    untidy_ = true;
    roles_.for_each_backwards([](RunningRole &role) { role.drain(); });
  }
  void drop() override {
    untidy_ = true;
    roles_.for_each_backwards([](RunningRole &role) { role.drop(); });
  }
  [[nodiscard]] bool stopped() const override { return roles_.all_stopped(); }
  bool wait_for(RoleId role, RoleStats::State state, std::uint64_t timeout_ms) override {
    return wait_until([&] { return stats(role).state == state; }, timeout_ms);
  }
  bool wait_stopped(std::uint64_t timeout_ms) override {
    return wait_until([this] { return stopped(); }, timeout_ms);
  }

  bool take_reload() override { return admin_ != nullptr && admin_->take_reload(); }
  void answer_reload(bool reloaded, const std::vector<std::string> &sentences) override {
    if (admin_ != nullptr) {
      admin_->answer_reload(reloaded, sentences);
    }
  }
  [[nodiscard]] HostPort admin_bound() const override {
    return admin_ == nullptr ? HostPort{} : admin_listening_.bound.front();
  }

  [[nodiscard]] int descriptor() override { return threads_[0]->io().descriptor(); }
  [[nodiscard]] std::uint64_t nearest_deadline_ms() const override {
    Io &io = threads_[0]->io();
    const std::uint64_t deadline_ns = io.must_run() ? 0 : io.nearest_deadline_ns();
    if (deadline_ns == Timers::kNever) {
      return UINT64_MAX;
    }
    const std::uint64_t now_ns = io.now_ns();
    return deadline_ns <= now_ns ? 0 : (deadline_ns - now_ns + 999'999U) / 1'000'000U;
  }
  bool run_ready() override {
    const bool more = threads_[0]->io().run_ready();
    tidy();
    return more;
  }

private:
  /// All with the same backend, or none.
  Status start_shards(Backend backend) {
    for (unsigned i = 0; i < config_.shards; ++i) {
      auto thread = std::make_unique<ShardThread>(i, log_, config_.limits);
      if (Status status = thread->start(!config_.driven_by_host, backend); !status.ok()) {
        threads_.clear();
        return status;
      }
      threads_.push_back(std::move(thread));
    }
    backend_ = threads_[0]->io().name();
    return {};
  }

  Status start_admin() {
    const AdminConfig &admin = config_.admin;
    const bool unix_socket = !admin.bind.unix_path.empty();
    if (!unix_socket && admin.bind.host.empty()) {
      return {};
    }
    Status status = check_admin(admin);
    if (status.ok()) {
      BindConfig bind;
      bind.bind = admin.bind;
      bind.bind_mode = unix_socket ? admin.bind_mode : 0;
      status = take(listen_on(threads_, bind), admin_listening_);
    }
    if (status.ok()) {
      status = take(AdminServer::start({admin_listening_.sockets.front().id, unix_socket,
                                        admin.reloads, [this] { return snapshot_for_admin(); }}),
                    admin_);
    }
    if (!status.ok()) {
      status.message = "admin: " + status.message;
      return status;
    }
    admin_listening_.log(log_, {{"role", "admin"}});
    return {};
  }
  /// On the thread of the admin endpoint: a shard that a plugin blocks is not waited for.
  Snapshot snapshot_for_admin() {
    const auto deadline = std::chrono::steady_clock::now() + kShardAnswer;
    Snapshot made = snapshot_of_roles();
    for (const auto &thread : threads_) {
      const std::optional<ShardStats> stats = thread->ask_stats(deadline);
      made.shards.push_back({stats.has_value(), stats.value_or(ShardStats{})});
    }
    return made;
  }

  using State = RoleStats::State;

  /// Any thread.
  [[nodiscard]] Snapshot snapshot_of_roles() const {
    Snapshot made;
    made.version = CULVERT_VERSION;
    made.backend = backend_;
    made.started_s = started_s_;
    made.taken_s = clock_.wall_s();
    made.roles = roles_.snapshot();
    made.plugin_calls = plugins_.calls();
    return made;
  }
  static Status not_running(RoleId role) {
    return Status::config("there is no running role " + std::to_string(role) +
                          "; use an id that a start returned and that has not stopped");
  }
  template <typename Config>
  Status update(RoleId role, Status (RunningRole::*change)(const RoleMaking &, const Config &),
                const Config &config) {
    tidy();
    RunningRole *const changed = roles_.running(role);
    const State state = changed == nullptr ? State::kStopped : changed->stats().state;
    if (state == State::kDraining || state == State::kStopped) {
      return not_running(role);
    }
    untidy_ = true;
    Status status = (changed->*change)(making(), config);
    if (status.ok()) {
      roles_.changed(role, facts_of(config));
    }
    return status;
  }
  /// Gives up roles that have stopped, and what changed roles need no more. Never below a callback.
  void tidy() {
    if (untidy_) {
      untidy_ = !roles_.tidy();
    }
  }

  [[nodiscard]] RoleMaking making() {
    return {threads_, plugins_, secrets_, config_, random_, log_, checked_};
  }

  Result<RoleId> add(Result<std::unique_ptr<RunningRole>> role, RoleSnapshot facts) {
    if (!role.ok()) {
      return role.status(); // nothing of it was started
    }
    tidy();
    if (roles_.empty()) { // not before: the mistake in a start is one line
      log_.write(LogLevel::kInfo, "the engine runs",
                 {{"backend", backend_}, {"shards", std::to_string(config_.shards)}});
    }
    return roles_.add(std::move(role.value()), std::move(facts));
  }

  template <typename Predicate> bool wait_until(Predicate predicate, std::uint64_t timeout_ms) {
    const std::uint64_t start_ns = clock_.now_ns();
    while (!predicate()) {
      tidy();
      if ((clock_.now_ns() - start_ns) / 1'000'000U >= timeout_ms) {
        return false;
      }
      if (config_.driven_by_host) {
        Io &io = threads_[0]->io();
        while (io.run_ready()) {
        }
        io.wait(io.now_ns() + kLookMs * 1'000'000U);
      } else {
        ::poll(nullptr, 0, kLookMs);
      }
    }
    tidy();
    return true;
  }
  /// Lets the shards finish what runs without an owner, so that they can be destroyed.
  void settle() {
    for (const auto &thread : threads_) {
      wait_until([&] { return idle(*thread); }, UINT64_MAX);
    }
  }
  static bool idle(ShardThread &thread) {
    std::size_t operations = 0;
    thread.call([&] { operations = thread.io().in_flight(); });
    return operations == (thread.has_thread() ? 1 : 0); // the call itself
  }

  const EngineConfig config_;
  Log &log_;
  SystemRandom random_;
  SystemClock clock_;
  SecretStore secrets_;
  ShardThreads threads_;
  PluginSet plugins_;
  std::string backend_;
  const std::int64_t started_s_ = SystemClock().wall_s();
  RoleTable roles_;
  CheckedWarnings checked_;
  Listening admin_listening_;
  std::unique_ptr<AdminServer> admin_; // ends before what it asks
  bool untidy_ = false;                // tidy() has something to look at
};

} // namespace

Result<std::unique_ptr<Engine>> Engine::create(const EngineConfig &config, Log &log) {
  if (config.shards == 0 || (config.driven_by_host && config.shards != 1)) {
    return Status::config("an engine has at least one shard, and a host drives exactly one");
  }
  if (Status status = check_limits(config.limits); !status.ok()) {
    return status;
  }
  auto engine = std::make_unique<EngineOfShards>(config, log);
  if (Status status = engine->start(); !status.ok()) {
    return status;
  }
  return std::unique_ptr<Engine>(std::move(engine));
}

} // namespace culvert
