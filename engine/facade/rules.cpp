#include "facade/rules.hpp"

namespace culvert {

std::vector<Rule> to_rules(const std::vector<RuleConfig> &rules, SecretLease &secrets) {
  std::vector<Rule> result;
  for (const RuleConfig &config : rules) {
    Rule rule;
    rule.name = config.name;
    rule.rights = (config.rights.listen ? kRightListen : 0U) |
                  (config.rights.send ? kRightSend : 0U) |
                  (config.rights.manage ? kRightManage : 0U);
    for (const Secret *secret : {&config.primary, &config.secondary}) {
      if (!secret->empty()) {
        rule.secrets.push_back(secrets.add(secret->clone()));
      }
    }
    result.push_back(std::move(rule));
  }
  return result;
}

} // namespace culvert
