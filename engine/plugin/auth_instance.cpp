#include "plugin/instance.hpp"

#include <algorithm>
#include <iterator>
#include <span>

namespace culvert {

void AuthInstance::acquire(AcquireToken &operation, std::string_view audience) {
  auto *const begun = acquires_.begin(operation);
  if (begun == nullptr) {
    return;
  }
  auto &record = *begun;
  AcquireCall &call = record.call;
  if (call.room == nullptr) {
    call.room = std::make_unique_for_overwrite<std::byte[]>(kTokenBytes);
  }
  call.audience = audience;
  call.arena = {reinterpret_cast<char *>(call.room.get()), kTokenBytes, 0};
  record.arena = &call.arena;
  record.audience = view_of(call.audience);
  const CallWatch::Call watched = calls_.watch("acquire");
  acquires_.called(record, functions_.acquire(self_, &record));
}

Result<Token> AcquireCall::read(const culvert_acquire &record, Reader &reader) {
  Token token{reader.line(record.token, kTokenBytes, "the token"), record.token_id,
              reader.second(record.expires_s, "the token's expires_s"),
              reader.second(record.renew_after_s, "the token's renew_after_s")};
  if (token.text.empty()) {
    reader.refuse("success without a token");
  }
  return token;
}

bool AuthInstance::refused(std::uint64_t token_id) {
  const CallWatch::Call watched = calls_.watch("refused");
  return functions_.refused(self_, token_id) != 0;
}

void AuthInstance::verify(VerifyToken &operation, const TokenCheck &check) {
  auto *const begun = verifies_.begin(operation);
  if (begun == nullptr) {
    return;
  }
  auto &record = *begun;
  VerifyCall &call = record.call; // it may live longer than the check
  call.rules.clear();
  call.names.clear();
  call.words.clear();
  call.words.reserve(check.rules->size() + check.names->size());
  call.token = check.token;
  call.path = check.path;
  for (const Rule *rule : *check.rules) {
    culvert_rule out{};
    out.name = view_of(call.words.emplace_back(rule->name));
    out.rights = rule->rights;
    CULVERT_ASSERT(rule->secrets.size() <= std::size(out.secrets));
    out.secret_count = static_cast<std::uint32_t>(rule->secrets.size());
    std::copy(rule->secrets.begin(), rule->secrets.end(), out.secrets);
    call.rules.push_back(out);
  }
  for (const std::string &name : *check.names) {
    call.names.push_back(view_of(call.words.emplace_back(name)));
  }
  record.rule_count = static_cast<std::uint32_t>(call.rules.size());
  record.rules = call.rules.data();
  record.name_count = static_cast<std::uint32_t>(call.names.size());
  record.names = call.names.data();
  record.token = view_of(call.token);
  record.path = view_of(call.path);
  record.right_wanted = check.right_wanted;
  record.wall_s = shard_.io.wall_s();
  const CallWatch::Call watched = calls_.watch("verify");
  verifies_.called(record, functions_.verify(self_, &record));
}

Result<Grant> VerifyCall::read(const culvert_verify &record, Reader &reader) {
  // A success without the wanted right would let in a client that may not enter, so the engine
  // checks it.
  if ((record.rights & (record.right_wanted | kRightManage)) == 0) {
    reader.refuse("success without the right that was wanted");
  }
  if ((record.rights & ~(kRightListen | kRightSend | kRightManage)) != 0) {
    reader.refuse("the rights are " + std::to_string(record.rights));
  }
  return Grant{record.rights, reader.second(record.expires_s, "the grant's expires_s"),
               note_of(record.note)};
}

void ResolverInstance::resolve(ResolveName &operation, std::string_view name) {
  auto *const begun = resolves_.begin(operation);
  if (begun == nullptr) {
    return;
  }
  auto &record = *begun;
  record.call.name = name;
  record.name = view_of(record.call.name);
  const CallWatch::Call watched = calls_.watch("resolve");
  resolves_.called(record, functions_.resolve(self_, &record));
}

Result<Addresses> ResolveCall::read(const culvert_resolve &record, Reader &reader) {
  Addresses out;
  out.lifetime_ms = record.lifetime_ms;
  if (record.address_count == 0 || record.address_count > CULVERT_MOST_ADDRESSES) {
    reader.refuse("success with " + std::to_string(record.address_count) + " addresses");
    return out;
  }
  for (const culvert_address &from : std::span(record.addresses, record.address_count)) {
    if (from.family != CULVERT_IPV4 && from.family != CULVERT_IPV6) {
      reader.refuse("an address of family " + std::to_string(from.family));
      return out;
    }
    Address address;
    address.family = from.family == CULVERT_IPV4 ? Address::Family::kIpv4 : Address::Family::kIpv6;
    std::copy_n(from.bytes, from.family == CULVERT_IPV4 ? 4 : 16, address.bytes.begin());
    out.addresses.push_back(std::move(address));
  }
  return out;
}

} // namespace culvert
