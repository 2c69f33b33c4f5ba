#include "stage.hpp"

#include "faulty_plugins.hpp"

#include "core/uuid.hpp"
#include "support/sim/sim_socket.hpp"

namespace culvert::simtest {

namespace {

constexpr std::uint64_t kSeed = 1;
constexpr char kTargetHost[] = "10.0.4.1";
constexpr std::uint16_t kServicePort = 5432; // the sender's and the target's
constexpr std::uint32_t kIdleMs = 20'000;    // longer than the interval of pings
constexpr std::uint64_t kIdleBytes = 100;    // that an app says before it is silent
constexpr std::uint64_t kStreamBytes = 600'000;
constexpr std::uint64_t kFewBytes = 1'000;
constexpr int kSlowReaderBytes = 8 * 1024;
constexpr std::uint64_t kStallNs = 5'000'000'000;

const Address kTarget = *Address::from_literal(kTargetHost, kServicePort);

} // namespace

Address Stage::sender_address() {
  return *Address::from_literal(kSenderHost, kServicePort);
}

std::string_view word(Scene scene) {
  constexpr std::array<std::string_view, kScenes> kWords = {"upload", "download", "proxied"};
  return kWords.at(static_cast<std::size_t>(scene));
}

Stage::Stage(Scene scene)
    : scene_(scene), world_(kSeed),
      services_(world_, true, "transport_azure", ShardLimits{}.held_bytes, 3'600, LogLevel::kDebug),
      relay_(with_questions()),
      sender_(services_, "sender", kSenderHost, scene == Scene::kProxied, &sender_log_),
      listener_(services_, "listener", kListenerHost, scene == Scene::kProxied, &listener_log_),
      sessions_(2), target_(talk_, world_.make_io("target", kTargetHost), kTarget),
      app_io_(world_.make_io("app", "10.0.3.1")) {
  make_sessions();
  if (scene == Scene::kProxied) {
    proxy_.emplace(services_, judge_);
    proxy_->start();
  }
  const EntityAddress entity = {kRelayName, kRelayPort, kEntity};
  ListenerOptions listener;
  listener.entity = entity;
  listener.target = {kTargetHost, kServicePort, ""};
  listener_.make(relay_.client_of(kFirstListenerRule), listener, make_uuid(*services_.random));
  sender_.make(relay_.client_of(kSenderRule), SenderOptions{entity});
  const auto hear = [this](SimLog &log, Part part) {
    log.on_line = [this, part](std::string_view message, std::initializer_list<LogField> fields) {
      on_line(part, message, fields);
    };
  };
  world_.on_call([this](const SimCall &call) { return on_call(call); });
  hear(sender_log_, Part::kSender);
  hear(listener_log_, Part::kListener);
  hear(services_.log, Part::kRelay);
}

/// Before the roles make instances of their plugins.
Services &Stage::with_questions() {
  const auto ask = [this](SimIo &io) {
    return [this, &io](Operation operation) { return on_question(operation, io); };
  };
  services_.wrap_auth = [ask](std::unique_ptr<Auth> real, SimIo &io) -> std::unique_ptr<Auth> {
    return std::make_unique<FaultyAuth>(std::move(real), io, ask(io));
  };
  services_.wrap_resolver = [ask](std::unique_ptr<Resolver> real,
                                  SimIo &io) -> std::unique_ptr<Resolver> {
    return std::make_unique<FaultyResolver>(std::move(real), io, ask(io));
  };
  return services_;
}

void Stage::make_sessions() {
  Session &first = sessions_[0];
  Session &next = sessions_[1];
  next.number = 1;
  first.up.key = 1;
  first.down.key = 2;
  next.up.key = 3;
  next.down.key = 4;
  next.up.planned = kFewBytes;
  next.target.echo = true;
  if (scene_ == Scene::kDownload) {
    first.up.planned = kFewBytes;
    first.down.planned = kStreamBytes;
    first.app.after_peer = true;
    first.app.receive_buffer = kSlowReaderBytes;
  } else {
    first.up.planned = kStreamBytes;
    first.down.planned = kFewBytes;
    first.app.silence_ms = kIdleMs;
    first.target.after_peer = true;
  }
  for (Session &session : sessions_) {
    apps_.emplace_back(talk_, app_io_, sender_address(), std::vector<Session *>{&session});
  }
}

// --- what the roles ask for ---------------------------------------------------------------------

std::optional<Part> Stage::part_of(int host) const {
  if (host == relay_host_) {
    return Part::kRelay;
  }
  if (host == sender_host_) {
    return Part::kSender;
  }
  return host == listener_host_ ? std::optional(Part::kListener) : std::nullopt;
}

Asked Stage::about(Operation operation, Part part, const SimSocket *socket) const {
  Asked asked;
  asked.operation = operation;
  asked.part = part;
  asked.step = step();
  if (socket != nullptr) {
    asked.socket = socket->id;
    asked.connected = socket->state == SimSocket::State::kConnected;
    asked.raw = asked.connected &&
                (socket->local.port == kServicePort || socket->peer_address.port == kServicePort);
  }
  return asked;
}

SimStrike Stage::on_call(const SimCall &call) {
  const std::optional<Part> part = part_of(call.host);
  if (!listening_ || !part) {
    return {};
  }
  Asked asked = about(static_cast<Operation>(call.kind), *part, call.socket);
  asked.bytes = call.bytes;
  asked.ready = call.ready;
  return strikes(asked) ? fault_->strike : SimStrike{};
}

Fault::Answer Stage::on_question(Operation operation, const SimIo &io) {
  return listening_ && strikes(about(operation, *part_of(io.host()), nullptr))
             ? fault_->answer
             : Fault::Answer::kTrue;
}

/// A connection may stand still for a whole step: it is noted at the first moment of the step.
void Stage::note_connections() {
  if (!asked_.empty() && asked_.back().step == step()) {
    return;
  }
  for (const SimSocket *socket : world_.connections()) {
    if (const std::optional<Part> part = part_of(socket->host)) {
      asked_.push_back(about(Operation::kAny, *part, socket));
      strike_if_due(asked_.back());
    }
  }
}

bool Stage::strikes(const Asked &asked) {
  note_connections();
  asked_.push_back(asked);
  return strike_if_due(asked);
}

bool Stage::strike_if_due(const Asked &asked) {
  if (fault_ == nullptr || struck_ || asked_.size() != at_ + 1) {
    return false;
  }
  struck_ = true;
  if (asked.connected) {
    damage(Socket{asked.socket});
  }
  return true;
}

void Stage::damage(Socket socket) {
  switch (fault_->damage) {
  case Fault::Damage::kNone:
    return;
  case Fault::Damage::kReset:
    world_.reset_both(socket);
    return;
  case Fault::Damage::kFinish:
    world_.finish_both(socket);
    return;
  case Fault::Damage::kLose:
    world_.lose(socket);
    return;
  case Fault::Damage::kTimeOut:
    world_.time_out(socket);
    return;
  case Fault::Damage::kStall:
    world_.clog(socket, kStallNs);
    return;
  }
}

// --- where the tunnel is ------------------------------------------------------------------------

Step Stage::step() const {
  if (set_up_step_ != Step::kIdle) {
    return set_up_step_;
  }
  const Session &first = sessions_[0];
  if (first.up.finished || first.down.finished) {
    return first.up.finished && first.down.finished ? Step::kEnd : Step::kHalf;
  }
  if (scene_ == Scene::kDownload) {
    return Step::kDown;
  }
  return first.up.written > kIdleBytes ? Step::kUp : Step::kIdle;
}

void Stage::note_step(Part part, std::string_view message, std::string_view step) {
  const bool set_up = message == "set-up step";
  if (part == Part::kSender && set_up) {
    set_up_step_ = step == "dial"      ? Step::kDial
                   : step == "connect" ? Step::kProxy
                   : step == "tls"     ? Step::kTls
                   : step == "upgrade" ? Step::kUpgrade
                                       : Step::kName;
  } else if (part == Part::kRelay && message == "sender offered to a listener") {
    set_up_step_ = Step::kOffer;
  } else if (part == Part::kListener && message == "an offer has come") {
    set_up_step_ = Step::kTarget;
  } else if (part == Part::kListener && set_up && set_up_step_ == Step::kTarget) {
    set_up_step_ = Step::kFetch;
  } else if (message == "tunnel joined" && ++joined_ == kParts) {
    set_up_step_ = Step::kIdle;
  }
}

} // namespace culvert::simtest
