#include "search.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <sstream>
#include <string_view>

namespace dns {
namespace {

constexpr int kMostDots = 15; // as resolv.conf(5) has it

/// N of "ndots:N"; `otherwise` for another option.
int ndots_of(const std::string &option, int otherwise) {
  constexpr std::string_view kName = "ndots:";
  const bool is_ndots = option.starts_with(kName) && option.size() > kName.size() &&
                        std::isdigit(static_cast<unsigned char>(option[kName.size()])) != 0;
  if (!is_ndots) {
    return otherwise;
  }
  const std::string digits = option.substr(kName.size(), 3); // more say no more
  return std::min(std::stoi(digits), kMostDots);
}

} // namespace

Search Search::read(std::istream &file) {
  Search search;
  for (std::string line; std::getline(file, line);) {
    std::istringstream text(line.substr(0, line.find_first_of("#;")));
    std::string keyword;
    text >> keyword;
    const std::vector<std::string> words{std::istream_iterator<std::string>(text),
                                         std::istream_iterator<std::string>()};
    if (keyword == "search" || keyword == "domain") {
      search.domains = words;
      std::erase(search.domains, "."); // the root: the name as it is
    } else if (keyword == "options") {
      for (const std::string &option : words) {
        search.ndots = ndots_of(option, search.ndots);
      }
    }
  }
  return search;
}

std::vector<std::string> Search::candidates(const std::string &name) const {
  if (name.ends_with('.')) {
    return {name};
  }
  std::vector<std::string> all;
  for (const std::string &domain : domains) {
    std::string &whole = all.emplace_back(name);
    whole += '.';
    whole += domain;
  }
  const auto dots = std::count(name.begin(), name.end(), '.');
  all.insert(dots >= ndots ? all.begin() : all.end(), name);
  return all;
}

} // namespace dns
