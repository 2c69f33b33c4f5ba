#include "roles.hpp"

#include <algorithm>
#include <cerrno>

namespace culvert::command {
namespace {

/// How long the address of a role that was stopped may still be in use, and how often one looks.
constexpr std::uint64_t kAddressMs = 5'000;
constexpr std::uint64_t kLookMs = 20;

constexpr const char *kind_of(const RelayConfig &) {
  return "relay";
}
constexpr const char *kind_of(const ListenerConfig &) {
  return "listener";
}
constexpr const char *kind_of(const SenderConfig &) {
  return "sender";
}

Result<RoleId> start_role(Engine &engine, const RelayConfig &config) {
  return engine.start_relay(config);
}
Result<RoleId> start_role(Engine &engine, const ListenerConfig &config) {
  return engine.start_listener(config);
}
Result<RoleId> start_role(Engine &engine, const SenderConfig &config) {
  return engine.start_sender(config);
}

std::vector<HostPort> addresses_of(const BindConfig &config) {
  std::vector<HostPort> all{config.bind};
  all.insert(all.end(), config.also_bind.begin(), config.also_bind.end());
  return all;
}
std::vector<HostPort> addresses_of(const ListenerConfig &) {
  return {};
}

std::string text_of(const BindConfig &config) {
  std::string text = std::to_string(config.bind_mode);
  for (const HostPort &address : addresses_of(config)) {
    text += " " + address.text();
  }
  return text;
}
/// What Engine::update() cannot change.
std::string kept_of(const RelayConfig &config) {
  return text_of(config);
}
std::string kept_of(const ListenerConfig &config) {
  const ConnectionString &relay = config.connection;
  return config.transport + " " + relay.host + " " + std::to_string(relay.port) + " " +
         relay.entity_path;
}
std::string kept_of(const SenderConfig &config) {
  return config.transport + " " + text_of(config);
}

} // namespace

Status of_role(const std::string &title, Status status) {
  if (!status.ok()) {
    status.message = title + ": " + status.message;
  }
  return status;
}

template <typename Config>
void Roles::add(const std::vector<Config> &configs, const std::vector<RolePlaces> &places,
                std::vector<Wanted> &wanted) {
  for (std::size_t i = 0; i < configs.size(); ++i) {
    const Config &config = configs[i];
    Wanted &one = wanted.emplace_back();
    one.facts = {kind_of(config), config.name, fingerprint(config), kept_of(config),
                 addresses_of(config)};
    one.place = i < places.size() ? places[i].table : ConfigPlace{};
    one.check = [&config](Engine &engine) { return engine.check(config); };
    one.start = [&config](Engine &engine) { return start_role(engine, config); };
    one.update = [&config](Engine &engine, RoleId id) { return engine.update(id, config); };
  }
}

/// Relays first: a listener of this process then finds its relay at once.
std::vector<Roles::Wanted> Roles::all_of(const LoadedConfig &loaded) {
  std::vector<Wanted> wanted;
  add(loaded.configuration.relays, loaded.relays, wanted);
  add(loaded.configuration.listeners, loaded.listeners, wanted);
  add(loaded.configuration.senders, loaded.senders, wanted);
  return wanted;
}

void Roles::list() {
  ids_.clear();
  for (const Running &each : running_) {
    ids_.push_back(each.id);
  }
}

/// A role without a name is the only one.
void Roles::say(LogLevel level, const std::string &what, const Facts &facts) {
  if (!facts.name.empty()) {
    log_.write(level, what, {{"role", facts.kind}, {"name", facts.name}});
  }
}

Status Roles::start(const LoadedConfig &loaded) {
  for (Wanted &wanted : all_of(loaded)) {
    const Result<RoleId> id = wanted.start(engine_);
    if (!id.ok()) {
      return wanted.facts.name.empty() ? id.status() : of_role(wanted.facts.title(), id.status());
    }
    say(LogLevel::kInfo, "role started", wanted.facts);
    running_.push_back({std::move(wanted.facts), id.value()});
  }
  list();
  return {};
}

std::vector<ConfigMistake> Roles::check(Engine &engine, const LoadedConfig &loaded) {
  std::vector<ConfigMistake> mistakes;
  for (const Wanted &wanted : all_of(loaded)) {
    Status status = wanted.check(engine);
    if (!status.ok()) {
      mistakes.push_back({wanted.place, wanted.facts.name.empty()
                                            ? status
                                            : of_role(wanted.facts.title(), status)});
    }
  }
  return mistakes;
}

Roles::Running *Roles::find(const Facts &facts) {
  const auto found = std::find_if(running_.begin(), running_.end(), [&](const Running &each) {
    return each.facts.kind == facts.kind && each.facts.name == facts.name;
  });
  return found == running_.end() ? nullptr : &*found;
}

/// It needs an address that a running role still has.
bool Roles::must_wait(const Wanted &wanted) const {
  for (const Running &each : running_) {
    for (const HostPort &taken : each.facts.addresses) {
      for (const HostPort &address : wanted.facts.addresses) {
        if (listen_on_same(taken, address)) {
          return true;
        }
      }
    }
  }
  return false;
}

Status Roles::start_ahead(std::vector<Wanted> &wanted, std::vector<Running> &made,
                          Reloaded &reloaded) {
  for (Wanted &each : wanted) {
    const Running *before = find(each.facts);
    if ((before != nullptr && before->facts.kept == each.facts.kept) || must_wait(each)) {
      continue;
    }
    const Result<RoleId> id = each.start(engine_);
    if (!id.ok()) {
      for (const Running &started : made) {
        engine_.stop(started.id);
      }
      return of_role(each.facts.title(), id.status());
    }
    say(LogLevel::kDebug, "role started", each.facts);
    made.push_back({each.facts, id.value()});
    each.done = true;
    ++reloaded.started;
  }
  return {};
}

void Roles::update(std::vector<Wanted> &wanted, Reloaded &reloaded) {
  for (Wanted &each : wanted) {
    Running *const running = find(each.facts);
    if (each.done || running == nullptr || running->facts.kept != each.facts.kept) {
      continue;
    }
    each.done = true;
    const bool changed = running->facts.print != each.facts.print;
    ++(changed ? reloaded.updated : reloaded.unchanged);
    if (!changed && each.facts.kind == "relay") {
      continue; // a listener or sender looks names up anew: its plugins may read files, too
    }
    const Status status = each.update(engine_, running->id);
    if (status.ok()) {
      say(LogLevel::kDebug, changed ? "role updated" : "role unchanged", each.facts);
      running->facts = each.facts;
    } else {
      reloaded.failures.push_back(of_role(each.facts.title(), status));
    }
  }
}

void Roles::stop_gone(const std::vector<Wanted> &wanted, Reloaded &reloaded) {
  std::erase_if(running_, [&](const Running &running) {
    const bool stays = std::any_of(wanted.begin(), wanted.end(), [&](const Wanted &each) {
      return each.facts.kind == running.facts.kind && each.facts.name == running.facts.name &&
             each.facts.kept == running.facts.kept;
    });
    if (!stays) {
      engine_.stop(running.id);
      say(LogLevel::kDebug, "role drains", running.facts);
      ++reloaded.stopped;
    }
    return !stays;
  });
}

/// What needed the address of a role that is stopped now.
void Roles::start_rest(std::vector<Wanted> &wanted, Reloaded &reloaded) {
  for (Wanted &each : wanted) {
    if (each.done) {
      continue;
    }
    Result<RoleId> id = each.start(engine_);
    for (std::uint64_t waited_ms = 0;
         !id.ok() && id.status().os_error == EADDRINUSE && waited_ms < kAddressMs;
         waited_ms += kLookMs) {
      engine_.wait_stopped(kLookMs);
      id = each.start(engine_);
    }
    if (id.ok()) {
      say(LogLevel::kDebug, "role started", each.facts);
      running_.push_back({each.facts, id.value()});
      ++reloaded.started;
    } else {
      reloaded.failures.push_back(of_role(each.facts.title(), id.status()));
    }
  }
}

Result<Reloaded> Roles::apply(const LoadedConfig &loaded) {
  Reloaded reloaded;
  std::vector<Wanted> wanted = all_of(loaded);
  std::vector<Running> made;
  if (Status status = start_ahead(wanted, made, reloaded); !status.ok()) {
    return status;
  }
  update(wanted, reloaded);
  stop_gone(wanted, reloaded);
  running_.insert(running_.end(), std::make_move_iterator(made.begin()),
                  std::make_move_iterator(made.end()));
  start_rest(wanted, reloaded);
  list();
  return reloaded;
}

} // namespace culvert::command
