#include "support/sim/sim_io.hpp"

#include "support/sim/sim_world.hpp"

#include <utility>

namespace culvert {

SimIo::SimIo(SimWorld &world, std::string label, int host, int index)
    : world_(world), label_(std::move(label)), host_(host), index_(index) {}

SimIo::~SimIo() = default;

std::uint64_t SimIo::now_ns() const {
  return world_.now_ns();
}

std::int64_t SimIo::wall_s() const {
  return world_.wall_s();
}

Result<Socket> SimIo::listen(const Address &address) {
  return world_.kernel_.listen(host_, address);
}

Result<Socket> SimIo::open(const Address &address) {
  return world_.kernel_.open(host_, address);
}

int SimIo::receive(Socket socket, std::span<std::byte> into) {
  const int result = world_.kernel_.receive(socket, into);
  if (result >= 0 && on_received) {
    on_received(socket);
  }
  return result;
}

int SimIo::send(Socket socket, std::span<const std::span<const std::byte>> parts) {
  return world_.kernel_.send(socket, parts);
}

int SimIo::shutdown_send(Socket socket) {
  return world_.kernel_.shutdown_send(socket);
}

int SimIo::set_option(Socket socket, SocketOption option, int value) {
  return world_.kernel_.set_option(socket, option, value);
}

Result<Address> SimIo::local_address(Socket socket) {
  return world_.kernel_.local_address(socket);
}

Result<Address> SimIo::peer_address(Socket socket) {
  return world_.kernel_.peer_address(socket);
}

int SimIo::unsent_bytes(Socket socket) {
  ++unsent_asked_;
  return world_.kernel_.unsent_bytes(socket);
}

std::uint64_t SimIo::silent_ms(Socket socket) {
  return world_.kernel_.silent_ms(socket);
}

void SimIo::close(Socket socket) {
  if (on_close) {
    on_close(socket);
  }
  world_.kernel_.close(socket);
}

void SimIo::wait(std::uint64_t deadline_ns) {
  world_.wait_for(*this, deadline_ns);
}

void SimIo::start_accept(Socket socket, Completion &completion) {
  world_.kernel_.start_accept(*this, socket, completion);
}

void SimIo::start_connect(Socket socket, const Address &address, Completion &completion) {
  world_.kernel_.start_connect(*this, socket, address, completion);
}

void SimIo::start_poll(Socket socket, Interest interest, Completion &completion) {
  world_.kernel_.start_poll(*this, socket, interest, completion);
}

void SimIo::start_cancel(Completion &target, Completion &with) {
  world_.kernel_.start_cancel(*this, target, with);
}

void SimIo::start_deliver(Io *from, Mail &mail) {
  world_.send_mail(static_cast<SimIo *>(from), *this, mail);
}

void SimIo::finished(Completion &completion, Outcome outcome) {
  // Outcomes that wait together are told in an order drawn by seed; those of one completion keep
  // theirs.
  std::size_t earliest = finished_.size();
  while (earliest > 0 && finished_[earliest - 1].completion != &completion) {
    --earliest;
  }
  const std::size_t place = earliest + world_.core_.random.below(finished_.size() - earliest + 1);
  finished_.insert(finished_.begin() + static_cast<std::ptrdiff_t>(place), {&completion, outcome});
}

void SimIo::reap() {
  const std::vector<Finished> finished = std::exchange(finished_, {});
  for (const Finished &entry : finished) {
    complete(*entry.completion, entry.outcome);
  }
  for (std::size_t count = inbox_.size(); count > 0; --count) {
    Mail &mail = *inbox_.front();
    inbox_.pop_front();
    run_mail(mail);
  }
}

bool SimIo::has_work() {
  return more_ || has_ready() || anything_new() || nearest_deadline_ns() <= now_ns();
}

} // namespace culvert
