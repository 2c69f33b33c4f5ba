#include "resolver_dns/search.hpp"

#include <gtest/gtest.h>
#include <sstream>

namespace dns {
namespace {

using Names = std::vector<std::string>;

Search read(const std::string &text) {
  std::istringstream file(text);
  return Search::read(file);
}

TEST(DnsSearch, TheLastListCounts) {
  struct Row {
    const char *file;
    Names domains;
  };
  const Row rows[] = {
      {"", {}},
      {"nameserver 10.0.0.2\n", {}},
      {"search corp.test lab.test\nnameserver 10.0.0.2\n", {"corp.test", "lab.test"}},
      {"search corp.test\ndomain lab.test\n", {"lab.test"}},
      {"domain lab.test\n\tsearch  corp.test\tx.test  # and so on", {"corp.test", "x.test"}},
      {"search .\n", {}},
      {"# search corp.test\n;search corp.test\n", {}},
      {"research corp.test\n", {}},
  };
  for (const Row &row : rows) {
    EXPECT_EQ(read(row.file).domains, row.domains) << row.file;
  }
}

TEST(DnsSearch, NdotsIsANumberUpTo15) {
  struct Row {
    const char *file;
    int ndots;
  };
  const Row rows[] = {
      {"", 1},
      {"options ndots:5\n", 5},
      {"options timeout:2 ndots:0 rotate\n", 0},
      {"options ndots:99999999999999999999\n", 15},
      {"options ndots:\n", 1},
      {"options ndots:-3\n", 1},
      {"options ndots:x rotate:4\n", 1},
  };
  for (const Row &row : rows) {
    EXPECT_EQ(read(row.file).ndots, row.ndots) << row.file;
  }
}

TEST(DnsSearch, NdotsSaysWhetherTheNameItselfComesFirst) {
  const Search search = read("search corp.test lab.test\noptions ndots:2\n");
  EXPECT_EQ(search.candidates("db"), (Names{"db.corp.test", "db.lab.test", "db"}));
  EXPECT_EQ(search.candidates("a.db"), (Names{"a.db.corp.test", "a.db.lab.test", "a.db"}));
  EXPECT_EQ(search.candidates("a.b.db"), (Names{"a.b.db", "a.b.db.corp.test", "a.b.db.lab.test"}));
  EXPECT_EQ(search.candidates("db."), (Names{"db."}));
}

} // namespace
} // namespace dns
