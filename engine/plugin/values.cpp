#include "plugin/values.hpp"

#include "core/text.hpp"
#include "link/frame_close.hpp"
#include "link/messages.hpp"

#include <algorithm>
#include <cstring>

namespace culvert {

namespace {

bool is_token(std::string_view word) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !word.empty() && std::all_of(word.begin(), word.end(), [&](char letter) {
    return (letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= 'a' && letter <= 'z') || kMarks.find(letter) != std::string_view::npos;
  });
}

} // namespace

std::vector<culvert_field> fields_of(const std::vector<Field> &fields) {
  std::vector<culvert_field> out;
  out.reserve(fields.size());
  for (const Field &field : fields) {
    out.push_back({view_of(field.name), view_of(field.value), field.secret ? 1U : 0U, 0});
  }
  return out;
}

culvert_message message_of(const Message &message) {
  return {view_of(message.bytes), static_cast<std::uint32_t>(message.kind), 0};
}

culvert_status status_of(const Status &status) {
  culvert_status out{};
  out.size = sizeof out;
  out.code = static_cast<std::uint32_t>(status.code);
  out.source = static_cast<std::uint32_t>(status.source);
  out.retry = static_cast<std::uint32_t>(status.retry);
  out.peer_status = status.peer_status;
  out.os_error = status.os_error;
  const std::string_view message = cut_utf8(status.message, sizeof out.message - 1);
  std::copy(message.begin(), message.end(), out.message);
  return out;
}

std::string one_line(std::string_view text, std::size_t limit) {
  std::string line(cut_utf8(text, limit));
  std::replace_if(
      line.begin(), line.end(), [](char letter) { return is_control(letter); }, ' ');
  return line;
}

std::string comma_list(const std::vector<std::string> &items) {
  std::string text;
  for (const std::string &item : items) {
    text += (text.empty() ? "" : ", ") + item;
  }
  return text;
}

Status plugin_fault(std::string_view plugin_id, std::string_view function, std::string_view what) {
  std::string message = "plugin ";
  message.append(plugin_id).append(" broke the rules of its ABI: ");
  message.append(function).append(": ").append(what);
  return Status::failure(Code::kInternal, Source::kPlugin, Retry::kBackoff, std::move(message));
}

void Reader::refuse(std::string_view what) {
  if (fault_.ok()) {
    fault_ = plugin_fault(plugin_id_, function_, what);
  }
}

bool Reader::readable(culvert_view view, std::size_t limit, std::string_view what) {
  if (view.data == nullptr && view.size > 0) {
    refuse(std::string(what) + " points nowhere and says " + std::to_string(view.size) + " bytes");
    return false;
  }
  if (view.size > limit) {
    refuse(std::string(what) + " has " + std::to_string(view.size) + " bytes; the bound is " +
           std::to_string(limit));
    return false;
  }
  return true;
}

std::string Reader::text(culvert_view view, std::size_t limit, std::string_view what) {
  return readable(view, limit, what) && view.size > 0 ? std::string(view.data, view.size)
                                                      : std::string();
}

std::string Reader::line(culvert_view view, std::size_t limit, std::string_view what) {
  std::string line = text(view, limit, what);
  if (std::any_of(line.begin(), line.end(),
                  [](char letter) { return letter != '\t' && is_control(letter); })) {
    refuse(std::string(what) + " has a control byte");
    line.clear();
  }
  return line;
}

std::string Reader::log_word(culvert_view view) {
  return readable(view, kHeadBytes, "the loggable id")
             ? one_line({view.data, view.size}, kLoggableIdBytes)
             : std::string();
}

std::vector<Field> Reader::fields(const culvert_field *fields, std::uint32_t count) {
  std::vector<Field> out;
  if (count > kHeadFields || (fields == nullptr && count > 0)) {
    refuse("fields: " + std::to_string(count) +
           (count > kHeadFields ? " of them; the bound is " + std::to_string(kHeadFields)
                                : std::string(" of them that point nowhere")));
    return out;
  }
  out.reserve(count);
  for (std::uint32_t index = 0; index < count && ok(); ++index) {
    Field field{text(fields[index].name, kHeadBytes, "a field's name"),
                line(fields[index].value, kHeadBytes, "a field's value"),
                flag(fields[index].secret, "a field's secret flag")};
    if (!is_token(field.name)) {
      refuse("a field's name is no token");
    }
    out.push_back(std::move(field));
  }
  return out;
}

std::vector<std::string> Reader::list(const culvert_view *views, std::uint32_t count,
                                      std::string_view what) {
  std::vector<std::string> out;
  if (count > kListenerIds || (views == nullptr && count > 0)) {
    refuse(std::string(what) + ": " + std::to_string(count) + " of them, or they point nowhere");
    return out;
  }
  out.reserve(count);
  for (std::uint32_t index = 0; index < count; ++index) {
    out.push_back(text(views[index], kHeadBytes, what));
  }
  return out;
}

Message Reader::message(const culvert_message &message) {
  if (message.kind > CULVERT_TEXT) {
    refuse("a message's kind is " + std::to_string(message.kind));
  }
  return {text(message.bytes, kControlMessageBytes, "a message"),
          message.kind == CULVERT_TEXT ? ChunkKind::kText : ChunkKind::kBinary};
}

std::int64_t Reader::second(std::int64_t value, std::string_view what) {
  if (value < 0) {
    refuse(std::string(what) + " is " + std::to_string(value));
  }
  return std::clamp<std::int64_t>(value, 0, kLastSecond);
}

bool Reader::flag(std::uint32_t value, std::string_view what) {
  if (value > 1) {
    refuse(std::string(what) + " is " + std::to_string(value) + "; it is 0 or 1");
  }
  return value != 0;
}

FramingOptions Reader::framing(std::uint32_t framing, std::uint32_t ping_interval_ms,
                               culvert_view ping, culvert_view pong,
                               std::uint32_t largest_message) {
  FramingOptions out;
  if (framing > CULVERT_FRAMING_MESSAGES) {
    refuse("the framing is " + std::to_string(framing));
    return out;
  }
  out.framing = static_cast<Framing>(framing);
  out.ping_interval_ms = ping_interval_ms;
  out.ping = text(ping, kControlMessageBytes, "the ping");
  out.pong = text(pong, kControlMessageBytes, "the pong");
  out.largest_message = largest_message;
  check_framing(out);
  return out;
}

void Reader::check_framing(const FramingOptions &options) {
  const std::size_t largest = options.largest_message;
  if (largest != 0 && (largest < kSmallestMessageBytes || largest > kControlMessageBytes)) {
    refuse("the largest message is " + std::to_string(largest) + "; it is 0 or " +
           std::to_string(kSmallestMessageBytes) + " to " + std::to_string(kControlMessageBytes));
  }
  const bool pings = options.ping_interval_ms > 0;
  if (pings && options.ping_interval_ms < kShortestPingMs) {
    refuse("the ping interval is " + std::to_string(options.ping_interval_ms) +
           " ms; it is 0 or at least " + std::to_string(kShortestPingMs));
  }
  if (options.framing != Framing::kMessages) {
    return;
  }
  if (pings && options.ping.empty()) {
    refuse("a ping interval without the words of a ping");
  }
  if (std::max(options.ping.size(), options.pong.size()) > MessagesLink::largest(options)) {
    refuse("the words of a ping or pong are larger than a message");
  }
}

LinkDescription Reader::link(const culvert_link_description &link) {
  LinkDescription out;
  out.tls = flag(link.tls, "tls");
  out.host = line(link.host, kHeadBytes, "the host");
  out.port = static_cast<std::uint16_t>(link.port);
  out.server_name = line(link.server_name, kHeadBytes, "the server name");
  out.alpn = line(link.alpn, 255, "the ALPN word"); // RFC 7301: its length is one byte
  out.target = line(link.target, kHeadBytes, "the target");
  out.authority = line(link.authority, kHeadBytes, "the authority");
  out.fields = fields(link.fields, link.field_count);
  out.message = text(link.message, kHeadBytes, "the head message");
  out.framing =
      framing(link.framing, link.ping_interval_ms, link.ping, link.pong, link.largest_message);
  if (out.host.empty() || link.port == 0 || link.port > 0xffff) {
    refuse("a link needs a host and a port from 1 to 65535");
  }
  if (link.head_form > CULVERT_HEAD_MESSAGE) {
    refuse("the head form is " + std::to_string(link.head_form));
    return out;
  }
  out.head_form = static_cast<HeadForm>(link.head_form);
  if (out.head_form == HeadForm::kHttp &&
      (out.target.empty() || out.target.find(' ') != std::string::npos)) {
    refuse("an HTTP head needs a target without spaces");
  }
  if (out.head_form == HeadForm::kMessage && out.message.empty()) {
    refuse("a head message is empty");
  }
  if (out.server_name.empty()) {
    out.server_name = out.host;
  }
  return out;
}

Answer Reader::answer(const culvert_answer &answer) {
  Answer out;
  if (answer.form > CULVERT_ANSWER_CLOSE) {
    refuse("an answer's form is " + std::to_string(answer.form));
    return out;
  }
  out.form = static_cast<Answer::Form>(answer.form);
  const bool http = out.form == Answer::Form::kHttp;
  const bool close = out.form == Answer::Form::kClose;
  // Of 1xx only 101 is a final answer; after every other one the peer waits for more.
  if ((http && answer.status != 101 && (answer.status < 200 || answer.status > 599)) ||
      (close &&
       (answer.status > 0xffff || !is_close_code(static_cast<std::uint16_t>(answer.status))))) {
    refuse("an answer's status is " + std::to_string(answer.status));
    return out;
  }
  out.status = static_cast<std::uint16_t>(answer.status);
  if (readable(answer.reason, kHeadBytes, "an answer's reason")) {
    out.reason = one_line({answer.reason.data, answer.reason.size},
                          close ? kCloseReasonBytes : kReasonPhraseBytes);
  }
  if (http) {
    std::erase_if(out.reason,
                  [](char letter) { return static_cast<unsigned char>(letter) > 0x7e; });
  }
  out.fields = fields(answer.fields, answer.field_count);
  out.body = text(answer.body, kAnswerBodyBytes, "an answer's body");
  out.message = message(answer.message);
  return out;
}

Intent Reader::intent(const culvert_intent &intent) {
  Intent out;
  if (intent.verb < CULVERT_VERB_LISTEN || intent.verb > CULVERT_VERB_IGNORE) {
    // The other members of an unknown verb have no meaning here.
    fault_ = Status::failure(Code::kUnsupported, Source::kPlugin, Retry::kNever,
                             "plugin " + std::string(plugin_id_) + ": " + std::string(function_) +
                                 (intent.verb == 0
                                      ? ": it left the intent unwritten (verb 0)"
                                      : ": it wants the verb " + std::to_string(intent.verb) +
                                            ", which this engine does not know"));
    return out;
  }
  out.verb = static_cast<Verb>(intent.verb - CULVERT_VERB_LISTEN);
  out.path = text(intent.path, kHeadBytes, "the path");
  out.token = text(intent.token, kHeadBytes, "the token");
  out.capability = text(intent.capability, kHeadBytes, "the capability");
  out.listener_id = text(intent.listener_id, kHeadBytes, "the listener id");
  out.authority = text(intent.authority, kHeadBytes, "the authority");
  out.loggable_id = log_word(intent.loggable_id);
  out.facts = text(intent.facts, kFactsBytes, "the facts");
  out.allowed = list(intent.allowed, intent.allowed_count, "allowed listener ids");
  out.denied = list(intent.denied, intent.denied_count, "denied listener ids");
  out.answer = answer(intent.answer);
  out.peer_answer = answer(intent.peer_answer);
  out.framing = framing(intent.framing, intent.ping_interval_ms, intent.ping, intent.pong,
                        intent.largest_message);
  return out;
}

Status Reader::failure(const culvert_status &status) {
  if (status.code == CULVERT_OK) {
    refuse("it failed with the code 0");
    return fault_;
  }
  const auto code =
      status.code <= CULVERT_NONE_ALLOWED ? static_cast<Code>(status.code) : Code::kInternal;
  const auto source =
      status.source <= CULVERT_SOURCE_CONFIG ? static_cast<Source>(status.source) : Source::kPlugin;
  const auto retry =
      status.retry <= CULVERT_RETRY_NEW_TOKEN ? static_cast<Retry>(status.retry) : Retry::kNever;
  const std::size_t length = strnlen(status.message, sizeof status.message);
  Status out = Status::failure(code, source, retry, one_line({status.message, length}, length));
  // It may quote text of the other side, which is treated as ASCII everywhere.
  std::replace_if(
      out.message.begin(), out.message.end(),
      [](char letter) { return static_cast<unsigned char>(letter) >= 0x80; }, '?');
  out.peer_status =
      status.peer_status <= 0xffff ? static_cast<std::uint16_t>(status.peer_status) : 0;
  out.os_error = std::max(status.os_error, 0);
  if (out.message.empty()) {
    out.message = word(out.code);
  }
  if (source == Source::kPlugin || length == 0) {
    out.message.insert(0,
                       "plugin " + std::string(plugin_id_) + ": " + std::string(function_) + ": ");
  }
  return out;
}

} // namespace culvert
