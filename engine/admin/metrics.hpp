// A snapshot as text for Prometheus, in its exposition format 0.0.4.
//
// A pure function. Labels hold what the operator configured and words of this program, never the
// input of a peer. A series whose source does not exist is left out.
#pragma once

#include "culvert/snapshot.hpp"

#include <string>

namespace culvert {

std::string metrics_text(const Snapshot &snapshot);

} // namespace culvert
