#include "unit/role/role_world.hpp"

#include "link/tcp.hpp"

#include <algorithm>

namespace culvert::test {

// --- services -----------------------------------------------------------------------------------

Session::Session(Shard &shard, Socket socket, std::function<void(Session &)> on_bytes)
    : on_bytes_(std::move(on_bytes)), link_(std::make_unique<TcpLink>(shard, socket)) {
  receive_.bind<&Session::on_receive>(*this);
  finish_.bind<&Session::on_finish>(*this);
  dropping_.bind<&Session::on_gone>(*this);
  link_->receive(receive_);
}

Session::~Session() = default;

void Session::raw(std::string bytes) {
  link_->send({reinterpret_cast<std::byte *>(bytes.data()), bytes.size()});
  link_->flush();
}

void Session::say(const std::string &words) {
  std::string bytes;
  bytes += static_cast<char>(words.size() >> 8U);
  bytes += static_cast<char>(words.size() & 0xffU);
  raw(bytes + words);
}

std::optional<std::string> Session::message() {
  if (heard.size() < 2) {
    return std::nullopt;
  }
  const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(heard[0])) * 256 +
                           static_cast<unsigned char>(heard[1]);
  if (heard.size() < size + 2) {
    return std::nullopt;
  }
  std::string words = heard.substr(2, size);
  heard.erase(0, size + 2);
  return words;
}

void Session::finish() {
  link_->finish(Ending::finished(), finish_);
}

void Session::drop() {
  if (!gone && !dropping_.in_flight()) {
    link_->drop(dropping_);
  }
}

void Session::on_receive(Outcome outcome) {
  if (outcome.result < 0 || dropping_.in_flight()) {
    return;
  }
  Chunk chunk;
  while (link_->take(chunk, {})) {
    heard.append(reinterpret_cast<const char *>(chunk.data), chunk.size);
  }
  if (const Ending *end = link_->received_end()) {
    heard_end = true;
    aborted = end->aborted;
  }
  on_bytes_(*this);
  if (!heard_end && !stop_reading && !gone && !dropping_.in_flight()) {
    link_->receive(receive_);
  }
}

Service::Service(SimWorld &world, Log &log, const std::string &host, std::uint16_t port,
                 std::function<void(Session &)> on_bytes)
    : random_(world.make_random()),
      shard_(std::make_unique<Shard>(world.make_io("service " + host, host), *random_, log, 50)),
      address_(*Address::from_literal(host, port)), on_bytes_(std::move(on_bytes)) {
  open();
}

void Service::open() {
  listening_ = shard_->io.listen(address_).value();
  acceptor_.emplace(*shard_, Delegate<Socket>::to<&Service::on_socket>(*this),
                    Delegate<>::to<&Service::on_stopped>(*this));
  acceptor_->start(listening_);
  open_ = true;
}

void Service::close() {
  if (std::exchange(open_, false)) {
    acceptor_->stop();
  }
}

void Service::drop_all() {
  for (Session &session : sessions) {
    session.drop();
  }
}

bool Service::ended() {
  return closed() && std::all_of(sessions.begin(), sessions.end(),
                                 [](const Session &session) { return session.gone; });
}

// --- the log ------------------------------------------------------------------------------------

void TimedLog::write(LogLevel level, std::string_view message,
                     std::initializer_list<LogField> fields) {
  std::string line(message);
  for (const LogField &field : fields) {
    line += " " + std::string(field.name) + "=" + field.value;
  }
  lines.push_back({world->now_ns() / 1'000'000U, level, std::move(line)});
}

std::size_t TimedLog::count(std::string_view text) const {
  return static_cast<std::size_t>(
      std::count_if(lines.begin(), lines.end(), [text](const TimedLine &line) {
        return line.text.find(text) != std::string::npos;
      }));
}

std::string TimedLog::text() const {
  std::string all;
  for (const TimedLine &line : lines) {
    all += std::to_string(line.at_ms) + " " + line.text + "\n";
  }
  return all;
}

// --- the world ----------------------------------------------------------------------------------

RoleWorld::RoleWorld(std::uint64_t seed, std::size_t keys)
    : world(seed), relay(world, log, "10.0.0.1", 4430,
                         [this](Session &session) {
                           if (relay_script) {
                             relay_script(session);
                           } else if (const auto head = session.message()) {
                             session.last = *head;
                             session.say("ok");
                           }
                         }),
      target(world, log, "10.0.0.3", 80,
             [this](Session &session) {
               if (target_script) {
                 target_script(session);
               }
             }),
      random(world.make_random()),
      shard(std::make_unique<Shard>(world.make_io("role", "10.0.0.2"), *random, log, 0)),
      auth(*shard, keys), resolver(*shard), app_random_(world.make_random()),
      app_shard_(std::make_unique<Shard>(world.make_io("app", "10.0.0.4"), *app_random_, log, 60)),
      app_address_(*Address::from_literal("10.0.0.2", 9000)) {
  log.world = &world;
  listener_options.entity = {"10.0.0.1", 4430, "alpha"};
  listener_options.target = {"10.0.0.3", 80, ""};
  sender_options.entity = listener_options.entity;
}

RoleWorld::~RoleWorld() {
  EXPECT_EQ(end(), "") << log.text();
}

void RoleWorld::start_listener(std::vector<std::string> rendezvous_hosts) {
  listener_options.rendezvous_hosts = std::move(rendezvous_hosts);
  listener.emplace(kit(), listener_options, "id", counters,
                   Delegate<>::to<&RoleWorld::on_stopped>(*this));
  listener->start();
}

void RoleWorld::start_sender(const Address &at) {
  sender.emplace(kit(), sender_options, counters, Delegate<>::to<&RoleWorld::on_stopped>(*this));
  sender->start({shard->io.listen(at).value()});
}

RawPeer &RoleWorld::app(std::string bytes, bool finishes) {
  return apps_.emplace_back(*app_shard_, app_address_, std::move(bytes), finishes);
}

Session *RoleWorld::channel() {
  for (Session &session : relay.sessions) {
    if (session.last.starts_with("listen") && !session.gone && !session.heard_end) {
      return &session;
    }
  }
  return nullptr;
}

std::string RoleWorld::end() {
  if (!random) {
    return "";
  }
  world.heal();
  if (listener) {
    listener->drop();
  }
  if (sender) {
    sender->drop();
  }
  if (!run_until([this] { return counters.parts_running == 0; })) {
    return "the role does not stop";
  }
  relay.close();
  target.close();
  relay.drop_all();
  target.drop_all();
  run_until([this] { return relay.ended() && target.ended(); });
  for (RawPeer &app : apps_) {
    run_until([&app] { return app.ended; });
  }
  world.run_for(10);
  std::string left = world.leaks();
  if (counters.tunnels.open() != 0 || counters.channels_online != 0) {
    left += "a counter is not zero\n";
  }
  left += shard->held.held() == 0 ? "" : "bytes are held\n";
  listener.reset();
  sender.reset();
  random.reset();
  return left;
}

std::function<void(Session &)> offering(std::vector<std::string> words) {
  return [words = std::move(words)](Session &session) {
    if (!session.last.empty()) {
      return;
    }
    if (const auto head = session.message()) {
      session.last = *head;
      session.say("ok");
      for (const std::string &each : words) {
        if (head->starts_with("listen")) {
          session.say(each);
        }
      }
    }
  };
}

void lets_in_and_out(Session &session) {
  if (session.message()) {
    session.say("ok");
    session.finish();
  }
  if (session.heard_end) {
    session.drop();
  }
}

Session *head_of(RoleWorld &world, const std::string &beginning) {
  for (Session &session : world.relay.sessions) {
    if (session.last.starts_with(beginning)) {
      return &session;
    }
  }
  return nullptr;
}

} // namespace culvert::test
