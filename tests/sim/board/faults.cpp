#include "faults.hpp"

#include <cerrno>

namespace culvert::simtest {

namespace {

constexpr std::array<std::string_view, kParts> kPartWords = {"sender", "relay", "listener"};
constexpr std::array<std::string_view, kSteps> kStepWords = {
    "register", "app",   "name", "dial", "proxy", "tls",  "upgrade", "offer",
    "target",   "fetch", "idle", "up",   "down",  "half", "end",     "stop"};
constexpr std::array<std::string_view, 16> kOperationWords = {
    "open", "accept",   "connect", "poll",          "cancel",       "receive",
    "send", "shutdown", "option",  "local address", "peer address", "close",
    "name", "token",    "verify",  "connection"};

using Damage = Fault::Damage;
using Answer = Fault::Answer;
using Kind = SimStrike::Kind;

constexpr Fault error(Operation operation, const char *name, int number, bool harmless = false) {
  return {operation, name, {Kind::kError, number}, Damage::kNone, Answer::kTrue, harmless};
}
constexpr Fault broken(Operation operation, const char *name, Damage damage) {
  return {operation, name, {}, damage};
}
constexpr Fault harmless(Operation operation, const char *name, Kind kind) {
  return {operation, name, {kind}, Damage::kNone, Answer::kTrue, true};
}
constexpr Fault answer(Operation operation, const char *name, Answer answer) {
  return {operation, name, {}, Damage::kNone, answer};
}

constexpr Fault kFaults[] = {
    error(Operation::kOpen, "EMFILE", EMFILE),
    error(Operation::kOpen, "ENFILE", ENFILE),
    error(Operation::kOpen, "ENOBUFS", ENOBUFS),
    error(Operation::kOpen, "ENOMEM", ENOMEM),
    error(Operation::kOpen, "EACCES", EACCES),
    error(Operation::kOpen, "EAFNOSUPPORT", EAFNOSUPPORT),
    error(Operation::kAccept, "EMFILE", EMFILE, true),
    error(Operation::kAccept, "ENFILE", ENFILE, true),
    error(Operation::kAccept, "ENOBUFS", ENOBUFS, true),
    error(Operation::kAccept, "ENOMEM", ENOMEM, true),
    error(Operation::kAccept, "EINTR", EINTR, true),
    error(Operation::kAccept, "ECANCELED", ECANCELED, true),
    error(Operation::kAccept, "ECONNABORTED", ECONNABORTED),
    error(Operation::kAccept, "EPERM", EPERM),
    harmless(Operation::kAccept, "is over", Kind::kLast),
    error(Operation::kConnect, "ECONNREFUSED", ECONNREFUSED),
    error(Operation::kConnect, "ETIMEDOUT", ETIMEDOUT),
    error(Operation::kConnect, "EHOSTUNREACH", EHOSTUNREACH),
    error(Operation::kConnect, "ENETUNREACH", ENETUNREACH),
    error(Operation::kConnect, "EADDRNOTAVAIL", EADDRNOTAVAIL),
    error(Operation::kConnect, "ECONNRESET", ECONNRESET),
    error(Operation::kConnect, "ENOBUFS", ENOBUFS),
    error(Operation::kConnect, "ENOMEM", ENOMEM),
    error(Operation::kConnect, "EINTR", EINTR),
    {Operation::kConnect, "never answered", {Kind::kNever}},
    error(Operation::kPoll, "ENOBUFS", ENOBUFS, true),
    error(Operation::kPoll, "ENOMEM", ENOMEM, true),
    harmless(Operation::kPoll, "in vain", Kind::kVain),
    broken(Operation::kReceive, "ECONNRESET", Damage::kReset),
    broken(Operation::kReceive, "ETIMEDOUT", Damage::kTimeOut),
    error(Operation::kReceive, "ENOBUFS", ENOBUFS, true),
    error(Operation::kReceive, "ENOMEM", ENOMEM, true),
    error(Operation::kReceive, "EINTR", EINTR, true),
    error(Operation::kReceive, "EAGAIN", EAGAIN, true),
    harmless(Operation::kReceive, "1 byte", Kind::kOne),
    harmless(Operation::kReceive, "half", Kind::kHalf),
    harmless(Operation::kReceive, "all but 1", Kind::kAllButOne),
    broken(Operation::kSend, "ECONNRESET", Damage::kReset),
    broken(Operation::kSend, "ETIMEDOUT", Damage::kTimeOut),
    {Operation::kSend, "EPIPE", {Kind::kError, EPIPE}, Damage::kReset},
    error(Operation::kSend, "ENOBUFS", ENOBUFS, true),
    error(Operation::kSend, "ENOMEM", ENOMEM, true),
    error(Operation::kSend, "EINTR", EINTR, true),
    error(Operation::kSend, "EAGAIN", EAGAIN, true),
    harmless(Operation::kSend, "1 byte", Kind::kOne),
    harmless(Operation::kSend, "half", Kind::kHalf),
    harmless(Operation::kSend, "all but 1", Kind::kAllButOne),
    broken(Operation::kShutdown, "ENOTCONN", Damage::kReset),
    error(Operation::kOption, "EINVAL", EINVAL),
    error(Operation::kOption, "ENOBUFS", ENOBUFS),
    broken(Operation::kLocalAddress, "of a broken one", Damage::kReset),
    error(Operation::kLocalAddress, "ENOBUFS", ENOBUFS, true),
    broken(Operation::kPeerAddress, "ENOTCONN", Damage::kReset),
    error(Operation::kPeerAddress, "ENOBUFS", ENOBUFS, true),
    harmless(Operation::kCancel, "too late", Kind::kTooLate),
    harmless(Operation::kCancel, "told late", Kind::kCancelLate),
    harmless(Operation::kCancel, "target told late", Kind::kTargetLate),
    {Operation::kClose, "EINTR"},
    {Operation::kClose, "EIO"},
    broken(Operation::kAny, "reset", Damage::kReset),
    broken(Operation::kAny, "FIN", Damage::kFinish),
    broken(Operation::kAny, "silence", Damage::kLose),
    {Operation::kAny, "stalls 5 s", {}, Damage::kStall, Answer::kTrue, true},
    answer(Operation::kName, "unknown", Answer::kNever),
    answer(Operation::kName, "fails", Answer::kFails),
    answer(Operation::kName, "no answer", Answer::kSilence),
    answer(Operation::kToken, "fails", Answer::kFails),
    answer(Operation::kToken, "no answer", Answer::kSilence),
    answer(Operation::kToken, "refused", Answer::kBadToken),
    answer(Operation::kVerify, "fails", Answer::kFails),
    answer(Operation::kVerify, "no answer", Answer::kSilence),
};

} // namespace

std::string_view word(Part part) {
  return kPartWords.at(static_cast<std::size_t>(part));
}

std::string_view word(Step step) {
  return kStepWords.at(static_cast<std::size_t>(step));
}

std::string_view word(Operation operation) {
  return kOperationWords.at(static_cast<std::size_t>(operation));
}

std::span<const Fault> faults() {
  return kFaults;
}

std::string name_of(const Fault &fault) {
  return std::string(word(fault.operation)) + ' ' + fault.name;
}

} // namespace culvert::simtest
