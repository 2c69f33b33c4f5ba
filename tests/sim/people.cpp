#include "people.hpp"

namespace culvert::simtest {

// --- app ----------------------------------------------------------------------------------------

App::App(TalkWorld &shared, Io &io, const Address &sender, std::vector<Session *> sessions)
    : shared_(shared), io_(io), sender_(sender), sessions_(std::move(sessions)) {
  connect_.bind<&App::on_connected>(*this);
  gap_.bind<&App::dial>(*this);
}

void App::next() {
  if (at_ < sessions_.size()) {
    io_.arm_after_ms(gap_, sessions_[at_]->gap_ms);
  }
}

void App::dial() {
  const Result<Socket> opened = io_.open(sender_);
  if (!opened.ok()) {
    over();
    return;
  }
  socket_ = opened.value();
  io_.connect(socket_, sender_, connect_);
}

void App::on_connected(Outcome outcome) {
  if (outcome.result < 0) {
    io_.close(socket_);
    over();
    return;
  }
  Session &session = *sessions_[at_];
  session.connected = true;
  session.app_socket = socket_;
  talker_ = std::make_unique<Talker>(shared_, io_, socket_, &session);
  talker_->on_closed = [this] { over(); };
  talker_->start();
}

void App::over() {
  sessions_[at_]->app_over = true;
  ++at_;
  next();
}

void App::stop() {
  gap_.disarm();
  const bool talking = talker_ && !talker_->closed();
  sessions_.resize(at_ + (talking || connect_.in_flight() ? 1 : 0));
  if (talking) {
    talker_->stop();
  }
}

// --- target -------------------------------------------------------------------------------------

Target::Target(TalkWorld &shared, Io &io, const Address &address) : shared_(shared), io_(io) {
  accept_.bind<&Target::on_accept>(*this);
  cancel_.bind<&Target::on_cancelled>(*this);
  again_.bind<&Target::arm>(*this);
  listening_ = io.listen(address).value();
  arm();
}

void Target::on_accept(Outcome outcome) {
  if (outcome.result >= 0 && stopping_) {
    io_.close(Socket{outcome.result});
  } else if (outcome.result >= 0) {
    talkers_.push_back(std::make_unique<Talker>(shared_, io_, Socket{outcome.result}, nullptr));
    talkers_.back()->start();
  }
  if (outcome.more) {
    return;
  }
  if (stopping_) {
    close_if_joined();
  } else {
    io_.arm_after_ms(again_, 5);
  }
}

void Target::stop() {
  stopping_ = true;
  again_.disarm();
  for (const auto &talker : talkers_) {
    talker->stop();
  }
  if (accept_.in_flight()) {
    io_.cancel(accept_, cancel_);
  } else {
    close_if_joined();
  }
}

void Target::close_if_joined() {
  if (stopping_ && listening_.valid() && !accept_.in_flight() && !cancel_.in_flight()) {
    io_.close(listening_);
    listening_ = {};
  }
}

} // namespace culvert::simtest
