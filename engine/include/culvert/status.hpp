// What happened, who caused it, and whether trying again can help.
//
// Status is the one error type of Culvert: a value, never an exception. A default Status is
// success. It is not bound to a thread. It owns its message; everything else in it is plain data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace culvert {

/// Who caused it. The numbers are those of the plugin ABI (culvert_source).
enum class Source : std::uint8_t {
  kLocal = 0,
  kRelay = 1,
  kTarget = 2,
  kPlugin = 3,
  kConfig = 4,
  kProxy = 5 // the HTTP proxy on the way to the relay
};

/// What trying again needs. The numbers are those of the plugin ABI (culvert_retry).
enum class Retry : std::uint8_t { kNever = 0, kNow = 1, kBackoff = 2, kNewToken = 3 };

/// What happened. Append only: the numbers are those of the plugin ABI (culvert_code).
enum class Code : std::uint16_t {
  kOk = 0,
  kCancelled = 1,       // this side cancelled it
  kTimeout = 2,         // a deadline passed
  kRefused = 3,         // no process listens at that address
  kUnreachable = 4,     // no route to it
  kReset = 5,           // the stream was broken by its other end
  kTruncated = 6,       // the stream ended at a place where it must not
  kProtocol = 7,        // the other side sent something malformed
  kTooLarge = 8,        // a bound would be exceeded
  kTls = 9,             // handshake or verification failed
  kRejected = 10,       // the other side refused; peer_status has its number
  kTokenMissing = 11,   // no token where one is needed
  kTokenMalformed = 12, // a token that cannot be read
  kTokenSignature = 13, // a token signed with another key
  kTokenExpired = 14,   // a token past its time and the grace
  kTokenAudience = 15,  // a token made for something else
  kTokenRight = 16,     // a token whose rule lacks the right
  kNoEntity = 17,       // the relay has no such entity
  kNoListener = 18,     // no listener is connected for the entity
  kGone = 19,           // what is there no more: a capability, an app that left, a channel
  kOverload = 20,       // a limit on how many was reached
  kShuttingDown = 21,   // this side is draining
  kNoName = 22,         // a name that does not resolve
  kNoMemory = 23,       // the kernel or the byte budget has none left
  kNoDescriptor = 24,   // no descriptor left (EMFILE, ENFILE)
  kUnsupported = 25,    // a request that is not supported here
  kConfig = 26,         // a setting that cannot work
  kInternal = 27,       // a fault of this program
  kQuota = 28,          // an entity has all that it may have, for example listeners
  kNoneAllowed = 29,    // listeners are connected, but none that this sender asks for
};

/// The relay takes the sender and has no listener for it.
constexpr bool meets_nobody(Code code) {
  return code == Code::kNoListener || code == Code::kNoneAllowed;
}

/// A token was refused.
constexpr bool refuses_token(Code code) {
  return code >= Code::kTokenMissing && code <= Code::kTokenRight;
}

/// Success, or one failure with its source and retry decision.
struct Status {
  Code code = Code::kOk;
  Source source = Source::kLocal;
  Retry retry = Retry::kNever;
  std::uint16_t peer_status = 0; // HTTP status or WebSocket close code the other side gave, else 0
  std::int32_t os_error = 0;     // errno, else 0
  std::string message;           // one sentence for an operator; never holds a secret
  std::string note;              // only for the log of this side, never sent to a peer

  [[nodiscard]] bool ok() const { return code == Code::kOk; }

  /// The message followed by the note, for this side's log.
  [[nodiscard]] std::string said() const { return note.empty() ? message : message + "; " + note; }

  static Status failure(Code code, Source source, Retry retry, std::string message) {
    return {code, source, retry, 0, 0, std::move(message), {}};
  }
  /// A setting that cannot work: the message names it and says what to write instead.
  static Status config(std::string message) {
    return failure(Code::kConfig, Source::kConfig, Retry::kNever, std::move(message));
  }
  /// A setting that is well written and names something of this machine that is missing or
  /// unusable: a file, a port, a plugin.
  static Status machine(std::string message) {
    return failure(Code::kConfig, Source::kLocal, Retry::kNever, std::move(message));
  }
};

/// A value, or the Status that says why there is none.
template <typename T> class Result {
public:
  Result(T value) : content_(std::move(value)) {}        // NOLINT: a value is a result
  Result(Status status) : content_(std::move(status)) {} // NOLINT: so is a failure

  [[nodiscard]] bool ok() const { return content_.index() == 0; }
  [[nodiscard]] T &value() { return std::get<0>(content_); }
  [[nodiscard]] const T &value() const { return std::get<0>(content_); }
  [[nodiscard]] const Status &status() const { return std::get<1>(content_); }
  [[nodiscard]] Status status_or_ok() const { return ok() ? Status{} : status(); }

private:
  std::variant<T, Status> content_;
};

/// The fixed lower-case name of a code, source or retry, as logs and JSON have it.
std::string_view word(Code code);
std::string_view word(Source source);
std::string_view word(Retry retry);

} // namespace culvert
