// The sums over many seeds: as text, in files, and what must be reached.
//
// Plain functions, one thread.
#pragma once

#include "world_run.hpp"

#include <string>
#include <vector>

namespace culvert::simtest {

void add(Totals &sum, const Totals &one);
/// A line each, and the table of faults.
std::string text_of(const Totals &totals);
bool write_totals(const Totals &totals, const std::string &file);
/// Adds up the files, prints the sums, and says what was not reached. What a thousand seeds must
/// reach, fewer must reach in proportion.
bool assert_sums(const std::vector<std::string> &files);

} // namespace culvert::simtest
