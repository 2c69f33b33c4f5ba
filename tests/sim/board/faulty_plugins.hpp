// The plugins of a role with one fault: what they are asked for goes to the real ones, unless the
// board has another answer.
//
// Used on the one thread of their world; each owns the real one.
#pragma once

#include "faults.hpp"

#include "plugin/kinds.hpp"
#include "unit/silence.hpp"

#include <functional>
#include <memory>
#include <utility>

namespace culvert::simtest {

/// The board's answer to a question of this kind.
using AskBoard = std::function<Fault::Answer(Operation)>;

inline Status plugin_failure(bool for_ever) {
  return Status::failure(for_ever ? Code::kNoName : Code::kTimeout,
                         for_ever ? Source::kConfig : Source::kPlugin,
                         for_ever ? Retry::kNever : Retry::kBackoff, "the board says no");
}

class FaultyAuth final : public Auth {
public:
  FaultyAuth(std::unique_ptr<Auth> real, SimIo &io, AskBoard ask)
      : real_(std::move(real)), io_(io), ask_(std::move(ask)) {}

  void acquire(AcquireToken &operation, std::string_view audience) override {
    const Fault::Answer answer = ask_(Operation::kToken);
    if (answer == Fault::Answer::kBadToken) {
      operation.finish(io_, Token{"nonsense", ~0ULL, io_.wall_s() + 3'600, 0});
    } else if (!answered(answer, operation, no_token_)) {
      real_->acquire(operation, audience);
    }
  }
  bool refused(std::uint64_t token_id) override { return real_->refused(token_id); }
  void verify(VerifyToken &operation, const TokenCheck &check) override {
    if (!answered(ask_(Operation::kVerify), operation, no_grant_)) {
      real_->verify(operation, check);
    }
  }

private:
  template <typename Value>
  bool answered(Fault::Answer answer, PluginOperation<Value> &operation,
                test::Silence<Value> &silence) {
    if (answer == Fault::Answer::kSilence) {
      silence.ask(io_, operation);
    } else if (answer != Fault::Answer::kTrue) {
      operation.finish(io_, plugin_failure(answer == Fault::Answer::kNever));
    }
    return answer != Fault::Answer::kTrue;
  }

  std::unique_ptr<Auth> real_;
  SimIo &io_;
  AskBoard ask_;
  test::Silence<Token> no_token_;
  test::Silence<Grant> no_grant_;
};

class FaultyResolver final : public Resolver {
public:
  FaultyResolver(std::unique_ptr<Resolver> real, SimIo &io, AskBoard ask)
      : real_(std::move(real)), io_(io), ask_(std::move(ask)) {}

  void resolve(ResolveName &operation, std::string_view name) override {
    const Fault::Answer answer = ask_(Operation::kName);
    if (answer == Fault::Answer::kTrue) {
      real_->resolve(operation, name);
    } else if (answer == Fault::Answer::kSilence) {
      silence_.ask(io_, operation);
    } else {
      operation.finish(io_, plugin_failure(answer == Fault::Answer::kNever));
    }
  }

private:
  std::unique_ptr<Resolver> real_;
  SimIo &io_;
  AskBoard ask_;
  test::Silence<Addresses> silence_;
};

} // namespace culvert::simtest
