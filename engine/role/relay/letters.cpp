#include "role/relay/letters.hpp"

#include "role/relay/relay_shard.hpp"

namespace culvert {

void OfferLetter::deliver(RelayShard &there) {
  Channel *const to = there.channel(channel.slot);
  written_ = to != nullptr && to->offer(std::move(message), from);
}

void OfferLetter::returned(RelayShard &home) {
  if (written_) {
    home.rendezvous().offer_written(pending);
  } else {
    home.rendezvous().offer_failed(pending);
  }
}

void LostLetter::deliver(RelayShard &there) {
  there.rendezvous().channel_lost(channel_, end_);
}

void ReplacedLetter::deliver(RelayShard &there) {
  if (Channel *old = there.channel(channel_.slot)) {
    old->close(Status::failure(Code::kGone, Source::kRelay, Retry::kNever,
                               "another listener has registered with this id"));
  }
}

void MoveLetter::deliver(RelayShard &there) {
  refusal_ = there.take_in(guest);
}

void MoveLetter::returned(RelayShard &home) {
  home.on_moved(connection, std::move(guest), refusal_);
}

} // namespace culvert
