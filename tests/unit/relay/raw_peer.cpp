#include "unit/relay/raw_peer.hpp"

#include "link/tcp.hpp"

namespace culvert::test {

RawPeer::RawPeer(Shard &shard, const Address &relay, std::string bytes, bool finishes)
    : shard_(shard), bytes_(std::move(bytes)), finishes_(finishes) {
  connect_.bind<&RawPeer::on_connect>(*this);
  receive_.bind<&RawPeer::on_receive>(*this);
  finish_.bind<&RawPeer::on_finish>(*this);
  closed_.bind<&RawPeer::on_closed>(*this);
  socket_ = shard.io.open(relay).value();
  shard.io.connect(socket_, relay, connect_);
}

RawPeer::~RawPeer() = default;

void RawPeer::on_connect(Outcome outcome) {
  if (outcome.result < 0) {
    shard_.io.close(socket_);
    ended = aborted = true;
    return;
  }
  link_ = std::make_unique<TcpLink>(shard_, socket_);
  if (!bytes_.empty()) {
    send(std::move(bytes_));
  }
  if (finishes_) {
    link_->finish(Ending::finished(), finish_);
  }
  if (reading) {
    link_->receive(receive_);
  }
}

void RawPeer::send(std::string bytes) {
  if (!link_) {
    bytes_ += bytes;
    return;
  }
  link_->send({reinterpret_cast<std::byte *>(bytes.data()), bytes.size()});
  link_->flush();
}

void RawPeer::drop() {
  if (link_ && !dropped_) {
    ended = dropped_ = true;
    link_->drop(closed_);
  }
}

void RawPeer::on_receive(Outcome outcome) {
  if (outcome.result < 0) {
    return;
  }
  Chunk chunk;
  while (link_->take(chunk, {})) {
    heard.append(reinterpret_cast<const char *>(chunk.data), chunk.size);
  }
  if (link_->received_end() == nullptr) {
    link_->receive(receive_);
    return;
  }
  ended = true;
  aborted = link_->received_end()->aborted;
  if (!stays) {
    drop();
  }
}

} // namespace culvert::test
