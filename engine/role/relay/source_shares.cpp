#include "role/relay/source_shares.hpp"

#include "core/assert.hpp"

namespace culvert {

SourceShares::Answer SourceShares::take(const std::string &source) {
  if (source.empty()) {
    return Answer::kTaken;
  }
  const std::lock_guard lock(mutex_);
  Share &share = shares_[source];
  if (share.taken < largest_) {
    ++share.taken;
    return Answer::kTaken;
  }
  const bool told = share.told;
  share.told = true;
  return told ? Answer::kStillFull : Answer::kFull;
}

void SourceShares::give_back(const std::string &source) {
  if (source.empty()) {
    return;
  }
  const std::lock_guard lock(mutex_);
  const auto found = shares_.find(source);
  CULVERT_ASSERT(found != shares_.end() && found->second.taken > 0);
  if (--found->second.taken == 0) {
    shares_.erase(found);
  }
}

std::size_t SourceShares::sources() const {
  const std::lock_guard lock(mutex_);
  return shares_.size();
}

} // namespace culvert
