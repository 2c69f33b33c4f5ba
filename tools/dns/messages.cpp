#include "dns/messages.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <ldns/ldns.h>
#include <memory>

namespace culvert::dns {
namespace {

struct Free {
  void operator()(ldns_pkt *packet) const { ldns_pkt_free(packet); }
  void operator()(char *text) const { LDNS_FREE(text); }
  void operator()(std::uint8_t *bytes) const { LDNS_FREE(bytes); }
};
using Packet = std::unique_ptr<ldns_pkt, Free>;

constexpr std::size_t kHeader = 12;
constexpr std::uint8_t kIsAnswer = 0x80;
constexpr std::uint8_t kOpcode = 0x78;
constexpr std::uint8_t kTruncated = 0x02;
constexpr std::uint8_t kRecursionDesired = 0x01;
constexpr std::uint8_t kRecursionAvailable = 0x80;
constexpr std::uint8_t kRcode = 0x0F;
constexpr std::size_t kTypeAndClass = 4;
/// What fits into every network's packets (dnsflagday.net/2020).
constexpr std::uint16_t kEdnsSize = 1232;

Packet read(std::span<const std::uint8_t> message) {
  ldns_pkt *packet = nullptr;
  if (ldns_wire2pkt(&packet, message.data(), message.size()) != LDNS_STATUS_OK) {
    return nullptr;
  }
  return Packet(packet);
}

Message written(const ldns_pkt &packet) {
  std::uint8_t *bytes = nullptr;
  std::size_t size = 0;
  if (ldns_pkt2wire(&bytes, &packet, &size) != LDNS_STATUS_OK) {
    return {};
  }
  const std::unique_ptr<std::uint8_t, Free> owner(bytes);
  return {bytes, bytes + size};
}

/// DNS compares names by their ASCII letters in lower case (RFC 4343).
std::uint8_t lower_case(std::uint8_t byte) {
  return byte >= 'A' && byte <= 'Z' ? static_cast<std::uint8_t>(byte - 'A' + 'a') : byte;
}

std::string name_text(const ldns_rdf &name) {
  const std::unique_ptr<char, Free> text(ldns_rdf2str(&name));
  std::string result = text == nullptr ? "" : text.get();
  if (result.ends_with('.')) {
    result.pop_back();
  }
  std::transform(result.begin(), result.end(), result.begin(), lower_case);
  return result;
}

/// A header alone.
Message header_of_failure(std::span<const std::uint8_t> query, Rcode rcode) {
  Message answer(query.begin(), query.begin() + kHeader);
  answer[2] = kIsAnswer | (query[2] & (kOpcode | kRecursionDesired));
  answer[3] = kRecursionAvailable | static_cast<std::uint8_t>(rcode);
  std::fill(answer.begin() + 4, answer.end(), std::uint8_t{0});
  return answer;
}

/// A record that ldns makes of the text; the packet owns it.
void add(ldns_pkt &packet, ldns_pkt_section section, const std::string &text) {
  ldns_rr *record = nullptr;
  if (ldns_rr_new_frm_str(&record, text.c_str(), 0, nullptr, nullptr) == LDNS_STATUS_OK) {
    ldns_pkt_push_rr(&packet, section, record);
  }
}

std::string address_text(const NameTable::Address &address) {
  char text[INET_ADDRSTRLEN];
  return inet_ntop(AF_INET, address.data(), text, sizeof text);
}

/// The answer to a question about a redirected name, with `record` (what stands behind the TTL), or
/// without one: then the SOA says how long that holds (RFC 2308, section 2.2).
Message local_answer(const ldns_pkt &query, const std::string &record, std::uint32_t ttl_s) {
  const Packet answer(ldns_pkt_new());
  const ldns_rr &asked = *ldns_rr_list_rr(ldns_pkt_question(&query), 0);
  ldns_pkt_set_id(answer.get(), ldns_pkt_id(&query));
  ldns_pkt_set_qr(answer.get(), true);
  ldns_pkt_set_aa(answer.get(), true);
  ldns_pkt_set_ra(answer.get(), true);
  ldns_pkt_set_rd(answer.get(), ldns_pkt_rd(&query));
  ldns_pkt_set_cd(answer.get(), ldns_pkt_cd(&query));
  if (ldns_pkt_edns(&query)) {
    ldns_pkt_set_edns_udp_size(answer.get(), kEdnsSize);
  }
  ldns_pkt_push_rr(answer.get(), LDNS_SECTION_QUESTION, ldns_rr_clone(&asked));
  const std::unique_ptr<char, Free> owner(ldns_rdf2str(ldns_rr_owner(&asked)));
  const std::string begin = std::string(owner.get()) + " " + std::to_string(ttl_s) + " IN ";
  if (record.empty()) {
    add(*answer, LDNS_SECTION_AUTHORITY,
        begin + "SOA culvert.invalid. nobody.invalid. 1 3600 600 86400 " + std::to_string(ttl_s));
  } else {
    add(*answer, LDNS_SECTION_ANSWER, begin + record);
  }
  return written(*answer);
}

/// The answer that this responder gives itself; nothing: it knows neither name nor address.
std::optional<Message> answer_of(const ldns_pkt &query, const std::string &name,
                                 const NameTable &names, std::uint32_t ttl_s) {
  const ldns_rr_type type = ldns_rr_get_type(ldns_rr_list_rr(ldns_pkt_question(&query), 0));
  const bool any = type == LDNS_RR_TYPE_ANY;
  if (const NameTable::Address *address = names.address_of(name)) {
    return local_answer(query, any || type == LDNS_RR_TYPE_A ? "A " + address_text(*address) : "",
                        ttl_s);
  }
  if (const std::string *found = names.name_of(name)) {
    return local_answer(query, any || type == LDNS_RR_TYPE_PTR ? "PTR " + *found + "." : "", ttl_s);
  }
  return std::nullopt;
}

/// Of a query of a form that every version of the protocol has; an upstream judges the others.
bool is_plain(const ldns_pkt &query) {
  const ldns_rr &asked = *ldns_rr_list_rr(ldns_pkt_question(&query), 0);
  return ldns_pkt_get_opcode(&query) == LDNS_PACKET_QUERY &&
         ldns_rr_get_class(&asked) == LDNS_RR_CLASS_IN && ldns_pkt_edns_version(&query) == 0;
}

} // namespace

NameTable::NameTable(const std::map<std::string, std::string> &addresses) {
  for (const auto &[name, text] : addresses) {
    Address address{};
    if (inet_pton(AF_INET, text.c_str(), address.data()) != 1) {
      continue;
    }
    addresses_.emplace(name, address);
    std::string reverse;
    for (auto byte = address.rbegin(); byte != address.rend(); ++byte) {
      reverse += std::to_string(*byte) + ".";
    }
    names_.emplace(reverse + "in-addr.arpa", name);
  }
}

const NameTable::Address *NameTable::address_of(const std::string &name) const {
  const auto found = addresses_.find(name);
  return found == addresses_.end() ? nullptr : &found->second;
}

const std::string *NameTable::name_of(const std::string &reverse) const {
  const auto found = names_.find(reverse);
  return found == names_.end() ? nullptr : &found->second;
}

Decision decide(std::span<const std::uint8_t> message, const NameTable &names,
                std::uint32_t ttl_s) {
  Decision decision;
  if (message.size() < kHeader || (message[2] & kIsAnswer) != 0) {
    return decision;
  }
  const Packet packet = read(message);
  if (packet == nullptr || ldns_pkt_qdcount(packet.get()) != 1) {
    decision.answer = header_of_failure(message, Rcode::kFormat);
    return decision;
  }
  const ldns_rdf &owner = *ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(packet.get()), 0));
  Query query;
  query.bytes.assign(message.begin(), message.end());
  query.name = name_text(owner);
  query.question_size = ldns_rdf_size(&owner) + kTypeAndClass;
  query.answer_size =
      std::max<std::size_t>(query.answer_size, ldns_pkt_edns_udp_size(packet.get()));
  if (message.size() < kHeader + query.question_size) { // its name has a compression pointer
    decision.answer = header_of_failure(message, Rcode::kFormat);
    return decision;
  }
  if (is_plain(*packet)) {
    decision.answer = answer_of(*packet, query.name, names, ttl_s);
  } else if (names.address_of(query.name) != nullptr || names.name_of(query.name) != nullptr) {
    decision.answer = failure(query, Rcode::kRefused);
  }
  if (!decision.answer) {
    decision.query = std::move(query);
  }
  return decision;
}

Message failure(const Query &query, Rcode rcode) {
  Message answer = header_of_failure(query.bytes, rcode);
  const auto question = query.bytes.begin() + kHeader;
  answer.insert(answer.end(), question,
                question + static_cast<std::ptrdiff_t>(query.question_size));
  answer[5] = 1; // questions
  return answer;
}

Message truncated(const Query &query) {
  Message answer = failure(query, Rcode::kNone);
  answer[2] |= kTruncated;
  return answer;
}

Message with_id(Message message, std::uint16_t id) {
  message[0] = static_cast<std::uint8_t>(id >> 8U);
  message[1] = static_cast<std::uint8_t>(id);
  return message;
}

std::uint16_t id_of(const Message &message) {
  return static_cast<std::uint16_t>(message[0] << 8U | message[1]);
}

Rcode rcode_of(const Message &message) {
  return static_cast<Rcode>(message[3] & kRcode);
}

bool is_answer(const Query &query, std::span<const std::uint8_t> answer) {
  if (answer.size() < kHeader || (answer[2] & kIsAnswer) == 0 || answer[0] != query.bytes[0] ||
      answer[1] != query.bytes[1] || answer[4] != 0) {
    return false;
  }
  if (answer[5] == 0) {
    return (answer[3] & kRcode) != 0;
  }
  const auto same = [](std::uint8_t one, std::uint8_t other) {
    return lower_case(one) == lower_case(other);
  };
  return answer[5] == 1 && answer.size() >= kHeader + query.question_size &&
         std::equal(answer.begin() + kHeader,
                    answer.begin() + static_cast<std::ptrdiff_t>(kHeader + query.question_size),
                    query.bytes.begin() + kHeader, same);
}

Query question(const std::string &name) {
  ldns_rdf *const owner = ldns_dname_new_frm_str(name.c_str());
  const Packet packet(
      ldns_pkt_query_new(owner, LDNS_RR_TYPE_A, LDNS_RR_CLASS_IN, LDNS_RD)); // owns the name
  Query query;
  query.bytes = written(*packet);
  query.question_size = query.bytes.size() - kHeader;
  query.name = name;
  return query;
}

} // namespace culvert::dns
