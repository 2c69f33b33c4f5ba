// A message at the DNS responder, and the same bytes as an upstream's answer to a query.
#include "fuzz.hpp"

#include "dns/messages.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  using namespace culvert::dns;
  using culvert::fuzz::must;
  const std::map<std::string, std::string> addresses{{"db.internal", "127.1.2.3"}};
  static const NameTable names(addresses);
  const std::span<const std::uint8_t> message(data, size);
  const Decision decision = decide(message, names, 5);
  must(!decision.answer || !decision.query);
  if (decision.answer) { // it has the query's id, and is no query itself
    const Decision again = decide(*decision.answer, names, 5);
    must(!again.answer && !again.query);
    must(id_of(*decision.answer) == (data[0] << 8U | data[1]));
  }
  if (decision.query) {
    const Query &query = *decision.query;
    must(query.bytes == Message(data, data + size) && !is_answer(query, message));
    must(is_answer(query, failure(query, Rcode::kServerFailure)));
  }
  static const Query asked = question("other.internal");
  (void)is_answer(asked, message);
  return 0;
}
