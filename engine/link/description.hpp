// A connection as a plugin describes it, in the engine's own values: the address to dial, the head
// to send first, the framing of the bytes after it, and the form of an answer. Plain data without a
// thread; a holder owns its copy.
#pragma once

#include "core/limits.hpp"
#include "link/chunk.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace culvert {

struct Field {
  std::string name;
  std::string value;
  bool secret = false; // never logged
};

/// A whole message of a control channel.
struct Message {
  std::string bytes;
  ChunkKind kind = ChunkKind::kBinary;
};

enum class HeadForm : std::uint8_t { kNone, kHttp, kMessage };
enum class Framing : std::uint8_t { kRaw, kWebSocket, kMessages };

/// How the bytes after the heads are framed.
struct FramingOptions {
  Framing framing = Framing::kRaw;
  std::uint32_t ping_interval_ms = 0; // 0: none
  std::string ping;                   // of kMessages: the messages that are a ping and its answer
  std::string pong;
  bool awaits_pong = false;        // set by the engine: this is a control channel
  std::size_t largest_message = 0; // of a control channel, both ways; 0: kControlMessageBytes

  [[nodiscard]] std::size_t message_bound() const {
    return largest_message == 0 ? kControlMessageBytes : largest_message;
  }
};

struct LinkDescription {
  bool tls = true;
  std::string host; // what to dial; a name or an IP literal
  std::uint16_t port = 0;
  std::string server_name; // for SNI and verification
  std::string alpn;        // one protocol id, or none
  HeadForm head_form = HeadForm::kNone;
  std::string target; // kHttp
  std::string authority;
  std::vector<Field> fields;
  std::string message; // kMessage; may hold a token
  FramingOptions framing;
};

/// The answer to a connection's request.
struct Answer {
  enum class Form : std::uint8_t { kNone, kHttp, kMessage, kClose };
  Form form = Form::kNone;
  std::uint16_t status = 0; // HTTP status or WebSocket close code
  std::string reason;
  std::vector<Field> fields;
  std::string body;
  Message message;
};

} // namespace culvert
