#include "role/relay/authorization.hpp"

#include <utility>

namespace culvert {

Authorization::Authorization(Delegate<const Result<Grant> &> done) : done_(done) {
  verify_.bind<&Authorization::on_verified>(*this);
}

bool Authorization::start(std::shared_ptr<const RelayParts> parts, std::string path,
                          std::uint32_t right, std::string_view token) {
  parts_ = std::move(parts);
  path_ = std::move(path);
  match_ = parts_->policy->entities().match(path_);
  if (right == kRightSend && !match_.senders_need_token) {
    return false;
  }
  check_.token = token;
  check_.path = path_;
  check_.rules = &match_.rules;
  check_.names = &parts_->policy->names();
  check_.right_wanted = right;
  parts_->auth->verify(verify_, check_);
  check_.token = {}; // verify() has copied it
  return true;
}

void Authorization::on_verified(Outcome) {
  const bool lacks_right = verify_.result.ok() && (verify_.result.value().rights &
                                                   (check_.right_wanted | kRightManage)) == 0;
  if (lacks_right) {
    verify_.result = Status::failure(Code::kTokenRight, Source::kRelay, Retry::kNever,
                                     "the token's rule lacks the right");
  }
  done_(verify_.result); // it may destroy this
}

} // namespace culvert
